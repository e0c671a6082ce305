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
    client.read_insights(1, 100, 200, "L-1")
    client.read_insights(1, 0, 100)
    assert server.asked[0].body == {"projectId": 1, "algorithmId": "L-1", "start": 100, "end": 200}
    assert server.asked[1].body == {"projectId": 1, "start": 0, "end": 100}


def test_what_is_not_known_or_cannot_be_read_is_kept(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    row = {"id": ID, "mood": "bullish", "magnitude": "n/a", "confidence": "NaN", "closeTime": 9e15}
    server.script(Reply(body={"success": True, "insights": [row]}))
    (insight,) = client.read_insights(1, 0, 100).rows
    assert insight.extra == {"mood": "bullish", "magnitude": "n/a"}
    assert insight.confidence is None
    assert insight.closes_at is not None
    assert insight.closes_at.year == 9999


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


def test_an_export_that_is_refused_says_so(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.script(Reply(body={"success": False, "errors": ["Deployment not found"]}))
    with pytest.raises(NotFoundError, match="Deployment not found"):
        list(client.export_insights("L-1"))
