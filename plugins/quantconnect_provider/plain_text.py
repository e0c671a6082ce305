"""Plain text for people: what others wrote made visible, counted nouns, tables with aligned columns."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Sequence

from tabulate import tabulate

# Control characters (a terminal obeys some), and those that change the direction of a text or break its line.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\r(?!\n)"
)
_GROUP = re.compile("::((?:end)?group)::", re.IGNORECASE)


def visible(text: str) -> str:
    """Return the text of others as a log may hold it: it colors, moves, hides and folds nothing.

    Control characters and changes of direction are written as Python escapes; line breaks and tabs stay.
    Airflow folds a log between ``::group::`` and ``::endgroup::``: those lose a colon on each side.
    """
    shown = _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return _GROUP.sub(r":\1:", shown)


def counted(count: int, noun: str) -> str:
    """Return e.g. ``1 project``, ``1,200 projects``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def text_table(
    heads: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Collection[str] = ()
) -> str:
    """Return *rows* under *heads* in aligned columns; each cell on one line.

    :param numbers: the heads of columns that are aligned to the right.
    """
    cells = [[visible(" ".join(str(cell).split())) for cell in row] for row in rows]
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
