from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.live.text_values import read_structure


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("[5, 6]", [5, 6]),
        ('["5", "6"]', ["5", "6"]),
        ("['5', '6']", ["5", "6"]),
        ("(5, 6)", [5, 6]),
        ('["\\ud83d\\ude00"]', ["\N{GRINNING FACE}"]),
        ({"a": "\ud83d\ude00"}, {"a": "\N{GRINNING FACE}"}),
        ("{'a': True, 'b': None}", {"a": True, "b": None}),
        ('\n{"a": true, "b": null}\n', {"a": True, "b": None}),
    ],
)
def test_a_list_or_an_object_is_read(text: Any, meaning: Any) -> None:
    assert read_structure(text) == meaning


@pytest.mark.parametrize(
    "value", ["SPY", "", "[5, 6", "{a: 1}", "[open(1)]", None, 5, [5], {"a": Decimal("0.1")}]
)
def test_everything_else_comes_back_as_it_is(value: Any) -> None:
    assert read_structure(value) == value


def test_text_nested_beyond_reason_is_left_alone() -> None:
    assert read_structure("[" * 100_000) == "[" * 100_000


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("[NaN]", r"cash\[0\] is nan"),
        ('{"a": [1, Infinity]}', r"cash\.a\[1\] is inf"),
        ("[1e999]", r"cash\[0\] is inf"),
        ([Decimal("sNaN")], r"cash\[0\] is sNaN"),
        ('["a\\u0000b"]', r"cash\[0\] contains a NUL"),
        ({"a\0": 1}, r"a key of cash contains a NUL"),
        ("a\0b", "cash contains a NUL"),
        ('["\\ud83d"]', r"cash\[0\] contains half a character"),
        ("[" * 500 + "]" * 500, "cash is nested too deeply"),
        ("[" * 70 + "]" * 70, "cash is nested too deeply"),  # what Python itself reads, in every version
        ([{5}], r"cash\[0\] is of the type set"),
        ("[b'5']", r"cash\[0\] is of the type bytes"),
        ("[1j]", r"cash\[0\] is of the type complex"),
    ],
)
def test_what_json_does_not_have_is_refused_by_name(value: Any, place: str) -> None:
    with pytest.raises(InvalidSettingError, match=place):
        read_structure(value, "cash")
