"""docs/safety.md promises a test for each row: it has to exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "safety.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and "test_" in line]


def named_tests(row: str) -> list[tuple[str, str]]:
    """File and function of each test that a row names; a name without a file is in the file before."""
    named, file = [], ""
    for given, function in re.findall(r"`(test_\w+\.py)?::(test_\w+)`", row):
        file = given or file
        named.append((file, function))
    return named


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:60])
def test_each_row_names_tests_that_exist(row: str) -> None:
    named = named_tests(row)

    assert named
    for file, function in named:
        assert f"def {function}(" in (HERE / file).read_text(encoding="utf-8")


def test_each_row_names_a_test() -> None:
    table = PAGE.split("| What happens if")[1].split("\n\n")[0].splitlines()[2:]

    assert [row for row in table if "test_" not in row and row.strip()] == []
