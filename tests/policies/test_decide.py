"""Which events are acted on, and that no sequence of cycles, crashes and clock changes acts twice."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantconnect_provider.client.status import RESTART_GRACE_SECONDS
from quantconnect_provider.policies.cycle import guard_events
from quantconnect_provider.policies.decide import Step, decide
from quantconnect_provider.policies.policy import Alert, AnyPolicy, Liquidate, Policies, Redeploy, Stop
from quantconnect_provider.store import Store
from quantconnect_provider.store.event_actions import Candidate, Claim, PastAction
from quantconnect_provider.store.events import CRITICAL, DIED, DRAWDOWN, Problem, open_events, resolve_events
from quantconnect_provider.store.schema import deployments
from quantconnect_provider.store.watch_tables import events

NOON = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def died(number: int = 1, **fields: Any) -> Candidate:
    known = {"brokerage": "PaperBrokerage", "newest_deploy_id": f"L-{number}", "opened_at": NOON, **fields}
    return Candidate(f"L-{number}-died-1", 7, f"L-{number}", DIED, **known)


def drawn_down(**fields: Any) -> Candidate:
    known = {"newest_deploy_id": "L-1", "opened_at": NOON, **fields}
    return Candidate("L-1-drawdown-1", 7, "L-1", DRAWDOWN, **known)


def redeploy(**fields: Any) -> Redeploy:
    return Redeploy(**{"event": DIED, "projects": "all", "deploy": {}, "backoff_seconds": 600, **fields})


def redeployed(*times: datetime, project_id: int = 7) -> list[PastAction]:
    return [
        PastAction(f"L-{n}-died-1", project_id, f"L-{n}", "redeploy", at) for n, at in enumerate(times, 90)
    ]


def step(
    event: Candidate, policy: AnyPolicy, history: list[PastAction] | None = None, now: datetime = NOON + HOUR
) -> tuple[Step, str]:
    [decision] = decide([event], history or [], Policies((policy,)), now)
    return decision.step, decision.reason


def test_without_a_policy_or_with_an_alert_nothing_is_done() -> None:
    assert decide([died()], [], Policies(), NOON + HOUR) == []
    assert decide([died()], [], Policies((Alert(event=DIED, projects="all"),)), NOON + HOUR) == []
    assert decide([died()], [], Policies((Stop(event=DRAWDOWN, projects="all"),)), NOON + HOUR) == []
    assert decide([died()], [], Policies((redeploy(projects=[8]),)), NOON + HOUR) == []


@pytest.mark.parametrize(
    ("before", "due"),
    [
        ([], NOON + 10 * MINUTE),
        ([NOON - HOUR], NOON + 20 * MINUTE),
        ([NOON - 2 * HOUR, NOON - HOUR], NOON + 40 * MINUTE),
        ([NOON + HOUR], NOON + HOUR + 20 * MINUTE),  # the clock was set back since
        ([NOON - 2 * DAY, NOON - DAY], NOON + 10 * MINUTE),  # outside of the window
    ],
)
def test_each_redeploy_within_the_window_waits_longer(before: list[datetime], due: datetime) -> None:
    history = redeployed(*before)
    assert step(died(), redeploy(), history, due - timedelta(seconds=1))[0] is Step.WAIT
    assert step(died(), redeploy(), history, due)[0] is Step.ACT


def test_the_wait_ends_with_the_window() -> None:
    policy = redeploy(at_most=100, backoff_factor=10, window_hours=1)
    history = redeployed(*[NOON - n * timedelta(seconds=1) for n in range(90)])
    assert step(died(), policy, history, NOON + HOUR)[0] is Step.ACT


def test_by_default_no_redeploy_comes_while_quantconnect_may_restart_the_deployment_itself() -> None:
    policy = Redeploy(event=DIED, projects="all", deploy={})
    still = NOON + timedelta(seconds=RESTART_GRACE_SECONDS - 1)
    assert step(died(), policy, now=still)[0] is Step.WAIT


def test_redeploys_are_used_up_for_good() -> None:
    history = redeployed(NOON - 3 * HOUR, NOON - 2 * HOUR, NOON - HOUR)
    for later in (HOUR, DAY, 400 * DAY):
        assert step(died(), redeploy(), history, NOON + later) == (
            Step.LEAVE,
            "it was redeployed 3 times within 24 hours",
        )
    others = redeployed(NOON, NOON, NOON, project_id=8)
    assert step(died(), redeploy(), others)[0] is Step.ACT


def test_only_the_newest_deployment_of_a_project_counts() -> None:
    wound_down = step(drawn_down(newest_deploy_id="L-2"), Stop(event=DRAWDOWN, projects="all"))
    assert wound_down == (Step.LEAVE, "the project's newest deployment is L-2")
    assert step(died(newest_deploy_id=None), redeploy())[0] is Step.LEAVE


@pytest.mark.parametrize(
    ("brokerage", "conn_id", "acts"),
    [
        ("PaperBrokerage", None, True),
        ("QuantConnectBrokerage", None, True),
        ("InteractiveBrokersBrokerage", "ib", True),
        ("InteractiveBrokersBrokerage", None, False),
        ("PaperBrokerage", "ib", False),
        (None, None, False),
        (None, "ib", False),
    ],
)
def test_paper_and_real_money_are_never_exchanged(
    brokerage: str | None, conn_id: str | None, acts: bool
) -> None:
    deploy = {"brokerage_conn_id": conn_id} if conn_id else {}
    found, reason = step(died(brokerage=brokerage), redeploy(deploy=deploy))
    assert (found is Step.ACT) == acts, reason


@pytest.mark.parametrize(
    ("drawdown", "limit", "expected"),
    [
        (0.25, 0.2, Step.ACT),
        (0.2, 0.2, Step.ACT),
        (0.19, 0.2, Step.WAIT),
        (None, 0.2, Step.WAIT),
        (None, None, Step.ACT),
    ],
)
def test_a_drawdown_is_acted_on_from_the_limit_on(
    drawdown: float | None, limit: float | None, expected: Step
) -> None:
    assert (
        step(drawn_down(drawdown=drawdown), Liquidate(event=DRAWDOWN, projects=[7], limit=limit))[0]
        is expected
    )


def test_a_deployment_is_wound_down_once() -> None:
    before = [PastAction("L-1-drawdown-0", 7, "L-1", "liquidate", NOON)]
    stop = Stop(event=DRAWDOWN, projects="all")
    assert step(drawn_down(), stop, before)[0] is Step.LEAVE
    assert step(drawn_down(), stop, [PastAction("L-0-drawdown-1", 7, "L-0", "stop", NOON)])[0] is Step.ACT


def test_a_claim_without_a_run_is_completed_unless_the_policy_has_changed() -> None:
    claimed = died(action="redeploy", acted_at=NOON + HOUR)
    assert step(claimed, redeploy(at_most=1), redeployed(NOON))[0] is Step.AGAIN
    assert step(died(action="stop", acted_at=NOON), redeploy())[0] is Step.LEAVE
    assert decide([claimed], [], Policies(), NOON + DAY) == []


AT_MOST, WINDOW_HOURS = 2, 5


class World:
    """A project whose deployments die, and guards that act on it; runs of Airflow are a set of events."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOON
        self.deployed = 0
        self.runs: dict[str, datetime] = {}
        self.policies = Policies(
            (redeploy(at_most=AT_MOST, window_hours=WINDOW_HOURS), Stop(event=DRAWDOWN, projects="all"))
        )
        with store.engine.begin() as connection:
            connection.execute(events.delete())
            connection.execute(deployments.delete())
        self.deploy()

    def deploy(self) -> None:
        self.deployed += 1
        row = {"deploy_id": f"L-{self.deployed}", "project_id": 7, "brokerage": "PaperBrokerage"}
        at = NOON + self.deployed * timedelta(seconds=1)
        with self.store.engine.begin() as connection:
            connection.execute(deployments.insert().values(**row, launched_at=at, observed_at=at))

    def happens(self, kind: str) -> None:
        open_events(self.store, [Problem(7, f"L-{self.deployed}", kind, CRITICAL, "It is.")], self.now)

    def ends(self, kind: str) -> None:
        resolve_events(self.store, [(f"L-{self.deployed}", kind)], self.now)

    def passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    def keeps_dying(self, times: int) -> None:
        for _ in range(times):
            self.happens(DIED)
            self.passes(10)
            self.guard()

    def guard(self, *, crashes: bool = False, twice: bool = False) -> None:
        for _ in range(1 + twice):
            found = guard_events(self.store, self.policies, self.now, self.find_run)
            for each in [] if crashes else found:
                event_id = each.event.event_id
                if (
                    each.step in (Step.ACT, Step.AGAIN) and event_id not in self.runs
                ):  # Airflow refuses a second
                    self.runs[event_id] = self.now
                    if each.policy.action == "redeploy":
                        self.deploy()

    def find_run(self, claim: Claim) -> str | None:
        return f"guard__{claim.event_id}" if claim.event_id in self.runs else None


OPERATIONS = st.one_of(
    st.tuples(st.just("happens"), st.sampled_from([DIED, DIED, DRAWDOWN])),
    st.tuples(st.just("keeps_dying"), st.integers(1, 6)),
    st.tuples(st.just("ends"), st.sampled_from([DIED, DRAWDOWN])),
    st.tuples(st.just("passes"), st.sampled_from([10, 30, 120, 600])),
    st.tuples(st.just("guard"), st.sampled_from([{}, {}, {"crashes": True}, {"twice": True}])),
)
BACK = st.tuples(st.just("passes"), st.sampled_from([-30, -10_000, 1_000_000]))


def play(store: Store, operations: list[tuple[str, Any]]) -> World:
    world = World(store)
    for name, argument in operations:
        method = getattr(world, name)
        method(**argument) if isinstance(argument, dict) else method(argument)
    return world


def claims(store: Store) -> dict[str, tuple[str, datetime]]:
    with store.read() as connection:
        rows = connection.execute(events.select().where(events.c.acted_at.is_not(None)))
        return {row.event_id: (row.action, row.acted_at) for row in rows}


@given(operations=st.lists(OPERATIONS, max_size=25))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_redeploys_keep_to_the_number_and_the_waits(store: Store, operations: list[tuple[str, Any]]) -> None:
    world = play(store, operations)
    made = claims(store)
    assert set(world.runs) <= set(made)
    times = sorted(at for action, at in made.values() if action == "redeploy")
    for first, beyond in zip(times, times[AT_MOST:], strict=False):
        assert beyond - first >= WINDOW_HOURS * HOUR
    assert all(later - earlier >= 10 * MINUTE for earlier, later in pairwise(times))
    wound_down = [
        event_id.rpartition("-drawdown-")[0] for event_id, (action, _) in made.items() if action == "stop"
    ]
    assert len(wound_down) == len(set(wound_down))


@given(operations=st.lists(st.one_of(OPERATIONS, BACK), max_size=25))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_clock_that_jumps_never_acts_twice_on_one_event(
    store: Store, operations: list[tuple[str, Any]]
) -> None:
    before: dict[str, tuple[str, datetime]] = {}
    world = World(store)
    for name, argument in operations:
        method = getattr(world, name)
        method(**argument) if isinstance(argument, dict) else method(argument)
        now = claims(store)
        assert now.items() >= before.items()  # a claim is never made again
        before = now
    assert set(world.runs) <= set(before)


@pytest.mark.parametrize("kind", [DIED, DRAWDOWN])
def test_a_guard_that_dies_after_its_claim_is_completed_by_the_next(store: Store, kind: str) -> None:
    world = play(store, [("happens", kind), ("passes", 10), ("guard", {"crashes": True}), ("passes", 30)])
    assert world.runs == {}
    claimed = claims(store)
    world.guard(twice=True)
    assert list(world.runs) == [f"L-1-{kind}-1"]
    assert claims(store) == claimed
    world.runs.clear()  # the run is deleted later: that is no reason to act again
    world.guard()
    assert world.runs == {}
