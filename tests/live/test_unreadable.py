"""What a deploying task does when an answer about money cannot be read: unknown is not nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.live_list import LiveListing, UnreadDeployment
from quantconnect_provider.client.odd_values import OddValueReporter
from quantconnect_provider.client.portfolio import Portfolio, read_portfolio
from quantconnect_provider.live.approval.deploy_preview import preview_deployment
from quantconnect_provider.live.brokerages.settings import paper_settings
from quantconnect_provider.live.deploy.carry_over import with_portfolio
from quantconnect_provider.live.deploy.create import create_once
from quantconnect_provider.live.deployment_errors import AlreadyRunningError, DeploymentUncertainError
from quantconnect_provider.live.notes import MemoryNotes
from tests.live.task import PAPER, PROJECT, TIMES, Desk, Kill, KillPoint

OPTION_ID = "SPY 2ZQGWTQ5V7UJQ|SPY R735QTJ8XC9X"
UNREAD = UnreadDeployment(project_id=PROJECT, status="Running", row='{"deployId": null}')
CASH = {"USD": {"symbol": "USD", "amount": 5}}

unreadable_groups = st.one_of(
    st.none(), st.text(), st.integers(), st.booleans(), st.lists(st.integers(), min_size=1, max_size=2)
)


class OddClient:
    """A client whose API answers live/portfolio/read or live/list as given, and the rest as it is."""

    def __init__(self, client: Any, portfolio: Any = None, unread: tuple[UnreadDeployment, ...] = ()) -> None:
        self._client = client
        self._portfolio = portfolio
        self.unread = unread

    def read_portfolio(self, project_id: int) -> Portfolio:
        if self._portfolio is None:
            return self._client.read_portfolio(project_id)
        return read_portfolio(self._portfolio, endpoint="live/portfolio/read", odd=OddValueReporter())

    def list_live(self, project_id: int) -> LiveListing:
        return LiveListing(self._client.list_live(project_id), self.unread)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def redeploy(desk: Desk, client: OddClient, **options: Any) -> Any:
    spec = options.pop("spec", None) or desk.spec()
    notes = options.pop("notes", None) or MemoryNotes()
    return create_once(client, spec, notes, **{**TIMES, "if_running": "redeploy", **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["holdings", "cash"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(group=unreadable_groups)
def test_a_group_of_a_portfolio_that_cannot_be_read_stops_nothing(desk: Desk, name: str, group: Any) -> None:
    if not desk.running():
        desk.sandbox.deploy(PROJECT)
    portfolio = {"cash": CASH, "holdings": {}, name: group}

    with pytest.raises(UnreadableAnswerError, match=r"was not stopped.*Give cash and holdings"):
        redeploy(desk, OddClient(desk.setup, {"portfolio": portfolio}))

    assert [target for target in desk.asked().values() if target] == []
    assert desk.sends("live/create") == 0


def test_a_portfolio_given_by_the_run_is_not_read(desk: Desk) -> None:
    desk.sandbox.deploy(PROJECT)
    given_by_run = with_portfolio(PAPER, cash={"USD": 7}, holdings=[{"symbol": "SPY", "quantity": 1}])

    redeploy(desk, OddClient(desk.setup, {"portfolio": "?"}), spec=desk.spec(brokerage=given_by_run))

    assert desk.sandbox.deployments(PROJECT)[-1]["cash"] == {"USD": 7}


@pytest.mark.parametrize(
    ("key", "row"),
    [
        (OPTION_ID, {"a": 2.5, "q": 3}),
        ("SPY", {"a": 2.5, "q": 3, "symbol": {"value": "SPY 261218C00600000", "id": OPTION_ID}}),
    ],
    ids=["by its key", "by its symbol object"],
)
def test_an_option_is_carried_over_as_the_option(desk: Desk, key: str, row: dict[str, Any]) -> None:
    desk.sandbox.deploy(PROJECT)

    redeploy(desk, OddClient(desk.setup, {"portfolio": {"cash": CASH, "holdings": {key: row}}}))

    [held] = desk.sandbox.deployments(PROJECT)[-1]["request"]["brokerage"]["holdings"]
    assert (held["symbolId"], held["quantity"]) == (OPTION_ID, 3)
    assert held["symbol"] != "SPY"


@pytest.mark.parametrize("if_running", ["fail", "adopt", "redeploy"])
def test_nothing_is_sent_beside_a_deployment_that_cannot_be_read(desk: Desk, if_running: str) -> None:
    running = desk.sandbox.deploy(PROJECT)

    with pytest.raises(AlreadyRunningError, match=r"cannot be read.*may be running.*run again"):
        redeploy(desk, OddClient(desk.setup, unread=(UNREAD,)), if_running=if_running)

    assert desk.asked() == {running: []}
    assert desk.sends("live/create") == 0


def test_what_was_held_survives_a_row_that_cannot_be_read_after_the_stop(desk: Desk) -> None:
    old = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_cash(old, [{"currency": "USD", "amount": 77.5}])
    notes = MemoryNotes()
    with pytest.raises(Kill):
        desk.create(notes, KillPoint("create_live", "before"), if_running="redeploy")
    client = OddClient(desk.setup, unread=(UNREAD,))
    with pytest.raises((AlreadyRunningError, DeploymentUncertainError)):
        redeploy(desk, client, notes=notes)
    client.unread = ()

    desk.until_done(lambda: redeploy(desk, client, notes=notes))

    assert desk.sandbox.deployments(PROJECT)[-1]["cash"] == {"USD": 77.5}


def test_a_request_is_not_written_off_while_a_row_cannot_be_read(desk: Desk) -> None:
    notes = MemoryNotes()
    desk.sandbox.add_fault("live/create", drop=True, when="before")

    with pytest.raises(DeploymentUncertainError):
        redeploy(desk, LateOddClient(desk.setup), notes=notes, certainty_seconds=0.05)

    assert desk.sends("live/create") == 1


class LateOddClient(OddClient):
    """A client whose live/list can be read until live/create is sent."""

    def create_live(self, spec: Any) -> Any:
        self.unread = (UNREAD,)
        return self._client.create_live(spec)


def test_a_plan_refuses_what_cannot_be_read(desk: Desk) -> None:
    with pytest.raises(AlreadyRunningError, match="cannot be read"):
        preview_deployment(
            OddClient(desk.setup, unread=(UNREAD,)),  # type: ignore[arg-type]
            desk.spec(),
            paper_settings(),
            check=True,
        )
