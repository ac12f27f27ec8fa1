//! Parsing kernel files: finding the kernels, and converting the file to C++.
//!
//! With `kernels/host/language`, a C++ compiler accepts CUDA C except for two things. Declarations of shared memory are
//! rewritten, because their address differs between blocks and a macro cannot tell `extern __shared__` from `__shared__`. And
//! `extern "C"` is removed, so that a kernel may have the name of a C library function.

use crate::BuildError;

/// A kernel, and the maximum number of threads in its blocks as an expression of the source.
#[derive(Debug, PartialEq)]
pub(crate) struct Kernel {
    pub(crate) name: String,
    pub(crate) bound: String,
}

/// A parsed kernel file.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) kernels: Vec<Kernel>,
    /// The text as C++, with the same number of lines.
    pub(crate) text: String,
}

const QUALIFIERS: [&str; 2] = ["extern", "__global__"];

/// Parses a file. `name` is for messages.
///
/// # Errors
/// If a declaration of shared memory is misplaced or cannot be parsed.
pub(crate) fn parse(name: &str, text: &str) -> Result<Source, BuildError> {
    let code = without_comments(text);
    let mut edits = Vec::new();
    let mut kernels = Vec::new();
    for at in words(&code, "__global__") {
        kernels.extend(kernel(&code[at + "__global__".len()..]));
        let before = code[..at].trim_end();
        // Strings are blanked in `code`, so the "C" after `extern` is looked up in `text`.
        let start = text[..before.len().max(at)].trim_end().strip_suffix("\"C\"").map(str::trim_end);
        if let Some(start) = start.and_then(|rest| rest.strip_suffix(QUALIFIERS[0])) {
            edits.push((start.len()..at, " ".repeat(at - start.len())));
        }
    }
    for at in words(&code, "__shared__") {
        let end = code[at..].find(';').map_or(code.len(), |length| at + length + 1);
        let line = code[..at].matches('\n').count() + 1;
        let wrong = |what: &str| BuildError::Source(format!("{name}:{line}: {what}"));
        let depth = code[..at].matches('{').count().saturating_sub(code[..at].matches('}').count());
        if depth == 0 {
            return Err(wrong("declare shared memory in the function that uses it"));
        }
        let before = code[..at].trim_end();
        let dynamic = before.ends_with(QUALIFIERS[0]);
        let start = if dynamic { before.len() - QUALIFIERS[0].len() } else { at };
        let declaration = &code[at + "__shared__".len()..end];
        let mut new =
            shared(declaration, dynamic).ok_or_else(|| wrong("this declaration of shared memory is not understood"))?;
        new.push_str(&"\n".repeat(code[start..end].matches('\n').count()));
        edits.push((start..end, new));
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut new = text.to_string();
    for (range, with) in edits.into_iter().rev() {
        new.replace_range(range, &with);
    }
    Ok(Source { kernels, text: new })
}

/// Parses the name before the first parenthesis that does not belong to `__launch_bounds__`.
fn kernel(code: &str) -> Option<Kernel> {
    let mut bound = "1024".to_string();
    let mut rest = code;
    loop {
        let open = rest.find('(')?;
        let name = last_word(&rest[..open])?;
        let close = open + matching(&rest[open..])?;
        if name != "__launch_bounds__" {
            return Some(Kernel { name: name.into(), bound });
        }
        bound = top_level(&rest[open + 1..close]).first()?.trim().into();
        rest = &rest[close + 1..];
    }
}

/// Converts the declaration after `__shared__` to C++.
fn shared(declaration: &str, dynamic: bool) -> Option<String> {
    let mut rest = declaration.trim().strip_suffix(';')?.trim();
    let mut alignment = "1".to_string();
    for keyword in ["__align__", "alignas"] {
        if let Some(after) = rest.strip_prefix(keyword) {
            let open = after.find('(')?;
            let close = open + matching(&after[open..])?;
            alignment = after[open + 1..close].trim().into();
            rest = after[close + 1..].trim();
        }
    }
    let declarators = top_level(rest);
    let first = declarators.first()?;
    let (name, _) = split(first)?;
    let kind = first[..first.find('[').map_or(first.len(), |at| at)].trim().strip_suffix(name)?.trim();
    if kind.is_empty() || kind.contains('=') {
        return None;
    }
    let mut out = String::new();
    for declarator in &declarators {
        let (name, extents) = split(declarator)?;
        if dynamic {
            out += &format!("{kind}* const {name} = static_cast<{kind}*>(emulator_dynamic_shared); ");
        } else {
            out += &format!("EMULATOR_SHARED({name}, {alignment}, {kind} {extents}); ");
        }
    }
    Some(out)
}

/// Splits a declarator: `float tile[8][9]` into the name `tile` and the extents `[8][9]`.
fn split(declarator: &str) -> Option<(&str, &str)> {
    let bracket = declarator.find('[').unwrap_or(declarator.len());
    Some((last_word(&declarator[..bracket])?, declarator[bracket..].trim()))
}

fn last_word(text: &str) -> Option<&str> {
    let text = text.trim_end();
    let start = text.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    Some(&text[start..]).filter(|word| !word.is_empty())
}

/// Returns the position where the parenthesis at the start of `text` is closed.
fn matching(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Splits at commas outside of brackets.
fn top_level(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '<' | '{' => depth += 1,
            ')' | ']' | '>' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Returns the positions of a word outside of preprocessor lines.
fn words(code: &str, word: &str) -> Vec<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |&(at, _): &(usize, &str)| {
        !code[..at].ends_with(part) && !code[at + word.len()..].starts_with(part) && {
            let line = code[..at].rfind('\n').map_or(0, |end| end + 1);
            !code[line..at].trim_start().starts_with('#')
        }
    };
    code.match_indices(word).filter(whole).map(|(at, _)| at).collect()
}

/// Blanks comments, strings and characters, byte for byte.
fn without_comments(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with('"') || (rest.starts_with('\'') && !digit_separator(bytes, at)) {
            quoted(rest)
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        out[at..at + length].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
        at += length;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Returns true if the quote at `at` separates digits, as in 1'000'000.
fn digit_separator(bytes: &[u8], at: usize) -> bool {
    at > 0 && bytes[at - 1].is_ascii_hexdigit() && bytes.get(at + 1).is_some_and(u8::is_ascii_hexdigit)
}

/// Returns the length of a string or character, quotes included.
fn quoted(text: &str) -> usize {
    let quote = text.as_bytes()[0];
    let mut escaped = false;
    for (at, &byte) in text.as_bytes().iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b if b == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String)> {
        let source = parse("x.cu", text).expect("it is understood");
        source.kernels.into_iter().map(|kernel| (kernel.name, kernel.bound)).collect()
    }

    #[test]
    fn parse_finds_kernels_with_their_bounds() {
        let text = r#"
            // extern "C" __global__ void commented() {}
            extern "C" __global__ void plain(int a, float* b) {}
            extern "C" __global__ void __launch_bounds__(256) bound(int a) {}
            extern "C" __global__ void __launch_bounds__(f(32, 2), 4)
            on_the_next_line(Tensor x) {}
            #define KERNEL(name) extern "C" __global__ void name()
        "#;
        let want = [("plain", "1024"), ("bound", "256"), ("on_the_next_line", "f(32, 2)")];
        assert_eq!(found(text), want.map(|(name, bound)| (name.to_string(), bound.to_string())));
    }

    #[test]
    fn parse_removes_extern_c_and_keeps_columns() {
        let text = "extern \"C\" __global__ void f(int a) { g(\"extern\"); }";
        let new = parse("x.cu", text).expect("it is understood").text;
        assert_eq!(new, "           __global__ void f(int a) { g(\"extern\"); }");
    }

    fn rewritten(declaration: &str) -> String {
        let text = format!("void f() {{ {declaration} }}");
        let new = parse("x.cu", &text).expect("it is understood").text;
        new["void f() { ".len()..new.len() - 2].trim_end().into()
    }

    #[test]
    fn parse_rewrites_shared_memory() {
        assert_eq!(rewritten("__shared__ float a[8][N + 1];"), "EMULATOR_SHARED(a, 1, float [8][N + 1]);");
        assert_eq!(rewritten("__shared__ int flag;"), "EMULATOR_SHARED(flag, 1, int );");
        assert_eq!(
            rewritten("__shared__ __align__(16) unsigned a[f(1, 2)], b;"),
            "EMULATOR_SHARED(a, 16, unsigned [f(1, 2)]); EMULATOR_SHARED(b, 16, unsigned );"
        );
        assert_eq!(
            rewritten("extern __shared__ REAL all[];"),
            "REAL* const all = static_cast<REAL*>(emulator_dynamic_shared);"
        );
    }

    #[test]
    fn parse_keeps_line_numbers() {
        let text = "void f() {\n    __shared__ float a[1],\n        b[2];\n    g();\n}\n";
        let new = parse("x.cu", text).expect("it is understood").text;
        assert_eq!(new.lines().position(|line| line.contains("g()")), Some(3), "{new}");
    }

    #[test]
    fn parse_shared_memory_outside_of_functions_is_refused() {
        let wrong = parse("x.cu", "\n__shared__ float a[8];").expect_err("no function");
        assert_eq!(wrong.to_string(), "x.cu:2: declare shared memory in the function that uses it");
    }
}
