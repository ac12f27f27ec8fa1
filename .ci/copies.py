"""The text of a file in which functions are switched between copies of themselves, one for each mutant.

A function that is to be broken becomes

    fn sum<T: Real>(dy: &ArrayView1<T>) -> T {
        match crate::switched::mutant() {
            17 => sum__17(dy),
            18 => sum__18(dy),
            _ => sum__sound(dy),
        }
    }

and the copies that this calls, each but the last with one thing replaced, belong at the end of the file. Methods cannot be
switched so.
"""
import re


def switched(text, mutants):
    """A file's text with switches in the place of functions, and the copies that these need, by number."""
    functions = {}
    for number, mutant in mutants.items():
        key = (*span(text, mutant["function"]), mutant["function"]["function_name"])
        functions.setdefault(key, []).append(number)
    copies, out = [], text
    for (start, end, name), numbers in sorted(functions.items(), reverse=True):  # what is behind has moved already
        if not name.isidentifier():
            raise ValueError(f"{name} is a method, which cannot be switched")
        renamed = lambda copy, by: "\n" + re.sub(rf"\bfn {name}\b", f"fn {name}__{by}", copy, count=1) + "\n"
        copies.append((None, renamed(text[start:end], "sound")))
        for number in numbers:
            first, last = span(text, mutants[number])
            copies.append((number, renamed(text[start:first] + mutants[number]["replacement"] + text[last:end], number)))
        out = out[:start] + switch(text[start:end], name, numbers) + out[end:]
    return out, copies


def span(text, of):
    """From where to where something lies; cargo-mutants counts lines and columns from 1."""
    lines = text.split("\n")
    offset = lambda at: sum(len(line) + 1 for line in lines[: at["line"] - 1]) + at["column"] - 1
    return offset(of["span"]["start"]), offset(of["span"]["end"])


def switch(function, name, numbers):
    """The function that calls one of its copies. Each of these has a type of its own for a promised `impl Trait`: boxes."""
    named = re.search(rf"\bfn {name}\b", function).end()
    generics = closing(function[named:]) if function[named] == "<" else 0
    start = named + generics
    end = start + closing(function[start:])
    head = function[: function.index("{", end)]
    patterns = [split(parameter, ":")[0] for parameter in split(function[start + 1 : end - 1], ",") if parameter]
    arguments = ", ".join(re.sub(r"\bmut ", "", pattern) for pattern in patterns)
    promised = re.match(r"\s*-> impl (.*\S)", head[end:], re.S)
    boxed = f"alloc::boxed::Box::new({{}}) as alloc::boxed::Box<dyn {promised[1]} + '_>" if promised else "{}"
    arm = lambda pattern, by: f"        {pattern} => {boxed.format(f'{name}__{by}({arguments})')},\n"
    arms = "".join(arm(number, number) for number in numbers) + arm("_", "sound")
    return f"{head}{{\n    match crate::switched::mutant() {{\n{arms}    }}\n}}"


def depths(text):
    """Each character, and how many brackets are open behind it."""
    depth = 0
    for before, c in zip(" " + text, text):
        depth += (c in "([{<") - (c in ")]}>" and before != "-")
        yield c, depth


def closing(text):
    """Where the bracket that the text begins with is closed."""
    return next(at for at, (_, depth) in enumerate(depths(text), 1) if depth == 0)


def split(text, mark):
    """What stands between the marks that are outside all brackets."""
    pieces = [""]
    for c, depth in depths(text):
        if c == mark and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += c
    return [piece.strip() for piece in pieces]
