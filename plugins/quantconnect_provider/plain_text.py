"""Plain text for people: counted nouns, and tables for task logs with aligned columns."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from tabulate import tabulate


def counted(count: int, noun: str) -> str:
    """Return e.g. ``1 project``, ``1,200 projects``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def text_table(
    heads: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Collection[str] = ()
) -> str:
    """Return *rows* under *heads* in aligned columns; each cell on one line.

    :param numbers: the heads of columns that are aligned to the right.
    """
    cells = [[" ".join(str(cell).split()) for cell in row] for row in rows]
    sides = ["right" if head in numbers else "left" for head in heads]
    # disable_numparse: an id like 1e5 or 0012 must stay as it is.
    text = tabulate(cells, heads, tablefmt="simple", disable_numparse=True, colalign=sides if cells else None)
    return "\n".join(line.rstrip() for line in text.splitlines())


def log_table(
    log: logging.Logger,
    heads: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    numbers: Collection[str] = (),
) -> None:
    """Log `text_table`, one line a record; nothing if there are no rows."""
    if rows:
        for line in text_table(heads, rows, numbers=numbers).splitlines():
            log.info("%s", line)
