"""A task instance as Airflow would run it: attempts with the same notes, retries as shipped, kills."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from quantconnect_provider.client import LiveSpec, QuantConnectClient, RetrySettings, Throttle
from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.live.deploy.create import Deployment, create_once
from quantconnect_provider.live.polling import Polling
from quantconnect_provider.live.wind_down.steps import Action, Step, WindDown
from quantconnect_provider.sandbox import Sandbox

PROJECT = 7
PAPER = {"id": "QuantConnectBrokerage"}
PACE = Polling(interval_seconds=0.01)
TIMES: dict[str, Any] = {
    "certainty_seconds": 0.08,
    "look_seconds": 0.01,
    "resend_seconds": 0.06,
    "stop_seconds": 5.0,
}


class Kill(BaseException):
    """The worker is killed: nothing of this attempt runs any more."""


class NoSpacing:
    """A throttle's schedule that never makes a test wait."""

    def reserve(self, requests_per_minute: float) -> float:
        return 0.0


@dataclass
class KillPoint:
    """Kill at the *nth* call of *name* (a client method, or ``note``), before or after it took effect."""

    name: str
    when: str
    nth: int = 1
    fired: bool = False

    def __str__(self) -> str:
        return f"{self.when}-{self.name}-{self.nth}"

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            mine = name == self.name and not self.fired
            if mine:
                self.nth -= 1
            if mine and self.nth == 0 and self.when == "before":
                self.fired = True
                raise Kill
            try:
                return call(*args, **kwargs)
            finally:
                if mine and self.nth == 0:
                    self.fired = True
                    raise Kill

        return guarded


class Mortal:
    """A client or notes whose calls can be the last thing that an attempt does."""

    def __init__(self, inner: Any, point: KillPoint | None) -> None:
        self._inner = inner
        self._point = point

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)
        known = "note" if name == "set" else name
        return self._point.around(known, call) if self._point and callable(call) else call


@dataclass
class Attempts:
    """What a task's attempts came to."""

    result: Any = None
    errors: list[BaseException] = field(default_factory=list)


class Desk:
    """Runs tasks against one sandbox, each attempt with a client of its own, as a worker would."""

    def __init__(self, sandbox: Sandbox, timeout_seconds: float = 5.0) -> None:
        self.sandbox = sandbox
        self.timeout_seconds = timeout_seconds
        self.setup = self.new_client()
        self._compiled: str | None = None

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *details: object) -> None:
        self.setup.close()

    @property
    def base_url(self) -> str:
        """Where requests go."""
        return self.sandbox.base_url

    def new_client(self) -> QuantConnectClient:
        """A client that repeats nothing: every fault reaches the code under test."""
        return QuantConnectClient(
            self.sandbox.user_id,
            self.sandbox.api_token,
            self.base_url,
            timeout_seconds=self.timeout_seconds,
            retry=RetrySettings(attempts=1, rate_limited_seconds=0.0),
            throttle=Throttle(slots=NoSpacing()),
        )

    def compiled(self) -> str:
        """The id of a good build."""
        if self._compiled is None:
            build = self.setup.create_compile(PROJECT)
            self._compiled = build.compile_id
            while self.setup.read_compile(PROJECT, build.compile_id).state != "BuildSuccess":
                pass
        return self._compiled

    def spec(self, **changes: Any) -> LiveSpec:
        """A paper deployment on the first free node."""
        return LiveSpec(
            **{
                "project_id": PROJECT,
                "compile_id": self.compiled(),
                "node_id": "",
                "brokerage": dict(PAPER),
                **changes,
            }
        )

    def create(self, notes: Any, point: KillPoint | None = None, **options: Any) -> Deployment:
        """One attempt to deploy."""
        spec = options.pop("spec", None) or self.spec()
        with self.new_client() as client:
            return create_once(Mortal(client, point), spec, Mortal(notes, point), **{**TIMES, **options})

    def wind_down(self, notes: Any, action: Action, point: KillPoint | None = None, **options: Any) -> Step:
        """One attempt to stop or liquidate, on a worker whose clock is *clock_ahead* seconds ahead."""
        ahead = options.pop("clock_ahead", 0)
        polling = Polling(PACE.interval_seconds, lambda: time.time() + ahead)
        with self.new_client() as client:
            down = WindDown(
                Mortal(client, point),
                PROJECT,
                action,
                Mortal(notes, point),
                resend_seconds=TIMES["resend_seconds"],
                polling=polling,
                **options,
            )
            step = down.run(polling.clock() + 5.0)
            down.mark_finished()
            return step

    def until_done(self, attempt: Callable[[], Any], most: int = 8) -> Attempts:
        """Repeat *attempt* after kills and errors, those that a person would clear included."""
        attempts = Attempts()
        for _ in range(most):
            try:
                attempts.result = attempt()
            except (QuantConnectError, Kill) as error:
                attempts.errors.append(error)
            else:
                return attempts
        raise AssertionError(f"not done after {most} attempts: {attempts.errors}")

    def running(self, project_id: int = PROJECT) -> list[str]:
        """The ids of the deployments that are not over, by the sandbox's own knowledge."""
        return [d["deploy_id"] for d in self.sandbox.deployments(project_id) if not d["over"]]

    def asked(self, project_id: int = PROJECT) -> dict[str, list[str]]:
        """What was requested of each deployment."""
        return {d["deploy_id"]: d["requested"] for d in self.sandbox.deployments(project_id)}

    def sends(self, endpoint: str) -> int:
        """How many requests came to *endpoint*."""
        return len(self.sandbox.requests(endpoint))


def wait_for(condition: Callable[[], Any]) -> None:
    """Return as soon as *condition* holds."""
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)
