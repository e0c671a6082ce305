"""Tables that the make targets print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(rows: Sequence[Sequence[object]], header: Sequence[str] = ()) -> str:
    """Lay rows out as text in aligned columns, indented by two blanks; a header is underlined."""
    cells = [[str(cell) for cell in row] for row in rows]
    text = tabulate(cells, header, tablefmt="simple" if header else "plain", disable_numparse=True)
    return "\n".join(f"  {line.rstrip()}" for line in text.splitlines())
