"""Many mutants from one build: the tests hold a copy of a function for each of its mutants, and a variable says which runs.

Where cargo-mutants builds once for every mutant, this asks it only what it would change, and writes that into a copy of
the tree under target/, as copies.py says. A mutant does not compile if rustc's errors lie in its copy of the function; it
is left out then, and all are built again. An error anywhere else is the end, so that nothing is left out for another
reason; and where the switch itself does nothing, everything survives.
"""
import json, os, re, subprocess, sys
from concurrent.futures import ThreadPoolExecutor

from copies import switched
from tree import ROOT, copy_tree, write

COPY = ROOT / "target/switched/tree"
SECONDS = 90  # of a run of the tests: a mutant may make them run for ever
AT_ONCE = 2
SWITCH = """
mod switched {
    extern crate std;
    /// Which mutant runs; without the variable, none.
    pub(crate) fn mutant() -> usize {
        static MUTANT: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
        *MUTANT.get_or_init(|| std::env::var("MUTANT").map_or(usize::MAX, |number| number.parse().expect("a number")))
    }
}
"""


def verdicts(mutants, package, tests):
    """What cargo-mutants would say of each of these mutants of one package, which are as it lists them in JSON."""
    if not mutants:
        return {}
    mutants = dict(enumerate(mutants))
    binary, refused = built(mutants, package, tests)
    if (sound := run(binary, len(mutants))).returncode:
        stop(f"without any mutant, the tests fail:\n{sound.stdout[-3000:]}")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = {n: pool.submit(verdict, binary, n, mutant) for n, mutant in mutants.items() if n not in refused}
    return {mutant["name"]: said[n].result() if n in said else "Unviable" for n, mutant in mutants.items()}


def verdict(binary, number, mutant):
    """First by the tests that are called like the file."""
    family = re.search(r"(\w+)\.rs", mutant["file"])[1] + "::"
    try:
        survives = all(run(binary, number, *only).returncode == 0 for only in [[family], []])
    except subprocess.TimeoutExpired:
        return "Timeout"
    if survives:
        sys.stderr.write(f"survives: {mutant['name']}\n")
    return "MissedMutant" if survives else "CaughtMutant"


def run(binary, number, *only):
    environment = os.environ | {"MUTANT": str(number), "RUST_BACKTRACE": "0"}
    command = [binary, "--quiet", "--test-threads=1", *only]
    return subprocess.run(command, cwd=COPY, env=environment, capture_output=True, text=True, timeout=SECONDS)


def built(mutants, package, tests):
    """The tests with all mutants that compile, and the numbers of those that do not."""
    copy_tree(COPY)
    root = COPY / mutants[0]["file"].split("/src/")[0] / "src/lib.rs"
    write(root, root.read_text() + SWITCH)
    refused = set()
    while True:
        places = write_copies({n: mutant for n, mutant in mutants.items() if n not in refused})
        binary, errors = build(package, tests)
        if binary:
            return binary, refused
        for error in errors:
            found = {places.get(line) for line in lines_of(error)} - {None}
            if not found:
                stop(f"an error that is no mutant's:\n{error['rendered']}")
            refused |= found
        sys.stderr.write(f"{len(refused)} of {len(mutants)} mutants do not compile\n")


def build(package, tests):
    """The tests' binary, or why there is none: rustc's errors."""
    command = ["cargo", "test", "--locked", "--profile=mutants", f"--package={package}", *tests, "--no-run"]
    command += ["--message-format=json", f"--target-dir={COPY.parent / 'build'}"]
    done = subprocess.run(command, cwd=COPY, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode == 0:
        return next(m["executable"] for m in messages if m.get("executable")), []
    said = [m["message"] for m in messages if m["reason"] == "compiler-message"]
    errors = [error for error in said if error["level"] == "error" and error["spans"]]
    if not errors:
        stop(done.stderr)
    return None, errors


def stop(why):
    sys.stderr.write(f"{why}\n")
    sys.exit(2)


def lines_of(error):
    """Where an error lies: if in a macro, where that is called, too."""
    for span in error["spans"]:
        while span and span["is_primary"]:
            yield span["file_name"], span["line_start"]
            span = span["expansion"] and span["expansion"]["span"] | {"is_primary": True}


def write_copies(mutants):
    """Writes all files with their copies, and gives the mutants by file and line of these."""
    places = {}
    for file in sorted({mutant["file"] for mutant in mutants.values()}):
        text, copies = switched((ROOT / file).read_text(), {n: m for n, m in mutants.items() if m["file"] == file})
        for number, copy in copies:
            first = text.count("\n") + 1
            text += copy
            places |= {(file, line): number for line in range(first, text.count("\n") + 1)}
        write(COPY / file, text)
    return places
