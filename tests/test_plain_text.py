from __future__ import annotations

import logging

import pytest

from quantconnect_provider.plain_text import counted, log_table, text_table, visible


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, Größe, 日本, 💥", "plain, Größe, 日本, 💥"),
        ("two\nlines\tand a tab\r\n", "two\nlines\tand a tab\r\n"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]8;;https://example.com\x07click", "\\x1b]8;;https://example.com\\x07click"),
        ("filled\rNOTHING SOLD", "filled\\rNOTHING SOLD"),
        ("\x9b2J\x00\x7f", "\\x9b2J\\x00\\x7f"),
        ("sell\u202eyub", "sell\\u202eyub"),
        ("a\u2028b", "a\\u2028b"),
        ("::endgroup:: ::GROUP::hidden", ":endgroup: :GROUP:hidden"),
    ],
)
def test_text_of_others_colors_moves_hides_and_folds_nothing(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_cell_is_one_line_of_visible_text() -> None:
    assert text_table(["name"], [["Alpha\n\x1b[2KBeta"]]).splitlines()[2] == "Alpha \\x1b[2KBeta"
