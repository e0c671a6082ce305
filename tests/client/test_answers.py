"""Every shape in which the API has said yes or no, and what becomes of it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from email.utils import format_datetime

import pytest

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.errors import (
    ClockSkewError,
    CredentialsError,
    NeverDeployedError,
    NotFoundError,
    QuantConnectError,
    RateLimitedError,
    RefusedError,
    ServerError,
    UnreadableAnswerError,
)
from tests.client.scripted import Reply, ScriptedServer


def failure(*errors: str, status: int = 200, key: str = "errors") -> Reply:
    value = errors[0] if key == "Message" else list(errors)
    return Reply(body={"success": False, key: value}, status=status)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (failure("Hash doesn't match. Check your token."), CredentialsError),
        (failure("UserID not valid (None) REF #12"), CredentialsError),
        (failure("Invalid timestamp, value received: 0"), CredentialsError),
        (failure("too many failed attempts for this user or ip"), CredentialsError),
        (Reply(status=401, headers={"WWW-Authenticate": "Basic"}), CredentialsError),
        (failure("Something is wrong", key="messages"), RefusedError),
        (failure("Internal Error 21", key="Message"), ServerError),
        (Reply(body={"errors": ["Invalid argument"]}), RefusedError),
        (Reply(body={"success": False}), RefusedError),
        (failure("Project not found"), NotFoundError),
        (failure("No live deployment found for project"), NeverDeployedError),
        (Reply(status=404, body=b"<html>404</html>"), NotFoundError),
        (Reply(status=403, body=b"<html>Forbidden</html>"), RefusedError),
        (failure("Too many requests, please slow down"), RateLimitedError),
        (failure("Too many insights requested"), RefusedError),
        (Reply(status=503, headers={"Retry-After": "0"}), RateLimitedError),
        (Reply(status=503), ServerError),
        (Reply(body=b""), UnreadableAnswerError),
        (Reply(body=[]), UnreadableAnswerError),
        (Reply(body=b'{"success": tr'), UnreadableAnswerError),
    ],
)
def test_each_way_of_saying_no_is_told_apart(
    server: ScriptedServer, client: QuantConnectClient, reply: Reply, error: type[QuantConnectError]
) -> None:
    server.default = lambda asked: reply
    with pytest.raises(error) as raised:
        client.create_compile(5)
    assert type(raised.value) is error
    assert raised.value.endpoint == "compile/create"
    assert "compile/create" in str(raised.value)


def test_credentials_are_never_tried_twice(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.default = lambda asked: failure("Hash doesn't match.")
    with pytest.raises(CredentialsError, match="API token"):
        client.authenticate()
    assert len(server.asked) == 1


@pytest.mark.parametrize("hours", [2.1, -1])
def test_a_refused_signature_with_a_wrong_clock_names_the_clock(
    server: ScriptedServer, client: QuantConnectClient, hours: float
) -> None:
    server.date_header = format_datetime(datetime.now(timezone.utc) + timedelta(hours=hours), usegmt=True)
    server.script(failure("Hash doesn't match."))
    with pytest.raises(ClockSkewError, match=r"clock is [\d,]+ s (behind|ahead of)"):
        client.authenticate()


def test_a_wrong_clock_that_the_api_accepts_is_no_error(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.date_header = format_datetime(datetime.now(timezone.utc) + timedelta(hours=5), usegmt=True)
    client.authenticate()


def test_retry_after_may_be_a_date(server: ScriptedServer, client: QuantConnectClient) -> None:
    until = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=2), usegmt=True)
    server.script(
        Reply(status=429, headers={"Retry-After": until}), Reply(body={"success": True, "live": []})
    )
    started = time.monotonic()
    client.list_live()
    assert time.monotonic() - started > 0.5


def test_an_html_page_is_quoted_in_words(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.default = lambda asked: Reply(body=b"<html><style>x</style><h1>Please sign in</h1></html>")
    with pytest.raises(UnreadableAnswerError, match="Please sign in"):
        client.authenticate()


def test_live_read_is_flat_and_leaves_out_source_code(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(
        Reply(
            body={
                "success": True,
                "deployId": "L-1",
                "status": "Running",
                "launched": "2026-11-20 09:30:00",
                "stopped": None,
                "brokerage": "PaperBrokerage",
                "runtimeStatistics": [],
                "files": [{"name": "main.py", "content": "secret sauce"}],
                "newThing": 1,
            }
        )
    )
    live = client.read_live(5)
    assert (live.project_id, live.deploy_id, live.status) == (5, "L-1", "Running")
    assert str(live.launched_at) == "2026-11-20 09:30:00+00:00"
    assert live.stopped_at is None
    assert live.runtime_statistics == {}
    assert live.extra == {"newThing": 1}


@pytest.mark.parametrize(
    "reply",
    [
        failure("No live deployment found for this project."),
        Reply(body={"success": True, "status": "Undefined"}),
    ],
)
def test_never_deployed_is_known_in_both_forms(
    server: ScriptedServer, client: QuantConnectClient, reply: Reply
) -> None:
    server.script(reply)
    with pytest.raises(NeverDeployedError):
        client.read_live(5)


def test_the_new_deployments_id_is_taken_from_the_top_or_from_below(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    from tests.client.test_request_path import SPEC

    server.script(
        Reply(body={"success": True, "deployId": "L-top", "versionId": 17202, "live": {"deployId": "L-top"}}),
        Reply(body={"success": True, "live": {"deployId": "L-below", "brokerage": "PaperBrokerage"}}),
    )
    assert client.create_live(SPEC).deploy_id == "L-top"
    assert client.create_live(SPEC).deploy_id == "L-below"


def test_a_drifted_field_costs_only_itself(server: ScriptedServer, client: QuantConnectClient) -> None:
    node = {"id": "LN-1", "busy": "true", "hasGpu": 0, "projectId": {"now": "an object"}, "name": 5}
    server.script(Reply(body={"success": True, "nodes": {"live": [node], "backtest": []}}))
    (read,) = client.read_nodes(1).live
    assert (read.id, read.busy, read.has_gpu, read.project_id, read.name) == ("LN-1", True, False, None, "5")


def test_an_answer_without_a_needed_id_is_unreadable(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(Reply(body={"success": True, "live": [{"status": "Running"}]}))
    with pytest.raises(UnreadableAnswerError, match="projectId"):
        client.list_live()


@pytest.mark.parametrize(
    ("holding", "cash"),
    [
        ({"a": 100.5, "q": 0.1, "p": 101, "v": 10.1}, {"symbol": "USD", "amount": 90.25}),
        ({"averagePrice": "100.5", "quantity": "0.1"}, {"amount": "90.25"}),
    ],
)
def test_quantities_keep_their_fractions(
    server: ScriptedServer, client: QuantConnectClient, holding: object, cash: object
) -> None:
    portfolio = {"Holdings": {"BTCUSD 2XR": holding}, "cash": {"USD": cash}}
    server.script(Reply(body={"success": True, "portfolio": portfolio}))
    read = client.read_portfolio(1)
    assert read.holdings["BTCUSD 2XR"].quantity == Decimal("0.1")
    assert read.holdings["BTCUSD 2XR"].average_price == Decimal("100.5")
    assert read.holdings["BTCUSD 2XR"].symbol_id == "BTCUSD 2XR"
    assert (read.cash["USD"].currency, read.cash["USD"].amount) == ("USD", Decimal("90.25"))


def test_an_empty_portfolio_may_come_as_lists(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.script(Reply(body={"success": True, "portfolio": {"holdings": [], "cash": []}}))
    assert client.read_portfolio(1).holdings == {}


@pytest.mark.parametrize("holding", [{"a": 100, "v": 10}, {"q": {}, "v": 10}])
def test_a_holding_whose_quantity_cannot_be_read_does_not_pass_for_none(
    server: ScriptedServer, client: QuantConnectClient, holding: object
) -> None:
    portfolio = {"holdings": {"SPY R735QTJ8XC9X": holding}, "cash": []}
    server.default = lambda asked: Reply(body={"success": True, "portfolio": portfolio})
    with pytest.raises(UnreadableAnswerError, match="'q'"):
        client.read_portfolio(1)


def test_projects_are_found_by_id(server: ScriptedServer, client: QuantConnectClient) -> None:
    projects = {"0": {"projectId": 5, "name": "Alpha", "parameters": []}}
    server.script(
        Reply(body={"success": True, "projects": projects}), Reply(body={"success": True, "projects": []})
    )
    assert client.read_project(5).name == "Alpha"
    with pytest.raises(NotFoundError, match="project 6"):
        client.read_project(6)
