"""Deploying, redeploying and winding down through changed answers, against what the sandbox then runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.live.notes import MemoryNotes
from quantconnect_provider.live.observation import observe_deployment, observe_project
from quantconnect_provider.live.wind_down.steps import Action
from quantconnect_provider.sandbox import Sandbox
from tests.fuzz.case import Case
from tests.fuzz.checks import TOKEN, assert_sound, assert_typed, checked_lines
from tests.fuzz.client_surface import TIMEOUT_SECONDS
from tests.fuzz.proxy import MutatingProxy, SandboxUpstream
from tests.live.conftest import scenario
from tests.live.task import PROJECT, Desk

LONGEST_CASE_SECONDS = 60.0
_CHANGED_ATTEMPTS = 2
_MOST_ATTEMPTS = 8
BYSTANDER = PROJECT + 1
ENDPOINTS = {
    "deploy": ("live/list", "live/read", "projects/nodes/read", "live/create"),
    "redeploy": ("live/list", "live/read", "live/portfolio/read", "live/update/stop", "live/create"),
    "stop": ("live/list", "live/read", "live/update/stop"),
    "liquidate": ("live/list", "live/read", "live/update/liquidate"),
    "observe": ("live/list", "live/read"),
}


class _Desk(Desk):
    """A desk whose requests go through the proxy."""

    def __init__(self, sandbox: Sandbox, proxy: MutatingProxy) -> None:
        self.proxy = proxy
        super().__init__(sandbox, timeout_seconds=TIMEOUT_SECONDS)

    @property
    def base_url(self) -> str:
        return self.proxy.base_url


class LiveSurface:
    """One task for each case: two attempts through changed answers, then honest ones until it is done."""

    calls = tuple(ENDPOINTS)

    def __init__(self, sandbox: Sandbox, proxy: MutatingProxy) -> None:
        self.sandbox = sandbox
        self.proxy = proxy

    def run(self, case: Case) -> str:
        """Run one case: see :class:`~tests.fuzz.case.Surface`."""
        began = time.monotonic()
        self.sandbox.reset(scenario())
        self.proxy.plan([])
        with checked_lines(), _Desk(self.sandbox, self.proxy) as desk:
            outcome = getattr(self, f"_{case.call}")(desk, case)
            assert desk.asked(BYSTANDER) == {desk.running(BYSTANDER)[0]: []}, "another project was touched"
        seconds = time.monotonic() - began
        assert seconds < LONGEST_CASE_SECONDS, f"it took {seconds:.1f} s"
        return outcome

    def _deploy(self, desk: Desk, case: Case) -> str:
        notes = MemoryNotes()
        desk.compiled()
        outcome = self._attempt(case, lambda: desk.create(notes))
        assert desk.sends("live/create") <= 1, f"live/create was sent {desk.sends('live/create')} times"
        assert all(asked == [] for asked in desk.asked().values()), "a new deployment was asked to stop"
        return outcome

    def _redeploy(self, desk: Desk, case: Case) -> str:
        old, notes = desk.sandbox.deploy(PROJECT), MemoryNotes()
        desk.compiled()
        outcome = self._attempt(case, lambda: desk.create(notes, if_running="redeploy"))
        assert desk.sends("live/create") <= 1, f"live/create was sent {desk.sends('live/create')} times"
        assert all(not asked for name, asked in desk.asked().items() if name != old), (
            "the new one was stopped"
        )
        assert len(desk.running()) <= 1, "two deployments of one project run"
        return outcome

    def _stop(self, desk: Desk, case: Case) -> str:
        return self._wind_down(desk, case, Action.STOP)

    def _liquidate(self, desk: Desk, case: Case) -> str:
        return self._wind_down(desk, case, Action.LIQUIDATE)

    def _wind_down(self, desk: Desk, case: Case, action: Action) -> str:
        target, notes = desk.sandbox.deploy(PROJECT), MemoryNotes()
        outcome = self._attempt(case, lambda: desk.wind_down(notes, action))
        (asked,) = desk.asked().values()
        assert set(asked) <= {action.value}, f"{target} was asked to {asked}"
        is_content = all(mutation.is_content for mutation in case.mutations)
        if outcome == "result" and not is_content:
            assert asked, "it counts as wound down, and was not asked to"
            assert not desk.running(), "it counts as over, and runs"
        return outcome

    def _observe(self, desk: Desk, case: Case) -> str:
        target = desk.sandbox.deploy(PROJECT)

        def observed() -> Any:
            with desk.new_client() as client:
                return observe_project(client, PROJECT), observe_deployment(client, PROJECT, target)

        return self._attempt(case, lambda: assert_sound(observed()))

    def _attempt(self, case: Case, attempt: Callable[[], Any]) -> str:
        """Repeat *attempt* as Airflow would; returns how it ended."""
        for number in range(_MOST_ATTEMPTS):
            self.proxy.plan(case.mutations if number < _CHANGED_ATTEMPTS else [])
            try:
                attempt()
            except QuantConnectError as error:
                assert_typed(error)
                if not error.retryable and not error.maybe_applied:
                    return type(error).__name__
            else:
                return "result"
        raise AssertionError("it is not done although the API answers honestly")


@contextmanager
def live_surface() -> Iterator[LiveSurface]:
    """The surface, over a sandbox that begins anew with each case."""
    with (
        Sandbox(scenario(), api_token=TOKEN) as sandbox,
        closing(SandboxUpstream(sandbox)) as upstream,
        MutatingProxy(upstream) as proxy,
    ):
        yield LiveSurface(sandbox, proxy)
