from __future__ import annotations

import logging

import pytest

from quantconnect_provider.plain_text import counted, log_table, text_table


def test_columns_are_aligned_and_values_stay_as_they_are() -> None:
    assert text_table(
        ("id", "count", "why"), [("1e5", "1,000", "first\nsecond"), ("007", "5", "")], numbers=["count"]
    ) == ("id      count  why\n----  -------  ------------\n1e5     1,000  first second\n007         5")


def test_a_table_is_logged_one_line_a_record(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    log_table(logging.getLogger("table"), ("id", "name"), [("1", "Alpha")])
    assert [record.getMessage() for record in caplog.records] == ["id    name", "----  ------", "1     Alpha"]


def test_an_empty_table_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    log_table(logging.getLogger("table"), ("id", "name"), [])
    assert caplog.records == []


@pytest.mark.parametrize(("count", "words"), [(0, "0 projects"), (1, "1 project"), (1200, "1,200 projects")])
def test_one_is_singular(count: int, words: str) -> None:
    assert counted(count, "project") == words
