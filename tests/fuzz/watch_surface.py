"""Cycles of the watch through changed answers: nothing falls, and what was no event is none in the end."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.store import Store
from quantconnect_provider.store.schema import deployments
from quantconnect_provider.store.watch_tables import equity, events
from quantconnect_provider.watch.cycle import run_cycle
from tests.fuzz.case import Case
from tests.fuzz.checks import TOKEN, assert_clean, assert_sound, assert_typed, checked_lines
from tests.fuzz.client_surface import new_client
from tests.fuzz.proxy import MutatingProxy, Replayed, SandboxUpstream
from tests.watch.room import STALE_LIMITS, scenario

LONGEST_CASE_SECONDS = 60.0
ENDPOINTS = {
    "first cycle": ("live/list", "live/read", "live/logs/read"),
    "later cycle": ("live/list", "live/read", "live/logs/read", "live/insights/read"),
}
_BETWEEN = timedelta(minutes=40)  # longer than a silence may last: everything is read


class WatchSurface:
    """A cycle through changed answers, the first or one that others went before, then honest ones."""

    calls = tuple(ENDPOINTS)

    def __init__(self, proxy: MutatingProxy, template: Path) -> None:
        self.proxy = proxy
        self.template = template

    def run(self, case: Case) -> str:
        """Run one case: see :class:`~tests.fuzz.case.Surface`."""
        began, now = time.monotonic(), utc_now()
        with checked_lines(), tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            path = shutil.copy(self.template, folder)
            with Store.open(f"sqlite:///{path}") as store:
                if case.call == "later cycle":
                    self.proxy.plan([])
                    for _ in range(2):
                        now += _BETWEEN
                        self._cycle(store, now)
                self.proxy.plan(case.mutations)
                now += _BETWEEN
                try:
                    outcome = self._cycle(store, now)
                except QuantConnectError as error:
                    assert_typed(error)
                    outcome = type(error).__name__
                self.proxy.plan([])
                for _ in range(2):
                    now += _BETWEEN
                    self._cycle(store, now)
                self._check(store)
        seconds = time.monotonic() - began
        assert seconds < LONGEST_CASE_SECONDS, f"it took {seconds:.1f} s"
        return outcome

    def _cycle(self, store: Store, now: datetime) -> str:
        with new_client(self.proxy.base_url) as client:
            report = run_cycle(client, store, STALE_LIMITS, clock=lambda: now)
        for failure in report.failures.values():
            assert_clean(failure, "the reason of a failed read")
        for event in (*report.opened, *report.resolved):
            assert_sound(event)
        return "a read failed" if report.failures else "result"

    def _check(self, store: Store) -> None:
        """No event is there twice, and every number and text in the tables is one."""
        with store.read() as connection:
            rows = [dict(row._mapping) for row in connection.execute(events.select())]
            for table in (equity, deployments):
                for row in connection.execute(table.select()):
                    assert_sound({key: value for key, value in row._mapping.items() if key != "extra"})
        still_open = [(row["deploy_id"], row["kind"]) for row in rows if row["resolved_at"] is None]
        assert len(still_open) == len(set(still_open)), f"an event is open twice: {still_open}"


@contextmanager
def watch_surface() -> Iterator[WatchSurface]:
    """The surface, over a sandbox whose clock stands still."""
    with (
        tempfile.TemporaryDirectory(prefix="fuzz-") as folder,
        Sandbox({"clock": {"speed": 0}, **scenario(3)}, api_token=TOKEN) as sandbox,
        closing(SandboxUpstream(sandbox)) as upstream,
        MutatingProxy(Replayed(upstream)) as proxy,
    ):
        template = Path(folder) / "store.db"
        Store.open(f"sqlite:///{template}").close()
        yield WatchSurface(proxy, template)
