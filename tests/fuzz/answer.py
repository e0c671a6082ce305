"""An HTTP answer as the mutations change it: what is sent, in which pieces, and how slowly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate

JSON = "application/json"


@dataclass
class Answer:
    """An answer before it is sent.

    :param raw: replaces the whole answer, byte for byte, the status line included.
    :param promised: the Content-Length, where it is not that of the body.
    :param sent: how many bytes of the body are sent before the connection is closed; None: all.
    :param pause_seconds: between the bytes of the part that trickles; 0 sends at once.
    :param trickles: ``head`` or ``body``: what comes byte by byte.
    :param close: end the connection after the answer.
    """

    body: bytes
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    content_type: str = JSON
    raw: Iterable[bytes] | None = None
    promised: str | None = ""
    sent: int | None = None
    pause_seconds: float = 0.0
    trickles: str = ""
    close: bool = False

    def pieces(self) -> Iterator[bytes]:
        """What goes over the wire, in pieces that are sent at once."""
        if self.raw is not None:
            yield from self.raw
            return
        head, body = self._head(), self.body[: self.sent]
        if not self.trickles:
            yield head + body
            return
        if self.trickles == "body":
            yield head
        trickling = head if self.trickles == "head" else body
        for place in range(len(trickling)):
            yield trickling[place : place + 1]

    def _head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Whatever", f"Content-Type: {self.content_type}"]
        names = {name.lower() for name, _ in self.headers}
        if "date" not in names:
            lines.append(f"Date: {formatdate(usegmt=True)}")
        if self.promised is not None:
            lines.append(f"Content-Length: {self.promised or len(self.body)}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
