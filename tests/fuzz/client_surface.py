"""Every public method of the client, against answers that were recorded from the sandbox and then changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any

from quantconnect_provider.client import LiveSpec, QuantConnectClient, RetrySettings, Throttle
from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.sandbox import Sandbox
from tests.fuzz.case import Case
from tests.fuzz.checks import PASSWORD, TOKEN, assert_sound, assert_typed, checked_lines
from tests.fuzz.proxy import MutatingProxy, Recorded, SandboxUpstream
from tests.live.task import NoSpacing

PROJECT = 7
FREE_PROJECT = 8
TIMEOUT_SECONDS = 0.3
LONGEST_CASE_SECONDS = 20.0
_ROWS = 2000  # of what never ends, enough
_PIECES = 200
ORGANIZATION = "5cad178b20a1d52567b534553413b691"
SPEC = LiveSpec(
    project_id=PROJECT,
    compile_id="c-1",
    node_id="LN-1",
    brokerage={"id": "InteractiveBrokersBrokerage", "ib-user-name": "trader", "ib-password": PASSWORD},
)
SCENARIO: dict[str, Any] = {
    "clock": {"speed": 0},
    "nodes": {"live": [{"name": "one", "id": "LN-1"}, {"name": "two", "id": "LN-2"}]},
    "projects": [
        {
            "name": "Alpha",
            "id": PROJECT,
            "build": {"polls": 0},
            "cash": [{"currency": "USD", "amount": 1000.0}],
            "deployments": [
                {
                    "status": "Stopped",
                    "insights": {"history": {"count": 3}},
                    "orders": {"history": {"count": 3}},
                },
                {
                    "status": "Running",
                    "node": "one",
                    "insights": {"history": {"count": 5}},
                    "orders": {"history": {"count": 6}},
                },
            ],
        },
        {"name": "Beta", "id": FREE_PROJECT, "build": {"polls": 0}},
    ],
}

CALLS: dict[str, Callable[[QuantConnectClient, str], Any]] = {
    "authenticate": lambda client, _: client.authenticate(),
    "read_project": lambda client, _: client.read_project(PROJECT),
    "list_projects": lambda client, _: client.list_projects(),
    "read_nodes": lambda client, _: client.read_nodes(PROJECT),
    "create_compile": lambda client, _: client.create_compile(PROJECT),
    "read_compile": lambda client, _: client.read_compile(PROJECT, "c-1"),
    "create_live": lambda client, _: client.create_live(SPEC),
    "read_live": lambda client, _: client.read_live(PROJECT),
    "list_live": lambda client, _: client.list_live(),
    "stop_live": lambda client, _: client.stop_live(PROJECT),
    "liquidate_live": lambda client, _: client.liquidate_live(PROJECT),
    "read_insights": lambda client, deploy_id: client.read_insights(PROJECT, 0, 100, deploy_id),
    "export_insights": lambda client, deploy_id: list(islice(client.export_insights(deploy_id), _ROWS)),
    "read_portfolio": lambda client, _: client.read_portfolio(PROJECT),
    "read_orders": lambda client, _: client.read_orders(PROJECT, 0, 100),
    "read_trades": lambda client, _: client.read_trades(PROJECT, 0, 100),
    "read_chart": lambda client, _: client.read_chart(PROJECT, "Strategy Equity", 50, 0, 2_000_000_000),
    "read_live_logs": lambda client, deploy_id: client.read_live_logs(PROJECT, deploy_id, 0, 250),
    "read_backtest_insights": lambda client, _: client.read_backtest_insights(PROJECT, "b-1", 0, 100),
    "create_command": lambda client, _: client.create_command(PROJECT, {"a": 1}),
    "broadcast_command": lambda client, _: client.broadcast_command({"a": 1}, organization_id=ORGANIZATION),
    "export_orders": lambda client, _: _size(client.export_orders(PROJECT)),
    "export_trades": lambda client, _: _size(client.export_trades(PROJECT)),
    "export_logs": lambda client, deploy_id: _size(client.export_logs(PROJECT, deploy_id)),
}
SENT_ONCE = {"create_live", "stop_live", "liquidate_live", "create_command", "broadcast_command"}


def _size(pieces: Iterator[bytes]) -> int:
    return sum(len(piece) for piece in islice(pieces, _PIECES))


class ClientSurface:
    """One call of the client for each case."""

    calls = tuple(CALLS)

    def __init__(self, proxy: MutatingProxy, elsewhere: MutatingProxy, deploy_id: str) -> None:
        self.proxy = proxy
        self.elsewhere = elsewhere
        self.deploy_id = deploy_id

    def run(self, case: Case) -> str:
        """Run one case: see :class:`~tests.fuzz.case.Surface`."""
        call = case.call
        self.proxy.plan(case.mutations)
        began = time.monotonic()
        with checked_lines(), new_client(self.proxy.base_url) as client:
            try:
                result = CALLS[call](client, self.deploy_id)
            except QuantConnectError as error:
                assert_typed(error)
                outcome = type(error).__name__
            except Exception as error:
                raise AssertionError(f"{call} raised {type(error).__name__}: {str(error)[:300]}") from error
            else:
                assert_sound(result)
                outcome = "result"
        seconds = time.monotonic() - began
        assert seconds < LONGEST_CASE_SECONDS, f"{call} took {seconds:.1f} s"
        sent = sum(self.proxy.asked.values())
        assert sent <= (1 if call in SENT_ONCE else 2), f"{call} was sent {sent} times"
        assert not self.elsewhere.asked, f"{call} followed a redirect to another host"
        return outcome


def new_client(base_url: str) -> QuantConnectClient:
    """A client that repeats once, at once."""
    once_more = RetrySettings(
        attempts=2, first_wait_seconds=0, longest_wait_seconds=0, rate_limited_seconds=0, loading_seconds=0
    )
    return QuantConnectClient(
        1,
        TOKEN,
        base_url,
        timeout_seconds=TIMEOUT_SECONDS,
        retry=once_more,
        throttle=Throttle(slots=NoSpacing()),
    )


@contextmanager
def client_surface() -> Iterator[ClientSurface]:
    """The surface, with an answer of the sandbox for every call."""
    recorded = Recorded()
    with Sandbox(SCENARIO, api_token=TOKEN) as sandbox:
        deploy_id = sandbox.deployments(PROJECT)[-1]["deploy_id"]
        with (
            closing(SandboxUpstream(sandbox)) as upstream,
            MutatingProxy(recorded.recording(upstream)) as recorder,
        ):
            _record(recorder.base_url, deploy_id)
    # The sandbox has no backtests; their insights look the same.
    recorded.answers["backtests/insights/read"] = recorded.answers["live/insights/read"]
    with MutatingProxy(recorded) as elsewhere, MutatingProxy(recorded, elsewhere.base_url) as proxy:
        yield ClientSurface(proxy, elsewhere, deploy_id)


def _record(base_url: str, deploy_id: str) -> None:
    with new_client(base_url) as client:
        for name in sorted(CALLS.keys() - SENT_ONCE - {"read_compile", "read_backtest_insights"}):
            CALLS[name](client, deploy_id)
        build = client.create_compile(FREE_PROJECT)
        client.read_compile(FREE_PROJECT, build.compile_id)
        client.create_live(
            LiveSpec(FREE_PROJECT, build.compile_id, "LN-2", {"id": "QuantConnectBrokerage"}),
        )
        for name in sorted(SENT_ONCE - {"create_live"}):
            CALLS[name](client, deploy_id)
