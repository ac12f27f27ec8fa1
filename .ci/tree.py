"""A copy of the working tree under target/, to break."""
import pathlib, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def git(*arguments):
    """The names that a git command prints, each ended by a zero."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(2)
    return done.stdout.split("\0")[:-1]


def write(path, text):
    """Leaves a file that is right already as it is, so that cargo builds nothing again for it."""
    data = text if isinstance(text, bytes) else text.encode()
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def copy_tree(copy):
    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    wanted = {name for name in names if (ROOT / name).is_file()}
    for name in wanted:
        write(copy / name, (ROOT / name).read_bytes())
    for path in copy.rglob("*"):
        if path.is_file() and str(path.relative_to(copy)) not in wanted:
            path.unlink()
