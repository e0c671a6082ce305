"""What the make targets print."""

from __future__ import annotations

from dev.tables import table


def test_columns_are_aligned_under_their_header() -> None:
    assert table([["a", 100], ["long", 1]], ["id", "rows"]) == (
        "  id    rows\n"
        "  ----  ------\n"
        "  a     100\n"
        "  long  1"
    )  # fmt: skip
