from __future__ import annotations

from typing import Any

import pytest

from quantconnect_provider.client import LiveDeployment, LiveSummary
from quantconnect_provider.client.errors import (
    NeverDeployedError,
    NotFoundError,
    QuantConnectError,
    ServerError,
    UnreadableAnswerError,
)
from quantconnect_provider.client.live_list import LiveListing
from quantconnect_provider.live.observation import observe_deployment, observe_project
from tests.live.task import PROJECT, Desk


class Api:
    """A client with given answers to live/list and live/read."""

    def __init__(self, rows: list[LiveSummary], newest: LiveDeployment | None) -> None:
        self.rows, self.newest = rows, newest

    def list_live(self, project_id: int) -> LiveListing:
        return LiveListing(self.rows)

    def read_live(self, project_id: int) -> LiveDeployment:
        if self.newest is None:
            raise NeverDeployedError("never")
        return self.newest


def row(deploy_id: str, status: str, project_id: int = PROJECT, **fields: Any) -> LiveSummary:
    return LiveSummary(project_id=project_id, deploy_id=deploy_id, status=status, **fields)


def newest(deploy_id: str, status: str) -> LiveDeployment:
    return LiveDeployment(deploy_id=deploy_id, status=status)


def test_live_read_has_the_last_word_about_the_newest_deployment() -> None:
    observed = observe_project(Api([row("L-1", "Running")], newest("L-1", "Stopped")), PROJECT)

    assert observed.active == []


def test_a_deployment_that_only_live_read_shows_counts() -> None:
    observed = observe_project(Api([], newest("L-1", "InQueue")), PROJECT)

    assert [entry.deploy_id for entry in observed.active] == ["L-1"]
    assert observed.current_id == "L-1"


def test_an_old_row_with_an_odd_status_does_not_block_a_project_for_ever() -> None:
    rows = [row("L-1", "Hibernating"), row("L-2", "Stopped")]
    observed = observe_project(Api(rows, newest("L-2", "Stopped")), PROJECT)

    assert observed.active == []


def test_an_older_row_that_runs_counts_beside_the_newest() -> None:
    rows = [row("L-1", "Running"), row("L-2", "Stopped")]
    observed = observe_project(Api(rows, newest("L-2", "Stopped")), PROJECT)

    assert [entry.deploy_id for entry in observed.active] == ["L-1"]


def test_rows_of_other_projects_are_not_this_project_s() -> None:
    observed = observe_project(Api([row("L-9", "Running", project_id=9)], None), PROJECT)

    assert (observed.seen, observed.current) == ({}, None)


def test_a_project_that_was_never_live_has_no_deployments(desk: Desk) -> None:
    observed = observe_project(desk.setup, PROJECT)

    assert (observed.active, observed.current) == ([], None)


def test_a_project_that_does_not_exist_is_an_error(desk: Desk) -> None:
    with pytest.raises(NotFoundError, match="999"):
        observe_project(desk.setup, 999)


def test_one_deployment_is_found_by_its_id(desk: Desk) -> None:
    first = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_status(first, "Stopped")
    desk.sandbox.deploy(PROJECT)

    seen = observe_deployment(desk.setup, PROJECT, first)

    assert seen is not None
    assert (seen.deploy_id, seen.status) == (first, "Stopped")
    assert observe_deployment(desk.setup, PROJECT, "L-unknown") is None


class ListAway(Api):
    """A client whose live/list cannot be used; live/read answers, or fails as well."""

    def __init__(self, newest: LiveDeployment | None, read_error: QuantConnectError | None = None) -> None:
        super().__init__([], newest)
        self.read_error = read_error

    def list_live(self, project_id: int) -> LiveListing:
        raise UnreadableAnswerError("live/list cannot be read.")

    def read_live(self, project_id: int) -> LiveDeployment:
        if self.read_error is not None:
            raise self.read_error
        return super().read_live(project_id)


def test_one_deployment_is_found_in_live_read_while_live_list_cannot_be_read() -> None:
    seen = observe_deployment(ListAway(newest("L-1", "Stopped")), PROJECT, "L-1")

    assert seen is not None
    assert (seen.deploy_id, seen.status) == ("L-1", "Stopped")


@pytest.mark.parametrize(
    "api",
    [ListAway(newest("L-2", "Running")), ListAway(None), ListAway(None, ServerError("Down."))],
    ids=["another is newest", "none is shown", "live/read is away too"],
)
def test_a_list_that_cannot_be_read_does_not_say_that_a_deployment_is_gone(api: ListAway) -> None:
    with pytest.raises(UnreadableAnswerError, match="live/list"):
        observe_deployment(api, PROJECT, "L-1")


def test_a_live_read_that_fails_does_not_say_that_a_deployment_is_gone(desk: Desk) -> None:
    desk.sandbox.add_fault("live/read", status=500, times=None)

    with pytest.raises(ServerError):
        observe_deployment(desk.setup, PROJECT, "L-unknown")
