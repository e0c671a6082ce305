"""The ASGI application: the API under /api/v2, the control verbs under /sandbox."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from quantconnect_provider.sandbox import endpoints as _registered  # noqa: F401 - importing registers them
from quantconnect_provider.sandbox.answers import Answer, ApiError, Download, Params
from quantconnect_provider.sandbox.auth import Credentials
from quantconnect_provider.sandbox.control import LocalVerbs, VerbError, perform
from quantconnect_provider.sandbox.endpoints.registry import ENDPOINTS
from quantconnect_provider.sandbox.exchange import Exchange, Transports
from quantconnect_provider.sandbox.faults import Fault
from quantconnect_provider.sandbox.overlay import lay_over
from quantconnect_provider.sandbox.traffic import LoggedRequest
from quantconnect_provider.sandbox.world import World

log = logging.getLogger(__name__)

API = "/api/v2"
CONTROL = "/sandbox"
LOADING = {"progress": 0.4, "status": "loading", "success": True}
PAGE = b"<html><head><title>%d</title></head><body><center><h1>%d Sandbox</h1></center></body></html>"


class SandboxApp:
    """Serves one world to one account."""

    def __init__(self, world: World, credentials: Credentials) -> None:
        self.world = world
        self._controls = LocalVerbs(world)
        self.transports: Transports = {}
        self.stopping = asyncio.Event()
        self.credentials = credentials

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send, self.transports)
        if exchange.path.startswith(API):
            exchange.skew = self.world.api.clock_skew_seconds
            await self._api(exchange, exchange.path[len(API) :].strip("/"))
        elif exchange.path.startswith(CONTROL):
            await self._control(exchange, exchange.path[len(CONTROL) :].strip("/"))
        else:
            await exchange.answer(PAGE % (404, 404), 404, "text/html")

    # --- control -----------------------------------------------------------------------------------

    async def _control(self, exchange: Exchange, verb: str) -> None:
        try:
            params = await exchange.fields()
            with self.world.lock:
                result = perform(self._controls, verb, params.fields)
        except (VerbError, ApiError) as error:
            await exchange.answer(msgspec.json.encode({"error": str(error)}), 400)
            return
        await exchange.answer(msgspec.json.encode({"result": result}))

    # --- the API -----------------------------------------------------------------------------------

    async def _api(self, exchange: Exchange, endpoint: str) -> None:
        problem = None
        try:
            params = await exchange.fields()
        except ApiError as error:
            params, problem = Params({}), error
        agent = exchange.header(b"user-agent").decode("latin-1")
        entry = self.world.requests.begin(exchange.method, endpoint, params, agent)
        if await self._refused(exchange, entry):
            return
        if self.world.api.latency_seconds:
            await self._pause(self.world.api.latency_seconds)
        struck = self._strike(endpoint, params)
        if await self._befall(exchange, entry, [f for f in struck if f.spec.when == "before"], None):
            return
        status, answer, errors = self._serve(exchange, endpoint, params, problem)
        if await self._befall(exchange, entry, [f for f in struck if f.spec.when == "after"], answer):
            return
        log.info("%s %s%s", endpoint, "error " if errors else "ok", "; ".join(errors))
        self.world.requests.end(entry, "error" if errors else "answered", errors)
        if isinstance(answer, Download):
            await exchange.download(answer)
        else:
            authenticate = [(b"www-authenticate", b"Basic")] if status == 401 else []
            await exchange.answer(answer, status, headers=authenticate)

    def _strike(self, endpoint: str, params: Params) -> list[Fault]:
        if not self.world.faults.active:
            return []
        project_id = str(params.get("projectId"))
        with self.world.lock:
            return self.world.faults.strike(endpoint, int(project_id) if project_id.isdecimal() else None)

    def _serve(self, exchange: Exchange, endpoint: str, params: Params,
               problem: ApiError | None) -> tuple[int, bytes | Download, list[str]]:  # fmt: skip
        """Let the request take effect; status, answer, and the API's errors if it said no."""
        handler = ENDPOINTS.get(endpoint)
        with self.world.lock:
            try:
                self._authenticate(exchange)
            except ApiError as error:
                status = 401 if self.world.api.auth_failure == "http401" else 200
                return status, _refusal(error), error.errors
            if handler is None:
                missing = ApiError(f"Endpoint not found: {endpoint}")
                return 404, _refusal(missing), missing.errors
            try:
                if problem is not None:
                    raise problem
                answer = handler(self.world, params, self.world.tick())
                return 200, _encoded(self._overlaid(endpoint, params, answer)), []
            except ApiError as error:
                return 200, _refusal(error), error.errors

    def _overlaid(self, endpoint: str, params: Params, answer: Answer) -> Answer:
        for overlay in self.world.api.overlays if isinstance(answer, dict) else ():
            project_id = str(params.get("projectId"))
            if overlay.endpoint == endpoint and str(overlay.project_id or project_id) == project_id:
                answer = lay_over(answer, overlay.fields)
        return answer

    def _authenticate(self, exchange: Exchange) -> None:
        headers = exchange.header(b"authorization"), exchange.header(b"timestamp")
        self.credentials.check(*headers, self.world.reference, self.world.api.auth_window_seconds)

    async def _refused(self, exchange: Exchange, entry: LoggedRequest) -> bool:
        """Answer a request that is over the rate limit; False if it is not."""
        limit = self.world.limit
        wait = limit.refuse() if limit is not None else None
        if limit is None or wait is None:
            self.world.requests.let_through()
            return False
        texts = ["Too many requests. Please slow down."]
        log.info("%s refused by the rate limit", entry.endpoint)
        self.world.requests.end(entry, "refused", texts)
        body = _refusal(ApiError(*texts))
        if limit.settings.answer == "text":
            await exchange.answer(body)
            return True
        after = [(b"retry-after", str(int(wait) + 1).encode())] if limit.settings.retry_after else []
        await exchange.answer(body, 429, headers=after)
        return True

    # --- faults --------------------------------------------------------------------------------------

    async def _befall(
        self, exchange: Exchange, entry: LoggedRequest, faults: list[Fault], answer: bytes | Download | None
    ) -> bool:
        """Carry out what strikes at this moment; whether that was the end of the request."""
        for fault in faults:
            spec = fault.spec
            for order in spec.control:
                with self.world.lock:
                    arguments = {name: value for name, value in order.items() if name != "verb"}
                    perform(self._controls, order.get("verb", ""), arguments)
            if spec.delay_seconds:
                await self._pause(spec.delay_seconds)
            if spec.replaces_answer:
                log.info("%s struck by fault %d", entry.endpoint, fault.number)
                await self._misbehave(exchange, entry, fault, answer)
                return True
        return False

    async def _misbehave(
        self, exchange: Exchange, entry: LoggedRequest, fault: Fault, answer: bytes | Download | None
    ) -> None:
        spec, end = fault.spec, self.world.requests.end
        if spec.drop:
            end(entry, "dropped")
            exchange.abort()
        elif spec.hang:
            end(entry, "hung")
            await self._hang(exchange, fault)
        elif spec.truncate:
            end(entry, "truncated")
            await exchange.truncated(_whole(answer))
        elif spec.loading:
            end(entry, "loading")
            await exchange.answer(msgspec.json.encode(LOADING))
        elif spec.errors is not None:
            end(entry, "error", spec.errors)
            await exchange.answer(_refusal(ApiError(*spec.errors)))
        else:
            status = spec.status or 500
            end(entry, f"http_{status}")
            after = (
                [(b"retry-after", f"{spec.retry_after:g}".encode())] if spec.retry_after is not None else []
            )
            body, content_type = _status_body(spec.body, status)
            await exchange.answer(body, status, content_type, after)

    async def _pause(self, seconds: float) -> None:
        """Wait (real time), but not longer than the sandbox lives."""
        if seconds < 0.001:
            return
        waiter = asyncio.ensure_future(self.stopping.wait())
        await asyncio.wait([waiter], timeout=seconds)
        waiter.cancel()

    async def _hang(self, exchange: Exchange, fault: Fault) -> None:
        """Say nothing until the fault is cleared, the client has gone, or the sandbox stops."""
        gone = asyncio.ensure_future(exchange.left())
        while not (gone.done() or fault.cleared or self.stopping.is_set()):
            await asyncio.wait([gone], timeout=0.02)
        gone.cancel()
        exchange.abort()


def _encoded(answer: Answer) -> bytes | Download:
    if isinstance(answer, dict):
        return msgspec.json.encode(lay_over({"errors": [], "success": True}, answer))
    return answer


def _refusal(error: ApiError) -> bytes:
    return msgspec.json.encode({"errors": error.errors, "success": False})


def _whole(answer: bytes | Download | None) -> bytes:
    """Find the body of which a truncated answer is the first half."""
    if isinstance(answer, Download):
        return b"".join(answer.pieces)
    return answer or b'{"success":true,"errors":[]}'


def _status_body(kind: str, status: int) -> tuple[bytes, str]:
    if kind == "empty":
        return b"", "text/html"
    if kind == "json":
        return msgspec.json.encode({"success": False, "errors": [f"HTTP {status}"]}), "application/json"
    return PAGE % (status, status), "text/html"
