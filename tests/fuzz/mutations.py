"""A mutation as data: short enough for a corpus, exact enough to be replayed; and how to draw one."""

from __future__ import annotations

import json

import msgspec
from hypothesis import strategies as st

from tests.client.odd import NEVER_RIGHT
from tests.fuzz import content_mutations, wire_mutations
from tests.fuzz.answer import Answer


class Mutation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change to the answers of an endpoint.

    :param kind: what is changed: see the tables of ``content_mutations`` and ``wire_mutations``.
    :param at: which value of the document, counted through; too large begins again at the first.
    :param value: what the kind needs besides.
    :param endpoint: the answers of this one only; ``*`` is every one.
    :param nth: which of its answers, from 1; 0 is every one.
    """

    kind: str
    at: int = 0
    value: str = ""
    endpoint: str = "*"
    nth: int = 0

    @property
    def is_content(self) -> bool:
        """Whether the JSON is changed, and not how it travels."""
        return self.kind in content_mutations.CHANGES

    def hits(self, endpoint: str, count: int) -> bool:
        """Whether it changes the *count*-th answer of *endpoint*."""
        return self.endpoint in ("*", endpoint) and self.nth in (0, count)

    def apply(self, answer: Answer, secrets: str, elsewhere: str) -> content_mutations.Path | None:
        """Change *answer*; returns the path of the value that was changed, if one was.

        :param secrets: what the request held, to be sent back in a value.
        :param elsewhere: the address of another host.
        """
        if self.is_content:
            return content_mutations.change_content(answer, self.kind, self.at, self.value, secrets)
        value = self.value.replace("{secrets}", secrets).replace("{elsewhere}", elsewhere)
        wire_mutations.CHANGES[self.kind](answer, value)
        return None


def _json_text(value: object) -> str:
    return f"json:{json.dumps(value)}"


_odd = st.one_of(
    st.sampled_from([f"json:{odd.decode('utf-8', 'replace')}" for odd in NEVER_RIGHT if len(odd) < 200]),
    st.sampled_from(
        [
            "megabytes:1", "deep_list:60", "deep_list:300", "deep_list:900", "deep_list:100000",
            "deep_object:80", "deep_object:900", "wide_object:5000", "wide_list:5000",
            "digits:19", "digits:25", "digits:400", "digits:5000", "secrets:",
            'json:"Sideways"', 'json:"L-other"', 'json:"Running"', 'json:"loading"',
            'json:"a\\nb\\u001b[31m"', "json:false", "json:-5", "json:1e308", 'json:"1e999999999"',
            'json:"\\u202e"', 'json:"../../etc"', 'json:"%s %n"',
        ]
    ),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(-(10**30), 10**30),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=4,
    ).map(_json_text),
)  # fmt: skip
_places = st.integers(0, 5000)
content = st.one_of(
    st.builds(Mutation, kind=st.just("put"), at=_places, value=_odd),
    st.builds(
        Mutation,
        kind=st.sampled_from([kind for kind in content_mutations.CHANGES if kind != "put"]),
        at=_places,
        value=st.sampled_from(["", "X", "\x00"]),
    ),
)
"""Changes to the document."""


def _wire(kind: str, *values: str) -> st.SearchStrategy[Mutation]:
    return st.builds(Mutation, kind=st.just(kind), value=st.sampled_from(values or ("",)))


_fractions = ("0", "0.01", "0.3", "0.5", "0.9", "0.99")
_byte = st.tuples(_places, st.integers(0, 255)).map(lambda change: f"{change[0]},{change[1]}")
_OK = "HTTP/1.1 200 OK\r\n"
wire = st.one_of(
    _wire("status", "201", "204", "301", "302", "304", "307", "400", "401", "403", "404", "408", "429", "500",
          "502", "503", "504", "599", "999"),
    _wire("header", "Retry-After=0", "Retry-After=1e9", "Retry-After=nan", "Retry-After=-inf",
          "Retry-After=Fri, 31 Dec 9999 23:59:59 GMT", "Retry-After=soon", "Date=never",
          "Date=Mon, 01 Jan 0001 00:00:00 +2359", "Set-Cookie=a=b; Path=/", "Connection=close",
          "X=\xff\x00\x1b", "Content-Length=3", "Transfer-Encoding=gzip", "Content-Encoding=nonsense",
          "X-Echo={secrets}"),
    _wire("redirect", *(f"{status} {{elsewhere}}/live/list" for status in (301, 302, 303, 307, 308))),
    _wire("content_type", "text/html", "", "application/json; charset=utf-16", "image/png", "\x00"),
    _wire("cut", *_fractions),
    _wire("break_off", *_fractions),
    _wire("length", "+1", "+100000", "-1", "-40", "abc", "-5x", "1e3", "0", "9" * 20, "3, 3", "3, 4"),
    _wire("no_length"),
    _wire("no_answer"),
    _wire("chunked", "", "zz", "-1", "ffffffffffff", "1", "0"),
    _wire("encoded", "gzip", "deflate", "gzip, gzip", "gzip!", "deflate!", "br!", "zstd!",
          "gzip, " * 20 + "gzip!"),
    _wire("cut_gzip", *_fractions),
    _wire("body", "", " ", "null", "true", "1", '"text"', "[]", "{}", "[[[", "NaN", "{secrets}",
          "<html><body>Sign in</body></html>", '{"errors":["{secrets}"]}', "x" * 280 + "{secrets}",
          "\x00" * 50, '{"success":false,"errors":["' + "long words " * 500 + '"]}', '{"success":"maybe"}',
          '{"success":false,"errors":[' + ",".join(['"word"'] * 1000) + "]}",
          '{"success":false,"errors":["\\u001b[31mred\\r\\n2026-01-01 INFO all is well"]}',
          '{"success":false,"message":{"a":[1,null]},"errors":{"x":"Too many requests"}}',
          '{"success":true,"status":"loading","progress":null}'),
    _wire("prefix", "\xef\xbb\xbf", ")]}',\n", "\x00", "{", "[", "\ufeff"),
    _wire("suffix", "\n", "\x00", "}", "{}", "<!-- -->", "\xff"),
    _wire("codec", "utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7", "cp500"),
    st.builds(
        Mutation, kind=st.just("flip"), value=st.lists(_byte, min_size=1, max_size=4).map(" ".join)
    ),
    _wire("raw", "", "\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n{}",
          "SSH-2.0-OpenSSH\r\n", "\x16\x03\x01\x00\x05", f"{_OK}no colon\r\n\r\n{{}}",
          _OK + "A: b\r\n" * 101 + "\r\n", _OK + "A: " + "x" * 70_000 + "\r\n\r\n",
          f"{_OK}: empty\r\nContent-Length: 2\r\n\r\n{{}}", "HTTP/0.9 {secrets}\r\n", "x" * 100_000,
          "HTTP/1.1 100 Continue\r\n\r\n" * 30 + f"{_OK}Content-Length: 2\r\n\r\n{{}}",
          f"{_OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"),
)  # fmt: skip
"""Changes to how an answer travels that cost no time."""

heavy = st.one_of(
    _wire("bomb", "300"),
    _wire("double_bomb", "300"),
    _wire("page_of", "10:<b>Error</b> ", "2:<script", "2:<", "2:[", '2:{"a":', "10:x", "100:x", "2:\\ud800"),
    _wire("endless", "body"),
)
"""Changes that try to fill the memory or to keep the processor busy."""

slow = st.one_of(_wire("slow", "head", "body"), _wire("endless", "continue", "headers"))
"""Changes that try to keep a request for ever."""
