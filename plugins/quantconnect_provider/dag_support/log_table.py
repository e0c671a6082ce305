"""Tables for task logs."""

from __future__ import annotations

import logging
from collections.abc import Sequence


def log_table(log: logging.Logger, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Log *rows* under *heads*, in columns; nothing if there are none."""
    if not rows:
        return
    widths = [max(len(str(row[column])) for row in [heads, *rows]) for column in range(len(heads))]
    for row in [heads, ["-" * width for width in widths], *rows]:
        cells = (str(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
        log.info("%s", "  ".join(cells).rstrip())
