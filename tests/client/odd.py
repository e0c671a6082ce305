"""Values that cannot be right, as bytes of JSON or nearly JSON, and responses that hold one of them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.client.scripted import Reply

NEVER_RIGHT = [
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"1" + b"0" * 400, b"9" * 5000, b"-1", b"1e300",
    b'"\\ud800"', b'"\\udfff tail"', b'"\xff\xfe"', b'"NaN"', b'"soon"', b'"a\x00b"', b'"\\u0000"',
    b'"Infinity"',
    b"[]", b"[1]", b'["x"]', b"{}", b'{"a": 1}', b"[[[]]]", b"true", b"false", b'""', b'" "', b"null",
    b"1753714506250000000000", b"253402300800", b"100000000000000000000", b'"9999-12-31T23:59:59-05:00"',
    b'"0001-01-01T00:00:00+05:00"', b'"0001-01-01T00:00:00"', b'"1970-01-01 00:00:00"', b"0", b"0.0", b'"0"',
    b'"' + b"x" * 5000 + b'"', b'"12:30"', b'"now"', b"1.5",
]  # fmt: skip
"""None of these is a time of a live deployment."""

odd_values = st.one_of(
    st.sampled_from(NEVER_RIGHT),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(-(10**30), 10**30),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    ).map(lambda value: json.dumps(value).encode()),
)
_MARK = "odd value"


def with_odd_value(response: dict[str, Any], path: tuple[str | int, ...], odd: bytes) -> Reply:
    """Return *response* with the value at *path* replaced by *odd*, byte for byte."""
    copy = json.loads(json.dumps(response))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = _MARK
    return Reply(body=json.dumps(copy).encode().replace(f'"{_MARK}"'.encode(), odd))
