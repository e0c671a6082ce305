"""Every fault at every request of a deployment, a redeployment, a stop and a liquidation, then retries.

After each: exactly one deployment exists, it is the one that the task reports, and nothing was asked to
stop that should not.
"""

from __future__ import annotations

from typing import Any

import pytest

from quantconnect_provider.live.notes import MemoryNotes
from quantconnect_provider.live.wind_down.steps import Action
from quantconnect_provider.sandbox import Sandbox
from tests.live.task import PROJECT, Desk, Kill, KillPoint

FAULTS: dict[str, dict[str, Any]] = {
    "dropped-before": {"drop": True, "when": "before"},
    "dropped-after": {"drop": True, "when": "after"},
    "500-before": {"status": 500, "when": "before"},
    "500-after": {"status": 500, "when": "after", "body": "empty"},
    "503-after": {"status": 503, "when": "after", "retry_after": 0},
    "429": {"status": 429, "when": "before", "retry_after": 0},
    "html-after": {"status": 200, "when": "after", "body": "html"},
    "truncated-before": {"truncate": True, "when": "before"},
    "truncated-after": {"truncate": True, "when": "after"},
    "hung-before": {"hang": True, "when": "before"},
    "hung-after": {"hang": True, "when": "after"},
    "loading-after": {"loading": True, "when": "after"},
    "internal-error-text": {"errors": ["Internal Error 21"], "when": "after"},
}
READ_FAULTS = {  # a read has no effect that a fault could come before or after
    name: fault for name, fault in FAULTS.items() if not name.endswith("-before")
}
DEPLOY_REQUESTS = ["live/list", "live/read", "projects/nodes/read", "live/create"]
REDEPLOY_REQUESTS = [
    ("live/list", 1),
    ("live/read", 1),
    ("live/portfolio/read", 1),
    ("live/list", 2),
    ("live/read", 2),
    ("live/update/stop", 1),
    ("live/list", 3),
    ("live/list", 4),
    ("live/read", 3),
    ("projects/nodes/read", 1),
    ("live/create", 1),
]
WIND_DOWN_REQUESTS = ["live/list", "live/read", "live/update/{}", "live/list:2"]
BYSTANDER = PROJECT + 1


def faults_of(endpoint: str) -> list[str]:
    changes_something = endpoint.startswith(("live/create", "live/update"))
    return list(FAULTS if changes_something else READ_FAULTS)


DEPLOY_FAULTS = [(endpoint, fault) for endpoint in DEPLOY_REQUESTS for fault in faults_of(endpoint)]
REDEPLOY_FAULTS = [(*request, fault) for request in REDEPLOY_REQUESTS for fault in faults_of(request[0])]
WIND_DOWN_FAULTS = [(request, fault) for request in WIND_DOWN_REQUESTS for fault in faults_of(request)]

DEPLOY_KILLS = [
    (name, when)
    for name in ("list_live", "read_live", "read_nodes", "note", "create_live")
    for when in ("before", "after")
]
REDEPLOY_KILLS = [
    (name, when, nth)
    for name, nth in (
        ("list_live", 1), ("read_portfolio", 1), ("note", 1), ("note", 2), ("list_live", 2), ("read_live", 2),
        ("note", 3), ("stop_live", 1), ("note", 4), ("list_live", 3), ("note", 5), ("list_live", 4),
        ("read_nodes", 1), ("note", 6), ("create_live", 1), ("note", 7),
    )
    for when in ("before", "after")
]  # fmt: skip
WIND_DOWN_KILLS = [
    (name, when, nth)
    for name, nth in (
        ("list_live", 1), ("read_live", 1), ("note", 1), ("note", 2), ("end", 1), ("note", 3),
        ("list_live", 2), ("note", 4),
    )
    for when in ("before", "after")
]  # fmt: skip


def strike(desk: Desk, endpoint: str, fault: str, nth: int = 1) -> None:
    desk.compiled()
    desk.sandbox.clear_requests()
    if "hung" in fault:
        desk.timeout_seconds = 0.1
    desk.sandbox.add_fault(endpoint, nth=nth, **FAULTS[fault])


def one_deployment(desk: Desk, deploy_id: str) -> None:
    """Nothing but *deploy_id* was ever made for the project, it runs, and it was never asked to stop."""
    assert desk.asked() == {deploy_id: []}
    assert desk.running() == [deploy_id]
    assert desk.asked(BYSTANDER) == {desk.running(BYSTANDER)[0]: []}


def redeployed(desk: Desk, old: str, new: str) -> None:
    """*new* took the place of *old*, which alone was asked to stop."""
    asked = desk.asked()
    assert set(asked) == {old, new}
    assert desk.running() == [new]
    assert asked[new] == []
    assert set(asked[old]) == {"stop"}
    assert desk.asked(BYSTANDER) == {desk.running(BYSTANDER)[0]: []}


@pytest.mark.parametrize(("endpoint", "fault"), DEPLOY_FAULTS)
def test_a_fault_in_a_deploy_leaves_one_deployment(desk: Desk, endpoint: str, fault: str) -> None:
    notes = MemoryNotes()
    strike(desk, endpoint, fault)

    done = desk.until_done(lambda: desk.create(notes))

    one_deployment(desk, done.result.deploy_id)
    assert desk.sandbox.faults()[0]["applied"] == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_unclear_answer_to_create_is_settled_without_sending_again(desk: Desk, when: str) -> None:
    notes = MemoryNotes()
    desk.sandbox.add_fault("live/create", drop=True, when=when)

    done = desk.until_done(lambda: desk.create(notes))

    sends = 2 if when == "before" else 1  # a second one only after it was certain that the first did nothing
    assert desk.sends("live/create") == sends
    assert done.result.how == ("created" if when == "before" else "found")


@pytest.mark.parametrize(("endpoint", "nth", "fault"), REDEPLOY_FAULTS)
def test_a_fault_in_a_redeploy_leaves_the_new_deployment(
    desk: Desk, endpoint: str, nth: int, fault: str
) -> None:
    old = desk.sandbox.deploy(PROJECT)
    notes = MemoryNotes()
    strike(desk, endpoint, fault, nth)

    done = desk.until_done(lambda: desk.create(notes, if_running="redeploy"))

    redeployed(desk, old, done.result.deploy_id)
    assert desk.sandbox.faults()[0]["applied"] == 1


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(("request_", "fault"), WIND_DOWN_FAULTS)
def test_a_fault_in_a_wind_down_ends_the_right_deployment(
    desk: Desk, request_: str, fault: str, action: Action
) -> None:
    target = desk.sandbox.deploy(PROJECT)
    notes = MemoryNotes()
    endpoint, _, nth = request_.format(action.value).partition(":")
    strike(desk, endpoint, fault, int(nth or 1))

    done = desk.until_done(lambda: desk.wind_down(notes, action))

    assert done.result.deploy_id == target
    assert desk.running() == []
    assert set(desk.asked()[target]) == {action.value}
    assert desk.asked(BYSTANDER) == {desk.running(BYSTANDER)[0]: []}


@pytest.mark.parametrize(("name", "when"), DEPLOY_KILLS)
def test_a_worker_killed_in_a_deploy_leaves_one_deployment(desk: Desk, name: str, when: str) -> None:
    notes, point = MemoryNotes(), KillPoint(name, when)

    done = desk.until_done(lambda: desk.create(notes, point))

    assert [type(error) for error in done.errors][:1] == [Kill]
    one_deployment(desk, done.result.deploy_id)


@pytest.mark.parametrize(("name", "when", "nth"), REDEPLOY_KILLS)
def test_a_worker_killed_in_a_redeploy_is_continued(desk: Desk, name: str, when: str, nth: int) -> None:
    old = desk.sandbox.deploy(PROJECT)
    notes, point = MemoryNotes(), KillPoint(name, when, nth)

    done = desk.until_done(lambda: desk.create(notes, point, if_running="redeploy"))

    assert [type(error) for error in done.errors][:1] == [Kill]
    redeployed(desk, old, done.result.deploy_id)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(("name", "when", "nth"), WIND_DOWN_KILLS)
def test_a_worker_killed_in_a_wind_down_is_continued(
    desk: Desk, name: str, when: str, nth: int, action: Action
) -> None:
    target = desk.sandbox.deploy(PROJECT)
    notes = MemoryNotes()
    point = KillPoint(f"{action.value}_live" if name == "end" else name, when, nth)

    done = desk.until_done(lambda: desk.wind_down(notes, action, point))

    assert [type(error) for error in done.errors] == [Kill]
    assert done.result.deploy_id == target
    assert desk.running() == []


@pytest.mark.parametrize("second", [kill for kill in DEPLOY_KILLS if kill[0] in ("note", "create_live")])
@pytest.mark.parametrize("first", [kill for kill in DEPLOY_KILLS if kill[0] in ("note", "create_live")])
def test_two_kills_leave_one_deployment(desk: Desk, first: tuple[str, str], second: tuple[str, str]) -> None:
    notes = MemoryNotes()
    points = iter([KillPoint(*first), KillPoint(*second)])

    done = desk.until_done(lambda: desk.create(notes, next(points, None)))

    one_deployment(desk, done.result.deploy_id)


def test_deployments_are_found_when_they_are_listed_late(desk: Desk, sandbox: Sandbox) -> None:
    sandbox.configure_project(PROJECT, deploy={"listed_after_seconds": 0.3})
    sandbox.add_fault("live/create", drop=True, when="after")
    notes = MemoryNotes()

    done = desk.until_done(lambda: desk.create(notes, certainty_seconds=1.0))

    assert (done.result.how, done.errors) == ("found", [])
    one_deployment(desk, done.result.deploy_id)
