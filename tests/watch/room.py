"""A room to watch from: a sandbox, a store, and a clock that a test moves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from quantconnect_provider.client import QuantConnectClient, RetrySettings
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.store import Store
from quantconnect_provider.store.watch_tables import equity, events
from quantconnect_provider.watch.cycle import CycleReport, run_cycle
from quantconnect_provider.watch.limits import Limits
from quantconnect_provider.watch.market_hours import MarketHours

MINUTE = timedelta(minutes=1)
ALWAYS_OPEN = MarketHours("24/7")
LIMITS = Limits(stale_seconds=0, drawdown=0.2, log_seconds=600, statistics_seconds=3600, hours=ALWAYS_OPEN)
STALE_LIMITS = replace(LIMITS, stale_seconds=1800)


def scenario(projects: int = 2, log_every_seconds: float = 0) -> dict[str, Any]:
    return {
        "nodes": {"live": [{"name": f"node {number}"} for number in range(projects + 1)]},
        "projects": [
            {
                "name": f"Project {number}",
                "id": 100 + number,
                "deploy": {"log_every_seconds": log_every_seconds},
                "deployments": [{"status": "Running", "node": f"node {number}"}],
            }
            for number in range(projects)
        ],
    }


@dataclass
class Room:
    """What a test does and sees; each cycle is ten minutes after the last."""

    sandbox: Sandbox
    store: Store
    limits: Limits = LIMITS
    now: datetime = field(default_factory=utc_now)
    reports: list[CycleReport] = field(default_factory=list)

    def cycle(self, times: int = 1, *, minutes: float = 10) -> CycleReport:
        retry = RetrySettings(attempts=1)
        account = self.sandbox
        with QuantConnectClient(account.user_id, account.api_token, account.base_url, retry=retry) as client:
            for _ in range(times):
                self.now += timedelta(minutes=minutes)
                report = run_cycle(client, self.store, self.limits, clock=lambda: self.now)
                self.reports.append(report)
        return report

    def deploy_id(self, project_id: int = 100) -> str:
        return str(self.sandbox.deployments(project_id)[-1]["deploy_id"])

    def events(self) -> list[tuple[str, int, bool]]:
        """Kind, project and whether it is open, of every event there ever was, by time."""
        with self.store.read() as connection:
            rows = connection.execute(events.select().order_by(events.c.opened_at, events.c.event_id))
            return [(row.kind, row.project_id, row.resolved_at is None) for row in rows]

    def events_of(self, kind: str) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(events.select().where(events.c.kind == kind)))

    def event(self, kind: str) -> Any:
        (found,) = self.events_of(kind)
        return found

    def equities(self, project_id: int = 100) -> list[Any]:
        with self.store.read() as connection:
            query = equity.select().where(equity.c.project_id == project_id)
            return list(connection.execute(query.order_by(equity.c.observed_at)))
