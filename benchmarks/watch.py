"""Watches 1,000 running deployments for an hour of cycles, some of which die, draw down and fall silent.

Each cycle is to send one live/list and at most one read for each deployment, and to take less than 5 s of
processor time. Prints the ratio of the requests of the hour to those of reading each deployment's statistics,
log and insights in every cycle, which is done once to compare the time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from benchmarks.stores import databases, wanted_kind
from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.harvest import Store
from quantconnect_provider.sandbox.process import SandboxProcess
from quantconnect_provider.watch.cycle import CycleReport, run_cycle
from quantconnect_provider.watch.limits import Limits
from quantconnect_provider.watch.market_hours import MarketHours

DEPLOYMENTS = 1000
IN_TROUBLE = 20
CYCLES = 7  # the first, and then an hour of them
MINUTES = 10
CPU_SECONDS = 5.0
READS_EACH = 3
SCENARIO: dict[str, Any] = {
    "projects": [
        {
            "name": "Project {n}",
            "count": DEPLOYMENTS,
            "deploy": {"log_every_seconds": 300},
            "deployments": [{"status": "Running", "insights": {"history": {"count": 200}}}],
        }
    ]
}


def measured(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what *work* returns, and the seconds of processor and clock that it took."""
    busy, began = time.process_time(), time.perf_counter()
    result = work()
    return result, time.process_time() - busy, time.perf_counter() - began


def get_into_trouble(sandbox: SandboxProcess, deploy_ids: list[str]) -> None:
    """Let some die, draw down and fall silent."""
    for number in range(0, 3 * IN_TROUBLE, 3):
        sandbox.fail(deploy_ids[number])
        sandbox.drawdown(deploy_ids[number + 1], 0.5)
        sandbox.go_stale(deploy_ids[number + 2])


def read_everything(client: QuantConnectClient, deployments: Iterable[tuple[int, str]]) -> None:
    """Read the statistics, the log and the insights of each deployment."""
    for project_id, deploy_id in deployments:
        client.read_live(project_id, deploy_id)
        client.read_live_logs(project_id, deploy_id, 0, 250)
        client.read_insights(project_id, 0, 100, deploy_id=deploy_id)


def main() -> None:
    """Measure and print."""
    kind = wanted_kind(__doc__)
    limits = Limits(stale_seconds=1800, hours=MarketHours("24/7"))
    now, total, busiest, opened = utc_now(), 0, 0.0, Counter[str]()
    with (
        SandboxProcess(SCENARIO) as sandbox,
        QuantConnectClient(sandbox.user_id, sandbox.api_token, sandbox.base_url) as client,
        databases(kind) as addresses,
        Store.open(next(addresses)) as store,
    ):
        deployments = [(row.project_id, row.deploy_id) for row in client.list_live()]
        for number in range(1, CYCLES + 1):
            if number == 2:
                get_into_trouble(sandbox, [deploy_id for _, deploy_id in deployments])
            sandbox.advance(60.0 * MINUTES)
            at = now + timedelta(minutes=MINUTES * number)
            sandbox.clear_requests()
            report: CycleReport
            report, cpu, wall = measured(lambda at=at: run_cycle(client, store, limits, clock=lambda: at))  # type: ignore[misc]
            asked = Counter(request["endpoint"] for request in sandbox.requests())
            reads = asked.total() - asked["live/list"]
            assert asked["live/list"] == 1, asked
            assert reads <= DEPLOYMENTS, asked
            assert (report.failures, report.left) == ({}, 0), report.failures
            opened.update(event.kind for event in report.opened)
            busiest = max(busiest, cpu)
            total += asked.total()
            print(
                f"cycle {number} into {kind}: {asked['live/list']} live/list, {reads:,} reads, "
                f"{cpu:.2f} s of processor time, {wall:.1f} s, {len(report.opened)} events"
            )
        assert opened == dict.fromkeys(("died", "drawdown", "stale"), IN_TROUBLE), opened
        _, cpu, wall = measured(lambda: read_everything(client, deployments))
    reads = READS_EACH * DEPLOYMENTS
    print(f"reading everything once: {reads:,} reads, {cpu:.2f} s of processor time, {wall:.1f} s")
    every = CYCLES * (reads + 1)
    print(
        f"ratio: {total / every:.1%} of the requests of reading everything in every cycle; the busiest cycle "
        f"took {busiest:.2f} s of processor time (to be under {CPU_SECONDS:.0f} s)"
    )
    assert busiest < CPU_SECONDS


if __name__ == "__main__":
    main()
