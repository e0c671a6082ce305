"""Counts the requests of 500 waiting deployments, and how late a stalled API makes the event loop.

Runs the provider's own triggers in one event loop, as a triggerer does, against a local API in a process of
its own: first one trigger, then 500, each until the same deadline. Prints the ratio of their requests last.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time

WAITING = 500
SECONDS = 10.0
INTERVAL = 0.5
RUNS = 3
STALL_SECONDS = 2.0


def configure() -> None:
    """Keep this Airflow away from the user's; must come before Airflow is imported."""
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "WARNING"
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="quantconnect-waiting-")


async def wait(many: int, deploy_id: str, seconds: float) -> list[float]:
    """Let *many* triggers wait for an end that does not come; returns how late each heartbeat was."""
    from quantconnect_provider.triggers.live import LiveStatusTrigger  # noqa: PLC0415

    late: list[float] = []

    async def heartbeat() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            late.append(time.perf_counter() - before - 0.01)

    async def run(trigger: LiveStatusTrigger) -> None:
        async for _ in trigger.run():
            return

    triggers = [
        LiveStatusTrigger(
            quantconnect_conn_id="quantconnect_default",
            project_id=1,
            deploy_id=deploy_id,
            target=("over_well", "over_badly"),
            deadline=time.time() + seconds,
            poll_interval_seconds=INTERVAL,
        )
        for _ in range(many)
    ]
    beating = asyncio.ensure_future(heartbeat())
    await asyncio.gather(*map(run, triggers))
    beating.cancel()
    return late


def main() -> None:
    """Measure and print."""
    configure()
    from quantconnect_provider.sandbox import SandboxProcess  # noqa: PLC0415

    with SandboxProcess() as sandbox:
        os.environ["AIRFLOW_CONN_QUANTCONNECT_DEFAULT"] = sandbox.airflow_connection()
        deploy_id = next(each["deploy_id"] for each in sandbox.deployments())
        asyncio.run(wait(1, deploy_id, 1.0))  # what is loaded once, is loaded
        counts: dict[int, list[int]] = {1: [], WAITING: []}
        for _ in range(RUNS):
            for many, found in counts.items():
                before = len(sandbox.requests())
                asyncio.run(wait(many, deploy_id, SECONDS))
                found.append(len(sandbox.requests()) - before)
        sandbox.add_fault("live/list", times=None, delay_seconds=STALL_SECONDS)
        late = sorted(asyncio.run(wait(50, deploy_id, 2.5 * STALL_SECONDS)))
        sandbox.clear_faults()
    one, all_of_them = (statistics.median(found) for found in counts.values())
    print(f"1 waits {SECONDS:.0f} s, a poll every {INTERVAL} s: {one:.0f} requests")
    print(f"{WAITING} wait as long: {all_of_them:.0f} requests ({one * WAITING:.0f} if each sent its own)")
    p99, worst = late[int(len(late) * 0.99)], late[-1]
    print(
        f"event loop while the API stalls {STALL_SECONDS:.0f} s: {p99 * 1000:.1f} ms late at the 99th "
        f"percentile, {worst * 1000:.1f} ms at worst (a blocking poll: {STALL_SECONDS * 1000:.0f} ms)"
    )
    print(f"ratio: {all_of_them / one:.2f} times the requests of one (to be 1)")


if __name__ == "__main__":
    main()
