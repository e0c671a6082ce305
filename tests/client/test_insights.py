"""Insights in every spelling, one page or a million."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.errors import NotFoundError, UnreadableAnswerError
from tests.client.scripted import Reply, ScriptedServer

ID = "81ff7c1daf404ee39d612df321df5931"
SPELLINGS: dict[str, dict[str, Any]] = {
    "openapi": {
        "id": ID,
        "generatedTime": 1753714506,
        "closeTime": 1756306506,
        "symbol": "SPY R735QTJ8XC9X",
        "ticker": "SPY",
        "type": "price",
        "direction": "up",
        "period": 2592000,
        "reference": 118159.19,
        "referenceFinal": 118160,
        "scoreFinal": True,
        "scoreDirection": 1,
        "estimatedValue": 1113.2484,
        "sourceModel": "Constant",
        "groupId": None,
    },
    "engine": {
        "id": ID.upper(),
        "generatedTime": 1753714506.0,
        "createdTime": 1753714506.0,
        "closeTime": 1756306506.0,
        "symbol": "SPY R735QTJ8XC9X",
        "ticker": "SPY",
        "type": "price",
        "direction": "up",
        "period": 2592000.0,
        "reference": "118159.19",
        "referenceValueFinal": "118160",
        "scoreIsFinal": "true",
        "scoreDirection": "1",
        "estimatedValue": "1113.2484",
        "sourceModel": "Constant",
    },
    "legacy": {
        "id": "81ff7c1d-af40-4ee3-9d61-2df321df5931",
        "generated-time": "1753714506",
        "close-time": "2025-08-27T14:55:06Z",
        "symbol": "SPY R735QTJ8XC9X",
        "ticker": "SPY",
        "type": "price",
        "direction": "up",
        "period": "2592000",
        "reference": "118159.19",
        "reference-final": "118160",
        "score-final": 1,
        "score-direction": "1",
        "estimated-value": "1113.2484",
        "source-model": "Constant",
    },
    "export": {
        "insight_id": ID,
        "generated_time": 1753714506,
        "close_time": 1756306506,
        "symbol_id": "SPY R735QTJ8XC9X",
        "ticker": "SPY",
        "type": "price",
        "direction": "up",
        "period": 2592000,
        "reference": 118159.19,
        "reference_final": 118160,
        "score_final": True,
        "score_direction": 1.0,
        "estimated_value": 1113.2484,
        "source_model": "Constant",
    },
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_all_spellings_mean_the_same(
    server: ScriptedServer, client: QuantConnectClient, spelling: str
) -> None:
    server.script(Reply(body={"success": True, "insights": [SPELLINGS[spelling]], "length": 1}))
    (insight,) = client.read_insights(1, 0, 100, "L-1").rows
    assert insight.insight_id == ID
    assert insight.generated_at == datetime(2025, 7, 28, 14, 55, 6, tzinfo=timezone.utc)
    assert insight.closes_at == datetime(2025, 8, 27, 14, 55, 6, tzinfo=timezone.utc)
    assert (insight.symbol, insight.ticker) == ("SPY R735QTJ8XC9X", "SPY")
    assert (insight.reference_value, insight.reference_value_final) == (118159.19, 118160.0)
    assert insight.score_is_final is True
    assert (insight.score_direction, insight.estimated_value) == (1.0, 1113.2484)
    assert (insight.period_seconds, insight.source_model) == (2592000.0, "Constant")


def test_the_deployment_is_named_in_the_request(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.default = lambda asked: Reply(body={"success": True, "insights": []})
    client.read_insights(1, 100, 200, "L-1")
    client.read_insights(1, 0, 100)
    assert server.asked[0].body == {"projectId": 1, "algorithmId": "L-1", "start": 100, "end": 200}
    assert server.asked[1].body == {"projectId": 1, "start": 0, "end": 100}


def test_what_is_not_known_or_cannot_be_read_is_kept(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    row = {"id": ID, "mood": "bullish", "magnitude": "n/a", "confidence": "NaN", "closeTime": 9e15}
    server.script(Reply(body={"success": True, "insights": [row]}))
    page = client.read_insights(1, 0, 100)
    (insight,) = page.rows
    assert insight is not None
    assert insight.extra == {"mood": "bullish", "magnitude": "n/a", "confidence": "NaN", "closeTime": 9e15}
    assert (insight.magnitude, insight.confidence, insight.closes_at) == (None, None, None)
    assert [odd.field for odd in page.odd_values] == ["magnitude", "confidence", "closeTime"]


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
def test_a_time_is_read_in_the_unit_that_it_can_be_in(
    server: ScriptedServer, client: QuantConnectClient, unit: int
) -> None:
    row = {"id": ID, "generatedTime": 1753714506 * unit, "closeTime": str(1753714506 * unit)}
    server.script(Reply(body={"success": True, "insights": [row]}))
    (insight,) = client.read_insights(1, 0, 100).rows
    assert insight is not None
    expected = datetime(2025, 7, 28, 14, 55, 6, tzinfo=timezone.utc)
    assert (insight.generated_at, insight.closes_at) == (expected, expected)


@pytest.mark.parametrize(
    ("field", "column", "value"),
    [
        ("closeTime", "closes_at", "9999-12-31T23:59:59-05:00"),
        ("generatedTime", "generated_at", "0001-01-01T00:00:00+05:00"),
        ("generatedTime", "generated_at", 10**400),
        ("closeTime", "closes_at", 10**20),
        ("closeTime", "closes_at", True),
        ("magnitude", "magnitude", 10**400),
        ("confidence", "confidence", True),
        ("confidence", "confidence", [0.5]),
        ("sourceModel", "source_model", ["M"]),
        ("tag", "tag", {"a": 1}),
        ("direction", "direction", False),
        ("symbol", "symbol", {"value": "SPY"}),
    ],
)
def test_a_value_that_cannot_be_right_goes_to_extra_and_is_named(
    server: ScriptedServer, client: QuantConnectClient, field: str, column: str, value: Any
) -> None:
    server.script(Reply(body={"success": True, "insights": [{**SPELLINGS["openapi"], field: value}]}))
    page = client.read_insights(1, 0, 100)
    (insight,) = page.rows
    assert insight is not None
    assert getattr(insight, column) is None
    assert insight.extra == {field: value}
    assert [(odd.index, odd.field) for odd in page.odd_values] == [(0, field)]


def test_a_symbol_may_be_an_object(server: ScriptedServer, client: QuantConnectClient) -> None:
    symbol = {"value": "GOOG", "id": "GOOCV VP83T1ZUHROL", "permtick": "GOOG"}
    server.script(Reply(body={"success": True, "insights": [{"id": ID, "symbol": symbol}]}))
    (insight,) = client.read_insights(1, 0, 100).rows
    assert insight is not None
    assert (insight.symbol, insight.ticker, insight.extra) == ("GOOCV VP83T1ZUHROL", "GOOG", {})


@pytest.mark.parametrize("insights", [None, "none", 5, {"id": ID}])
def test_insights_in_an_unknown_shape_are_not_no_insights(
    server: ScriptedServer, client: QuantConnectClient, insights: object
) -> None:
    server.default = lambda asked: Reply(body={"success": True, "insights": insights})
    with pytest.raises(UnreadableAnswerError, match="insights"):
        client.read_insights(1, 0, 100)


@pytest.mark.parametrize("row", [None, 5, "x", {"ticker": "SPY"}, {"id": None}, {"id": 7}, {"id": ""}])
def test_a_row_that_cannot_be_read_keeps_its_place(
    server: ScriptedServer, client: QuantConnectClient, row: object
) -> None:
    server.script(Reply(body={"success": True, "insights": [{"id": ID}, row, {"id": ID}]}))
    page = client.read_insights(1, 0, 100)
    assert [insight and insight.insight_id for insight in page.rows] == [ID, None, ID]
    assert [(odd.index, odd.field) for odd in page.odd_values if not odd.field] == [(1, "")]


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_export_is_read_as_it_arrives(
    server: ScriptedServer, client: QuantConnectClient, wrapped: bool
) -> None:
    rows = [
        {"project_id": 1, "deploy_id": 42, "insight_id": f"{n:032x}", "tag": 'a "quoted" ] tag'}
        for n in range(5000)
    ]
    body = json.dumps({"insights": rows} if wrapped else rows, indent=1).encode()
    server.script(Reply(body=body))
    read = list(client.export_insights("L-1"))
    assert [int(row.insight.insight_id, 16) for row in read] == list(range(5000))
    assert {(row.project_id, row.internal_deploy_id) for row in read} == {(1, 42)}


def test_an_export_leaves_out_only_the_rows_that_cannot_be_read(
    server: ScriptedServer, client: QuantConnectClient, caplog: pytest.LogCaptureFixture
) -> None:
    good = {"project_id": 1, "deploy_id": 42, "insight_id": ID, "confidence": 0.5}
    rows = json.dumps([None, good, {"ticker": "SPY"}, {**good, "tag": "odd"}]).encode()
    odd = b'{"insight_id": "' + b"2" * 32 + b'", "tag": "\xff\\ud800", "magnitude": NaN}'
    server.script(Reply(body=rows[:-1] + b", " + odd + b"]"))
    read = list(client.export_insights("L-1"))
    assert [row.insight.insight_id for row in read] == [ID, ID, "2" * 32]
    assert read[-1].insight.tag == "\ufffd\ufffd"
    assert read[-1].insight.extra == {"magnitude": "NaN"}
    assert "row 0: the row is set aside: None" in caplog.text


def test_an_empty_export_is_empty(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.script(Reply(body=[]))
    assert list(client.export_insights("L-1")) == []


def test_an_export_that_ends_early_is_not_taken_for_whole(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    body = json.dumps([{"insight_id": f"{n:032x}"} for n in range(1000)]).encode()
    server.script(Reply(body=body[:-10]))
    with pytest.raises(UnreadableAnswerError, match="ends before its list does"):
        list(client.export_insights("L-1"))


def test_an_export_without_insights_is_not_read_for_ever(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(Reply(body=[{"insight_id": ID}, *[{"a": 1}] * 10_001]))
    with pytest.raises(UnreadableAnswerError, match="10,001 rows in a row are no insights"):
        list(client.export_insights("L-1"))


def test_an_export_that_is_refused_says_so(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.script(Reply(body={"success": False, "errors": ["Deployment not found"]}))
    with pytest.raises(NotFoundError, match="Deployment not found"):
        list(client.export_insights("L-1"))
