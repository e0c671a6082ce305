"""The API as the benchmarks need it: a process that answers as fast as Python can.

Insights follow from their number, so a million of them take no memory. :class:`benchmarks.api.Api` starts it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

_MIX = 0x9E3779B97F4A7C15F39CC0605CEDC835
_FIRST = datetime(2025, 1, 1, tzinfo=timezone.utc).timestamp()
_ROW = (
    '{"id":"%032x","groupId":null,"sourceModel":"ConstantAlphaModel(Price,Up,30.00:00:00,0.1,0.2)",'
    '"generatedTime":%d,"closeTime":%d,"symbol":"SPY R735QTJ8XC9X","ticker":"SPY","type":"price",'
    '"reference":%d.25,"referenceFinal":%d.75,"direction":"up","period":3600,"magnitude":0.1,'
    '"confidence":0.5,"weight":null,"scoreFinal":%s,"scoreDirection":0.5,"scoreMagnitude":0.25,'
    '"estimatedValue":1113.2484,"tag":null}'
)


class Settings:
    """What the benchmark asked for, and what happened since."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.deployments: list[str] = given["deployments"]
        self.count: int = given["count"]
        self.open_from: int = given["open_from"]
        self.latency: float = given["latency"]
        self.per_minute: int | None = given["per_minute"]
        self.arrivals: list[float] = []
        self.refused = 0
        self.window: list[float] = []


@lru_cache(maxsize=4)
def _seed(deploy_id: str) -> int:
    return int(deploy_id.removeprefix("L-"), 16)


def _rows(deploy_id: str, start: int, end: int, open_from: int) -> str:
    seed = _seed(deploy_id)
    rows = []
    for number in range(start, end):
        generated = _FIRST + number * 30
        closes, final = (generated + 3600, "true") if number < open_from else (generated + 10**8, "false")
        key = (number * _MIX + seed) % (1 << 128)
        rows.append(_ROW % (key, generated, closes, 400 + number % 50, 401 + number % 50, final))
    return ",".join(rows)


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests one after another."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer when a whole request is here."""
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        path = head.split(b" ", 2)[1].decode()
        body = json.loads(rest[:length]) if length else {}
        self._answer(path, body)

    def _answer(self, path: str, body: dict[str, Any]) -> None:
        settings = self._settings
        if path.startswith("/bench/"):
            self._control(path, body)
            return
        now = time.monotonic()
        settings.arrivals.append(now)
        if settings.per_minute is not None:
            settings.window = [one for one in settings.window if one > now - 60.0]
            if len(settings.window) >= settings.per_minute:
                settings.refused += 1
                wait = settings.window[0] + 60.0 - now
                self._send(429, '{"success":false,"errors":["Too many requests"]}', wait)
                return
            settings.window.append(now)
        answer = self._page(body) if path.endswith("/insights/read") else self._list()
        if settings.latency:
            asyncio.get_running_loop().call_later(settings.latency, self._send, 200, answer)
        else:
            self._send(200, answer)

    def _page(self, body: dict[str, Any]) -> str:
        count = self._settings.count
        end = min(body["end"], count)
        rows = _rows(body["algorithmId"], body["start"], end, self._settings.open_from)
        return f'{{"insights":[{rows}],"length":{count},"success":true}}'

    def _list(self) -> str:
        rows = [
            {
                "projectId": 1000 + number,
                "deployId": deploy_id,
                "status": "Running",
                "launched": "2025-01-01 00:00:00",
                "stopped": None,
                "brokerage": "PaperBrokerage",
            }
            for number, deploy_id in enumerate(self._settings.deployments)
        ]
        return json.dumps({"live": rows, "success": True})

    def _control(self, path: str, body: dict[str, Any]) -> None:
        settings = self._settings
        if path.endswith("/set"):
            for name, value in body.items():
                setattr(settings, name, value)
            settings.arrivals, settings.refused, settings.window = [], 0, []
        self._send(200, json.dumps({"arrivals": settings.arrivals, "refused": settings.refused}))

    def _send(self, status: int, text: str, retry_after: float | None = None) -> None:
        payload = text.encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n"
        if retry_after is not None:
            head += f"Retry-After: {max(1, round(retry_after + 0.5))}\r\n"
        self._transport.write(head.encode() + b"\r\n" + payload)  # type: ignore[attr-defined]


async def _serve(settings: Settings) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Connection(settings), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(Settings(json.loads(sys.argv[1]))))
