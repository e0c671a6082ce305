"""Changes to how an answer travels: status, headers, length, encoding, speed, and what is no HTTP at all."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache

from tests.fuzz.answer import Answer

_TRICKLE_SECONDS = 0.02
_BOMB_BLOCK = 1 << 20


@lru_cache(maxsize=8)
def gzip_bomb(megabytes: int, begins: bytes = b'{"success":true,"x":"') -> bytes:
    """A gzip file of about a thousandth of what it holds."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    parts = [packer.compress(begins)]
    parts += [packer.compress(b"x" * _BOMB_BLOCK) for _ in range(megabytes)]
    return b"".join([*parts, packer.compress(b'"}'), packer.flush()])


@lru_cache(maxsize=8)
def _page(megabytes: int, unit: str) -> bytes:
    return (unit * (megabytes * 1_000_000 // len(unit) + 1)).encode()


def _status(answer: Answer, value: str) -> None:
    answer.status = int(value)


def _header(answer: Answer, value: str) -> None:
    name, _, content = value.partition("=")
    answer.headers.append((name, content))


def _redirect(answer: Answer, value: str) -> None:
    status, _, target = value.partition(" ")
    answer.status = int(status)
    answer.headers.append(("Location", target))


def _content_type(answer: Answer, value: str) -> None:
    answer.content_type = value


def _cut(answer: Answer, value: str) -> None:
    """End the JSON early, with a Content-Length that agrees."""
    answer.body = answer.body[: int(len(answer.body) * float(value))]


def _break_off(answer: Answer, value: str) -> None:
    answer.sent, answer.close = int(len(answer.body) * float(value)), True


def _length(answer: Answer, value: str) -> None:
    """Lie about Content-Length: ``+5`` and ``-5`` are relative, anything else stands there as it is."""
    if value[:1] in ("+", "-") and value[1:].isdigit():
        answer.promised = str(max(0, len(answer.body) + int(value)))
    else:
        answer.promised = value
    answer.close = True


def _no_length(answer: Answer, value: str) -> None:
    answer.promised, answer.close = None, True


def _drop(answer: Answer, value: str) -> None:
    answer.raw, answer.close = [], True


def _chunked(answer: Answer, value: str) -> None:
    """Send in chunks; *value* is what stands where the length of the second one should."""
    answer.promised = None
    answer.headers.append(("Transfer-Encoding", "chunked"))
    half = len(answer.body) // 2
    first, second = answer.body[:half], answer.body[half:]
    length = value or f"{len(second):x}"
    answer.body = b"%x\r\n%s\r\n%s\r\n%s\r\n0\r\n\r\n" % (len(first), first, length.encode(), second)
    answer.close = bool(value)


def _encoded(answer: Answer, value: str) -> None:
    """Compress as Content-Encoding says (``gzip``), or only say so (``gzip!``)."""
    name = value.rstrip("!")
    if not value.endswith("!"):
        for step in name.split(", "):
            packed = zlib.compress(answer.body) if step == "deflate" else gzip.compress(answer.body)
            answer.body = packed
    answer.headers.append(("Content-Encoding", name))


def _cut_gzip(answer: Answer, value: str) -> None:
    packed = gzip.compress(answer.body)
    answer.body = packed[: int(len(packed) * float(value))]
    answer.headers.append(("Content-Encoding", "gzip"))


def _bomb(answer: Answer, value: str) -> None:
    answer.body = gzip_bomb(int(value))
    answer.headers.append(("Content-Encoding", "gzip"))


def _double_bomb(answer: Answer, value: str) -> None:
    answer.body = gzip.compress(gzip_bomb(int(value)))
    answer.headers.append(("Content-Encoding", "gzip, gzip"))


def _page_of(answer: Answer, value: str) -> None:
    """Answer with megabytes of the same words: ``10:<b>Error</b>``."""
    megabytes, _, unit = value.partition(":")
    answer.body, answer.content_type = _page(int(megabytes), unit), "text/html"


def _body(answer: Answer, value: str) -> None:
    answer.body = value.encode("utf-8", "surrogatepass")


def _prefix(answer: Answer, value: str) -> None:
    answer.body = value.encode("latin-1", "replace") + answer.body


def _suffix(answer: Answer, value: str) -> None:
    answer.body += value.encode("latin-1", "replace")


def _codec(answer: Answer, value: str) -> None:
    answer.body = answer.body.decode("utf-8", "replace").encode(value, "replace")


def _flip(answer: Answer, value: str) -> None:
    """Change single bytes: ``place,byte place,byte``."""
    body = bytearray(answer.body)
    for change in value.split():
        place, _, byte = change.partition(",")
        if body:
            body[int(place) % len(body)] = int(byte)
    answer.body = bytes(body)


def _raw(answer: Answer, value: str) -> None:
    answer.raw, answer.close = [value.encode("latin-1", "replace")], True


def _slow(answer: Answer, value: str) -> None:
    answer.trickles, answer.pause_seconds, answer.close = value, _TRICKLE_SECONDS, True


def _endless(answer: Answer, value: str) -> None:
    """Send the same bytes for ever: before the head (``100``), as headers, or as the body."""

    def pieces() -> Iterator[bytes]:
        if value != "continue":
            yield b"HTTP/1.1 200 OK\r\n"
        if value == "body":
            yield b'Content-Type: application/json\r\n\r\n{"success":true,"live":['
        unit = {
            "continue": b"HTTP/1.1 100 Continue\r\n\r\n" * 100,
            "headers": b"X-Odd: " + b"x" * 1000 + b"\r\n",
            "body": b'{"a": 1},' * 4000,
        }[value]
        while True:
            yield unit

    answer.raw, answer.close = pieces(), True


CHANGES: dict[str, Callable[[Answer, str], None]] = {
    "status": _status,
    "header": _header,
    "redirect": _redirect,
    "content_type": _content_type,
    "cut": _cut,
    "break_off": _break_off,
    "length": _length,
    "no_length": _no_length,
    "no_answer": _drop,
    "chunked": _chunked,
    "encoded": _encoded,
    "cut_gzip": _cut_gzip,
    "bomb": _bomb,
    "double_bomb": _double_bomb,
    "page_of": _page_of,
    "body": _body,
    "prefix": _prefix,
    "suffix": _suffix,
    "codec": _codec,
    "flip": _flip,
    "raw": _raw,
    "slow": _slow,
    "endless": _endless,
}
