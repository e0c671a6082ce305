"""What the make targets print, and how they end when something is wrong. Standard library only."""

from __future__ import annotations

import io
import sys
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# A console that takes no UTF-8 shows \\xf6 for what it cannot write, and ends no program.
for _stream in (sys.stdout, sys.stderr):
    if isinstance(_stream, io.TextIOWrapper):
        _stream.reconfigure(errors="backslashreplace")


def say(text: str = "") -> None:
    """Print one line at once, also when the output goes to a pipe."""
    print(text, flush=True)


def fail(message: str) -> NoReturn:
    """End the program with status 1 and one clear message on standard error."""
    sys.stdout.flush()
    print(f"\nerror: {message}", file=sys.stderr, flush=True)
    sys.exit(1)


def must_be_writable(folder: Path, advice: str) -> None:
    """Make a folder where there is none; end the program unless files can be made in it.

    :param advice: what to do about it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        fail(f"{folder} cannot be written to ({problem.strerror}).\n  {advice}")


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print `text`, run the block, print how many seconds it took; an exception leaves the line open."""
    print(f"{text} ...", end="", flush=True)
    started = time.monotonic()
    yield
    print(f" {time.monotonic() - started:.0f} s", flush=True)


def tail(path: Path, lines: int = 25) -> str:
    """Read the last lines of a text file; a note stands for a file that is not there."""
    if not path.is_file():
        return f"(no {path.name})"
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
