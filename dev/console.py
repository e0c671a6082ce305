"""What the make targets print, and how they end when something is wrong. Standard library only."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def say(text: str = "") -> None:
    """Print one line at once, also when the output goes to a pipe."""
    print(text, flush=True)


def fail(message: str) -> NoReturn:
    """End the program with status 1 and one clear message on standard error."""
    sys.stdout.flush()
    print(f"\nerror: {message}", file=sys.stderr, flush=True)
    sys.exit(1)


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


def table(rows: Sequence[Sequence[object]], header: Sequence[str] | None = None) -> str:
    """Lay rows out as text with aligned columns; an optional header is underlined.

    Every row has as many cells as the header, or as the first row.
    """
    cells = [[str(cell) for cell in row] for row in rows]
    if header is not None:
        cells.insert(0, [str(cell) for cell in header])
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    if header is not None:
        cells.insert(1, ["-" * width for width in widths])
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(f"  {line.rstrip()}" for line in lines)
