"""One simulated day: algorithms trade, die and lose, people deploy and stop, the watch goes round."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dev.soak.runs import DEPLOY, WATCH, WIND_DOWN
from dev.soak.scenario import DAY_SECONDS, SLOW, SPEED

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.soak.clock import SharedClock
    from dev.soak.runs import Runs
    from quantconnect_provider.sandbox.process import RemoteSandbox

LOSS = 0.5
_LOOK_SECONDS = 1.0
_CYCLES_AT_MOST = 20  # the comparison then says what is missing


@dataclass
class Happened:
    """What was done to the deployments, by id, since the soak began; the events have to agree with it."""

    died: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)


class Days:
    """Lets days pass. Each goes on until all that its incidents led to is over."""

    def __init__(self, sandbox: RemoteSandbox, clock: SharedClock, runs: Runs) -> None:
        self._sandbox = sandbox
        self._clock = clock
        self._runs = runs
        self._chance = random.Random(11)
        self.happened = Happened()

    def begin(self) -> None:
        """Let the watch see what runs, before anything happens to it."""
        self._until_nothing_follows()

    def live_through(self, day: int) -> None:
        """Let the clock run for a day, and stop it when every run is over."""
        self._clock.set_speed(SPEED)
        began = time.monotonic()
        self._deploy_what_was_ended()
        incidents = self._incidents(day)
        while time.monotonic() - began < DAY_SECONDS or incidents:
            while incidents and incidents[0][0] <= time.monotonic() - began:
                incidents.pop(0)[1]()
            if not self._runs.is_active(WATCH):
                self._runs.trigger(WATCH)
            time.sleep(_LOOK_SECONDS)
        self._until_nothing_follows()
        self._clock.set_speed(0.0)

    def _until_nothing_follows(self) -> None:
        """Watch on until a cycle of the watch triggers nothing more, and no redeploy is due."""
        for _ in range(_CYCLES_AT_MOST):
            self._runs.until_over()
            before = self._runs.count()
            self._runs.trigger(WATCH)
            self._runs.until_over()
            dead = [one for one in self._newest().values() if one["status"] == "RuntimeError"]
            if self._runs.count() == before + 1 and not dead:
                return

    def _deploy_what_was_ended(self) -> None:
        """Deploy, as a person does, what a person or a policy ended, and what was never deployed."""
        newest = self._newest()
        for project in self._sandbox.projects():
            deployment = newest.get(project["project_id"])
            if deployment is None or deployment["status"] in ("Stopped", "Liquidated"):
                self._runs.trigger(DEPLOY, {"project_id": project["project_id"]})

    def _incidents(self, day: int) -> list[tuple[float, Callable[[], None]]]:
        """Return what is to happen, and how many real seconds after the day's begin.

        Each happens to another project, which has run since yesterday: the watch has seen it then.
        """
        slow = {project["project_id"] for project in self._sandbox.projects() if project["name"] == SLOW}
        victims = [one for one in self._newest().values() if one["status"] == "Running"]
        self._chance.shuffle(victims)
        # Every third day the slow one comes first, else last, where nothing happens to it.
        victims.sort(key=lambda one: (one["project_id"] in slow) == (day % 3 != 0))
        planned: list[tuple[float, Callable[[dict[str, Any]], None]]] = [
            (2.0, self._die),
            (10.0, self._die),
            (18.0, self._lose),
        ]
        if day % 2 == 0:
            planned.insert(1, (5.0, self._end))
        return [
            (second, lambda act=act, victim=victim: act(victim))  # type: ignore[misc]
            for (second, act), victim in zip(planned, victims, strict=False)
        ]

    def _die(self, deployment: dict[str, Any]) -> None:
        self.happened.died.append(deployment["deploy_id"])
        self._sandbox.fail(deployment["deploy_id"])

    def _lose(self, deployment: dict[str, Any]) -> None:
        self.happened.lost.append(deployment["deploy_id"])
        self._sandbox.drawdown(deployment["deploy_id"], LOSS)

    def _end(self, deployment: dict[str, Any]) -> None:
        self.happened.stopped.append(deployment["deploy_id"])
        action = self._chance.choice(["stop", "liquidate"])
        conf = {"project_ids": [deployment["project_id"]], "action": action, "approval": "never"}
        self._runs.trigger(WIND_DOWN, conf)

    def _newest(self) -> dict[int, dict[str, Any]]:
        """Return the newest deployment of each project."""
        return {one["project_id"]: one for one in self._sandbox.deployments()}
