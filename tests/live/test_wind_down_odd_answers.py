"""Odd answers of live/list: one row that cannot be read must not keep a deployment from being stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from quantconnect_provider.client import QuantConnectClient, RetrySettings
from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.live.notes import MemoryNotes
from quantconnect_provider.live.polling import Polling
from quantconnect_provider.live.wind_down.holdings import conclude, holdings_left
from quantconnect_provider.live.wind_down.steps import Action, Step, WindDown
from tests.client.scripted import Asked, Reply, ScriptedServer

PROJECT = 7
POLLING = Polling(interval_seconds=0.01)
GOOD = {"projectId": PROJECT, "deployId": "L-good", "status": "Running"}


class Api(ScriptedServer):
    """One project with one deployment, which ends when it is asked to; live/list answers *listed*."""

    def __init__(self, listed: Any) -> None:
        super().__init__()
        self.status = "Running"
        self.listed = listed
        self.default = self.answer

    def answer(self, asked: Asked) -> Reply:
        endpoint = asked.path.split("/api/v2/")[-1]
        if endpoint in ("live/update/stop", "live/update/liquidate"):
            self.status = "Stopped"
        if endpoint == "live/list":
            text = json.dumps({"success": True, "live": self.listed}).replace('"Running"', f'"{self.status}"')
            return Reply(body=text.encode())
        if endpoint == "live/read":
            return Reply(body={"success": True, **GOOD, "status": self.status})
        return Reply()

    def sends(self, endpoint: str) -> int:
        return sum(asked.path.endswith(endpoint) for asked in self.asked)


@pytest.fixture
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    made = Api(request.param)
    yield made
    made.close()


def stop(api: Api) -> Step:
    with QuantConnectClient(1, "token", api.base_url, retry=RetrySettings(attempts=1)) as client:
        wind_down = WindDown(client, PROJECT, Action.STOP, MemoryNotes(), polling=POLLING)
        return wind_down.run(POLLING.clock() + 5.0)


ODD_ROWS: dict[str, Any] = {
    "null": None,
    "text": "row",
    "list": [1],
    "empty": {},
    "without ids": {"status": "Running"},
    "ids of other types": {"projectId": {}, "deployId": [], "status": "Running"},
    "garbage of another project": {"projectId": 8, "deployId": None, "status": 5, "launched": "no time"},
    "garbage of this project": {"projectId": PROJECT, "deployId": None, "status": []},
}


@pytest.mark.parametrize(
    "api",
    [*([row, GOOD] for row in ODD_ROWS.values()), *([GOOD, row] for row in ODD_ROWS.values())],
    ids=[*(f"{name}, first" for name in ODD_ROWS), *(f"{name}, last" for name in ODD_ROWS)],
    indirect=True,
)
def test_a_stop_is_sent_although_a_row_cannot_be_read(api: Api) -> None:
    step = stop(api)

    assert (step.deploy_id, step.status, step.already_over) == ("L-good", "Stopped", False)
    assert api.sends("live/update/stop") == 1


@pytest.mark.parametrize("api", [list(ODD_ROWS.values()), "no list", {"0": GOOD}], indirect=True)
def test_a_stop_is_sent_although_live_list_shows_nothing_readable(api: Api) -> None:
    assert stop(api).status == "Stopped"
    assert api.sends("live/update/stop") == 1


@pytest.mark.parametrize("api", ["no list"], indirect=True)
def test_a_deployment_that_is_over_does_not_pass_for_the_only_one_while_the_list_is_unreadable(
    api: Api,
) -> None:
    api.status = "Stopped"

    with pytest.raises(QuantConnectError, match="live/list"):
        stop(api)


@pytest.mark.parametrize("api", [[GOOD]], indirect=True)
def test_the_end_is_seen_although_live_list_breaks_after_the_send(api: Api) -> None:
    notes = MemoryNotes()
    with QuantConnectClient(1, "token", api.base_url, retry=RetrySettings(attempts=1)) as client:
        WindDown(client, PROJECT, Action.STOP, notes, polling=POLLING).step()
        api.listed = "no list"
        step = WindDown(client, PROJECT, Action.STOP, notes, polling=POLLING).run(POLLING.clock() + 5.0)

    assert (step.status, step.already_over) == ("Stopped", False)
    assert api.sends("live/update/stop") == 1


@pytest.mark.parametrize(
    "api",
    [[{**GOOD, "status": "Stopped"}, {"projectId": PROJECT, "deployId": None, "status": "Brewing"}]],
    indirect=True,
)
def test_what_is_over_is_reported_with_the_row_that_may_be_another_deployment(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    api.status = "Stopped"

    assert stop(api).already_over
    assert "may be another deployment: {'projectId': 7, 'deployId': None, 'status': 'Brewing'}" in caplog.text


@pytest.mark.parametrize("api", [[{**GOOD, "status": "RuntimeError"}]], indirect=True)
def test_a_runtime_error_of_unknown_time_is_told_to_end_because_it_may_restart(api: Api) -> None:
    api.status = "RuntimeError"

    assert stop(api).over
    assert api.sends("live/update/stop") == 1


UNKNOWN_PORTFOLIOS: list[Any] = [
    {"portfolio": None},
    {"portfolio": "empty"},
    {"portfolio": {"holdings": None, "cash": {}}},
    {"portfolio": {"holdings": "none", "cash": {}}},
    {"portfolio": {"holdings": [{"q": 5}], "cash": {}}},
    {"portfolio": {"positions": {"SPY R735QTJ8XC9X": {"q": 5}}}},
]


@pytest.mark.parametrize("api", [[GOOD]], indirect=True)
@pytest.mark.parametrize("answer", UNKNOWN_PORTFOLIOS, ids=str)
def test_a_portfolio_of_unknown_shape_could_not_be_read(api: Api, answer: dict[str, Any]) -> None:
    api.default = lambda asked: Reply(body={"success": True, **answer})
    step = Step(PROJECT, "L-good", "Liquidated", over=True)

    with QuantConnectClient(1, "token", api.base_url, retry=RetrySettings(attempts=1)) as client:
        result = conclude(client, step, Action.LIQUIDATE, flat_deadline=0.0, polling=POLLING)

    assert result.flat is None
    assert "Holdings left: could not be read." in str(result)


@pytest.mark.parametrize("api", [[GOOD]], indirect=True)
def test_holdings_left_name_the_instrument(api: Api) -> None:
    held = {"FB V6OIPNZEM8V9": {"symbol": {"value": "META", "id": "FB V6OIPNZEM8V9"}, "q": 2}}
    api.default = lambda asked: Reply(body={"success": True, "portfolio": {"holdings": held, "cash": {}}})

    with QuantConnectClient(1, "token", api.base_url, retry=RetrySettings(attempts=1)) as client:
        [left] = holdings_left(client, PROJECT)

    assert str(left) == "2 META (FB V6OIPNZEM8V9)"
