"""One odd value costs its own field or row, and nothing unknown passes for nothing: any field, any value."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantconnect_provider.client import QuantConnectClient, RetrySettings
from quantconnect_provider.client.errors import NeverDeployedError, QuantConnectError, UnreadableAnswerError
from quantconnect_provider.client.insights import Insight
from quantconnect_provider.client.status import PHASES, Phase, phase_of
from tests.client.odd import NEVER_RIGHT, odd_values, with_odd_value
from tests.client.scripted import Reply, ScriptedServer

TestFunction = TypeVar("TestFunction", bound=Callable[..., None])
SUMMARY = {
    "projectId": 5,
    "deployId": "L-odd",
    "status": "Running",
    "launched": "2025-08-07 20:00:00",
    "stopped": None,
    "brokerage": "PaperBrokerage",
    "equity": 100.5,
    "error": "",
    "projectName": "Alpha",
}
LISTING = {
    "success": True,
    "live": [{**SUMMARY, "deployId": "L-1"}, SUMMARY, {**SUMMARY, "deployId": "L-3"}],
}
READ = {
    "success": True,
    **SUMMARY,
    "message": "",
    "runtimeStatistics": {"Equity": "$1"},
    "deploymentDetails": {},
}
INSIGHT = {
    "id": "81ff7c1daf404ee39d612df321df5931",
    "groupId": None,
    "sourceModel": "M",
    "generatedTime": 1753714506.25,
    "closeTime": 1753800906,
    "symbol": "SPY R735QTJ8XC9X",
    "ticker": "SPY",
    "type": "price",
    "direction": "up",
    "period": 86400,
    "magnitude": 0.1,
    "confidence": 0.5,
    "weight": None,
    "reference": 1.5,
    "referenceFinal": 2,
    "scoreFinal": False,
    "scoreDirection": 0,
    "scoreMagnitude": 0,
    "estimatedValue": 0,
    "tag": "",
}
INSIGHTS = {
    "success": True,
    "length": 3,
    "insights": [{**INSIGHT, "id": "1" * 32}, INSIGHT, {**INSIGHT, "id": "3" * 32}],
}
PORTFOLIO = {
    "success": True,
    "portfolio": {
        "holdings": {
            "SPY R735QTJ8XC9X": {"a": 100.5, "q": 10, "p": 101, "v": 1010},
            "BTCUSD 2XR": {"a": 1, "q": 0.5, "p": 2, "v": 1, "u": 0.5, "up": 1, "c": "$", "r": 1},
        },
        "cash": {"USD": {"symbol": "USD", "amount": 90.25, "valueInAccountCurrency": 90.25}},
    },
}
NODE = {
    "id": "LN-odd",
    "name": "n",
    "sku": "L-MICRO",
    "busy": False,
    "active": True,
    "hasGpu": 0,
    "projectId": 5,
}
NODES = {
    "success": True,
    "nodes": {"live": [{**NODE, "id": "LN-1"}, NODE], "backtest": [], "research": []},
}


def property_of_500(*strategies: Any) -> Callable[[TestFunction], TestFunction]:
    def decorate(function: TestFunction) -> TestFunction:
        tried = given(*strategies)(function)
        return settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])(tried)

    return decorate


@pytest.fixture(scope="module")
def api() -> Iterator[tuple[ScriptedServer, QuantConnectClient]]:
    server = ScriptedServer()
    once = RetrySettings(attempts=1)
    with QuantConnectClient(7, "canary-token-0000", server.base_url, retry=once) as client:
        yield server, client
    server.close()


@contextmanager
def answering(api: tuple[ScriptedServer, QuantConnectClient], reply: Reply) -> Iterator[QuantConnectClient]:
    server, client = api
    server.default = lambda asked: reply
    yield client


@property_of_500(st.sampled_from([*SUMMARY, "row"]), odd_values)
def test_live_list_shows_every_other_row_and_says_which_it_could_not_read(
    api: Any, field: str, odd: bytes
) -> None:
    path = ("live", 1) if field == "row" else ("live", 1, field)
    with answering(api, with_odd_value(LISTING, path, odd)) as client:
        listing = client.list_live()
    ids = [row.deploy_id for row in listing]
    assert [ids[0], ids[-1]] == ["L-1", "L-3"]
    assert all(ids)
    assert len(ids) + len(listing.unread) == 3
    if field not in ("row", "projectId", "deployId"):
        odd_row = listing[1]
        assert odd_row.deploy_id == "L-odd"
        assert odd_row.launched_at is None or 1971 <= odd_row.launched_at.year < 2200
        assert odd_row.equity is None or math.isfinite(odd_row.equity)
        assert isinstance(odd_row.status, str)
    if field == "deployId" and listing.unread:
        assert listing.may_hide(5)
        assert not listing.may_hide(6)


@property_of_500(st.sampled_from([*SUMMARY, "message", "runtimeStatistics", "deploymentDetails"]), odd_values)
def test_live_read_tells_a_deployment_or_that_it_cannot(api: Any, field: str, odd: bytes) -> None:
    with answering(api, with_odd_value(READ, (field,), odd)) as client:
        try:
            live = client.read_live(5)
        except UnreadableAnswerError:
            assert field == "deployId"
            return
        except NeverDeployedError:
            raise AssertionError("an odd value passed for a project that was never deployed") from None
        except QuantConnectError:
            assert field in ("error", "message", "status")  # words of a failure, or "loading"
            return
    assert live.deploy_id
    assert live.project_id == 5
    assert isinstance(live.runtime_statistics, dict)
    if field not in ("stopped", "status", "launched"):
        assert phase_of(live.status, live.stopped_at, live.launched_at) is Phase.RUNNING
    if field == "status" and live.status not in PHASES:
        assert phase_of(live.status, live.stopped_at).may_trade


@pytest.mark.parametrize("odd", NEVER_RIGHT)
def test_a_stop_time_that_cannot_be_right_does_not_end_a_deployment(api: Any, odd: bytes) -> None:
    with answering(api, with_odd_value(READ, ("stopped",), odd)) as client:
        live = client.read_live(5)
    assert phase_of(live.status, live.stopped_at, live.launched_at) is Phase.RUNNING


@property_of_500(st.sampled_from([*INSIGHT, "row"]), odd_values)
def test_an_insight_loses_no_more_than_the_odd_field(api: Any, field: str, odd: bytes) -> None:
    path = ("insights", 1) if field == "row" else ("insights", 1, field)
    with answering(api, with_odd_value(INSIGHTS, path, odd)) as client:
        page = client.read_insights(5, 0, 100)
    first, odd_row, last = page.rows
    assert first is not None
    assert last is not None
    assert (first.insight_id, last.insight_id) == ("1" * 32, "3" * 32)
    if odd_row is None:
        assert field in ("row", "id")
        assert [(value.index, value.field) for value in page.odd_values] == [(1, "")]
        return
    assert_typed(odd_row)
    if field not in ("row", "id"):
        assert odd_row.insight_id == INSIGHT["id"]
        untouched = {"symbol": "SPY R735QTJ8XC9X", "confidence": 0.5, "source_model": "M", "direction": "up"}
        lost = [name for name, value in untouched.items() if getattr(odd_row, name) != value]
        assert len(lost) <= 1
    for value in page.odd_values:
        assert value.field in odd_row.extra
        assert len(value.value) <= 100


def assert_typed(insight: Insight) -> None:
    for name in ("generated_at", "closes_at"):
        time = getattr(insight, name)
        assert time is None or (isinstance(time, datetime) and 1971 <= time.year < 2200)
    for name in ("magnitude", "confidence", "weight", "reference_value", "period_seconds", "estimated_value"):
        number = getattr(insight, name)
        assert number is None or (type(number) is float and math.isfinite(number))
    for name in ("symbol", "ticker", "direction", "insight_type", "source_model", "group_id", "tag"):
        text = getattr(insight, name)
        assert text is None or type(text) is str
        (text or "").encode()
    assert insight.score_is_final in (True, False, None)


@property_of_500(
    st.sampled_from(
        [
            ("portfolio",),
            ("portfolio", "holdings"),
            ("portfolio", "cash"),
            ("portfolio", "holdings", "BTCUSD 2XR"),
            ("portfolio", "cash", "USD"),
            *[("portfolio", "holdings", "BTCUSD 2XR", key) for key in ("a", "q", "p", "v", "c", "r")],
            ("portfolio", "cash", "USD", "amount"),
        ]
    ),
    odd_values,
)
def test_a_portfolio_is_read_whole_or_not_at_all(api: Any, path: tuple[str, ...], odd: bytes) -> None:
    with answering(api, with_odd_value(PORTFOLIO, path, odd)) as client:
        try:
            portfolio = client.read_portfolio(5)
        except UnreadableAnswerError:
            return
    if path != ("portfolio", "holdings") or odd not in (b"[]", b"{}"):
        assert set(portfolio.holdings) >= {"SPY R735QTJ8XC9X", "BTCUSD 2XR"}
        assert portfolio.holdings["SPY R735QTJ8XC9X"].quantity == 10
    if path != ("portfolio", "cash") or odd not in (b"[]", b"{}"):
        assert set(portfolio.cash) >= {"USD"}
    for holding in portfolio.holdings.values():
        assert isinstance(holding.quantity, Decimal)
        assert holding.quantity.is_finite()
        assert holding.average_price.is_finite()


@property_of_500(st.sampled_from([*NODE, "row"]), odd_values)
def test_a_node_is_free_only_if_it_says_so(api: Any, field: str, odd: bytes) -> None:
    path = ("nodes", "live", 1) if field == "row" else ("nodes", "live", 1, field)
    with answering(api, with_odd_value(NODES, path, odd)) as client:
        live = client.read_nodes(5).live
    assert (live[0].id, live[0].busy, live[0].active) == ("LN-1", False, True)
    clear = (b"true", b"false", b"0", b"1", b'"0"', b'"1"', b'"true"', b'"false"')
    if field == "busy" and odd not in clear:
        assert live[1].busy
    if field == "active" and odd not in clear:
        assert not live[1].active
