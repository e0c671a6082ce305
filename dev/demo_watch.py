"""The demo's trouble: an algorithm dies, one falls silent, one loses money; each is an event, raised once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.console import fail, say
from dev.demo_store import Event, events
from dev.tables import table

if TYPE_CHECKING:
    from pathlib import Path

    from dev.demo_airflow import Runner, Triggered
    from quantconnect_provider.sandbox.process import RemoteSandbox

LOSS = 0.3
MOST_RUNS = 12
STALE_SECONDS = 3
POLICY = {"event": "died", "projects": "all", "action": "redeploy", "deploy": {}, "backoff_seconds": 0}
ORDERED = {"approval": "auto", "if_running": "fail"}
"""What the run that the policy leads to is triggered with, besides the project."""


class Watching:
    """The algorithms that get into trouble, and the runs of the watch that see it."""

    def __init__(
        self, runner: Runner, sandbox: RemoteSandbox, store: Path, *, dying: str, silent: str, losing: str
    ) -> None:
        self._runner, self._sandbox, self._store = runner, sandbox, store
        self._dying, self._silent, self._losing = dying, silent, losing
        self.runs = 0

    def begin(self) -> None:
        """Watch while all is well, then let the three get into trouble."""
        self._runner.admit_guards()
        self._watch()
        if raised := events(self._store):
            fail(f"nothing is wrong yet, and quantconnect_events has {raised}")
        self._sandbox.fail(self._dying)
        self._sandbox.go_stale(self._silent)
        self._sandbox.drawdown(self._losing, LOSS)
        say(f"One algorithm dies, one falls silent, one loses {LOSS:.0%}; a policy redeploys what dies")

    def redeploy(self, project_id: int) -> Triggered:
        """Watch twice, check what the guard triggered, and run that."""
        self._watch()
        self._watch()
        expected = f"guard__{self._dying}-died-1"
        triggered = self._runner.triggered()
        wanted = {**ORDERED, "project_id": project_id}
        if [(run.run_id, run.conf) for run in triggered] != [(expected, wanted)]:
            fail(f"the guard triggered {triggered} instead of one run, {expected}, with {wanted}")
        self._runner.run(triggered[0].dag_id, **triggered[0].conf)
        return triggered[0]

    def end(self) -> list[Event]:
        """Watch until the silent one is stale, and once more; returns the events, each raised once."""
        wanted = [("died", self._dying), ("drawdown", self._losing), ("recovered", self._dying)]
        wanted.append(("stale", self._silent))
        while len(events(self._store)) < len(wanted) and self.runs < MOST_RUNS:
            self._watch()
        self._watch()
        raised = events(self._store)
        if sorted((event.kind, event.deploy_id) for event in raised) != wanted:
            fail(f"quantconnect_events has {raised} instead of {wanted}")
        if len(triggered := self._runner.triggered()) != 1:
            fail(f"guards triggered {triggered} instead of one run")
        return raised

    def _watch(self) -> None:
        self._runner.run("quantconnect_watch")
        self.runs += 1


def print_events(raised: list[Event], runs: int) -> None:
    """Print the events, a line each."""
    rows = [
        [event.kind, event.deploy_id, _clock(event.opened_at), _clock(event.resolved_at), event.action or ""]
        for event in raised
    ]
    say(f"\nEvents in the table quantconnect_events after {runs} runs of quantconnect_watch")
    say(table(rows, ["event", "deployment", "opened", "resolved", "guard"]))


def _clock(moment: str | None) -> str:
    return moment[11:19] if moment else ""
