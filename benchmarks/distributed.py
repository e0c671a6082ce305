"""1,000 projects of 1,000 insights through Airflow on PostgreSQL, with one Celery worker and with two.

Each worker has two slots. The API answers after 500 ms, so that it is what everything waits for, and the
limit that the workers share allows more than two can use. Prints, for the first harvest and for the quiet
night after it, what it took; the last line says how many times faster two workers were, to be at least 1.7.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import create_engine, text

from benchmarks.api import API_TOKEN, Api
from dev.console import fail, say
from dev.distributed.cluster import Cluster, api_connection, cluster_environment, cpu_of, running_cluster
from dev.distributed.runs import EXTRACT, HARVEST, Runs
from dev.distributed.servers import Postgres, running_postgres, running_redis
from dev.processes import wait_until
from dev.tables import table

INSIGHTS = 1000
SLOTS = 2
BATCH = 50
LATENCY = 0.5
REQUESTS_PER_MINUTE = 12_000
NEEDED = 1.7
WITHIN_SECONDS = 1800
TABLES = "quantconnect_insights, quantconnect_deployments, quantconnect_harvests"


@dataclass(frozen=True)
class Cost:
    """CPU seconds so far: of the workers with all tasks, of Airflow's own components, of PostgreSQL."""

    workers: float
    airflow: float
    postgres: float

    def since(self, before: Cost) -> Cost:
        """Return what was spent after another moment."""
        return Cost(
            self.workers - before.workers, self.airflow - before.airflow, self.postgres - before.postgres
        )


@dataclass(frozen=True)
class Harvested:
    """One run of the harvest DAG.

    :param seconds: from the first batch's start to the last one's end.
    :param idle: seconds that a slot waited for its next batch, by batch.
    :param start: seconds from a batch's start until it harvested, by batch.
    """

    what: str
    seconds: float
    insights: int
    requests: int
    batches: int
    idle: float
    start: float
    cost: Cost

    def row(self) -> tuple[str, ...]:
        """Return the line of the table."""
        rate = f"{self.insights / self.seconds:,.0f}" if self.insights else ""
        each = f"{self.cost.workers / self.insights * 1e6:.0f}" if self.insights else ""
        database = f"{self.cost.postgres / self.insights * 1e6:.0f}" if self.insights else ""
        return (
            self.what,
            f"{self.seconds:.0f}",
            rate,
            f"{self.requests:,}",
            f"{self.requests / self.seconds:.0f}",
            each,
            database,
            f"{self.cost.workers / self.batches:.1f}",
            f"{self.cost.airflow / self.batches:.1f}",
            f"{self.start:.1f}",
            f"{self.idle:.1f}",
        )


HEADER = (
    "harvest", "s", "insights/s", "requests", "requests/s", "CPU us/insight: worker", "PostgreSQL",
    "CPU s/batch: worker", "Airflow", "s/batch: start", "slot idle",
)  # fmt: skip


class Bench:
    """The running cluster and what is read off it."""

    def __init__(self, cluster: Cluster, postgres: Postgres, api: Api) -> None:
        self._cluster = cluster
        self._postgres = psutil.Process(postgres.pid)
        self._api = api
        self._workers: list[str] = []

    def add_worker(self) -> None:
        """Start one more worker and wait until it takes tasks."""
        name = f"worker-{len(self._workers) + 1}"
        self._cluster.start_worker(name, SLOTS)
        log = self._cluster.logs / f"{name}.log"
        if not wait_until(lambda: f"{name} ready" in log.read_text(errors="replace"), 120):
            fail(f"{name} did not start")
        self._workers.append(name)

    def harvest(self, what: str) -> Harvested:
        """Run the harvest DAG once."""
        self._api.set()  # forgets what was counted
        runs, before = Runs(self._cluster.api), self._cost()
        run_id = runs.trigger(HARVEST, {})
        if not wait_until(runs.are_over, WITHIN_SECONDS, every=1) or runs.state(HARVEST, run_id) != "success":
            fail(f"{what}: the run is {runs.state(HARVEST, run_id)}")
        cost = self._cost().since(before)
        batches = [task for task in runs.tasks(HARVEST, run_id) if task["task_id"] == EXTRACT]
        times = [(_seconds(task["start_date"]), _seconds(task["end_date"])) for task in batches]
        seconds = max(end for _, end in times) - min(start for start, _ in times)
        slots = SLOTS * len(self._workers)
        busy = sum(end - start for start, end in times)
        first = self._first_requests(run_id, runs.result(HARVEST, run_id, "list_deployments"))
        return Harvested(
            what,
            seconds,
            self._inserted(run_id),
            len(self._api.arrivals()),
            len(batches),
            max(0.0, slots * seconds - busy) / len(batches),
            sum(first[task["map_index"]] - _seconds(task["start_date"]) for task in batches) / len(batches),
            cost,
        )

    def empty_store(self) -> None:
        """Forget what was harvested."""
        with self._store() as connection:
            connection.execute(text(f"TRUNCATE {TABLES}"))
            connection.commit()

    def _first_requests(self, run_id: str, batches: list[list[dict[str, Any]]]) -> list[float]:
        """When each batch began to harvest, unix seconds."""
        with self._store() as connection:
            began = dict(
                connection.execute(
                    text("SELECT deploy_id, started_at FROM quantconnect_harvests WHERE run_id = :run"),
                    {"run": run_id},
                ).all()
            )
        return [min(began[row["deploy_id"]].timestamp() for row in batch) for batch in batches]

    def _inserted(self, run_id: str) -> int:
        with self._store() as connection:
            query = text("SELECT sum(inserted) FROM quantconnect_harvests WHERE run_id = :run")
            return int(connection.execute(query, {"run": run_id}).scalar_one())

    @contextmanager
    def _store(self) -> Iterator[Any]:
        engine = create_engine(self._cluster.store_url)
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def _cost(self) -> Cost:
        spent = self._cluster.cpu_seconds()
        workers = sum(seconds for name, seconds in spent.items() if name in self._workers)
        family = [self._postgres, *self._postgres.children(recursive=True)]
        return Cost(workers, sum(spent.values()) - workers, sum(map(cpu_of, family)))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


@contextmanager
def running(projects: int, latency: float) -> Iterator[Bench]:
    """Run everything but the workers for the length of a block."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quantconnect-bench-")))
        postgres = stack.enter_context(running_postgres("max_wal_size=4GB"))
        redis = stack.enter_context(running_redis())
        api = stack.enter_context(Api(INSIGHTS, deployments=projects, latency=latency))
        connection = api_connection(api.base_url, REQUESTS_PER_MINUTE, API_TOKEN)
        settings = {"AIRFLOW__QUANTCONNECT__HARVEST_BATCH_SIZE": str(BATCH)}
        cluster = Cluster(home, postgres, cluster_environment(home, postgres, redis, connection, settings))
        stack.enter_context(running_cluster(cluster, {}))
        yield Bench(cluster, postgres, api)


def main() -> None:
    """Harvest with one worker, then, from an empty store, with two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=LATENCY)
    options = parser.parse_args()
    began = time.monotonic()
    done: list[Harvested] = []
    with running(options.projects, options.latency) as bench:
        for workers in ("1 worker", "2 workers"):
            bench.add_worker()
            if done:
                bench.empty_store()
            done += [bench.harvest(f"first, {workers}"), bench.harvest(f"quiet night, {workers}")]
    say(table([one.row() for one in done], HEADER))
    ratio, night = done[0].seconds / done[2].seconds, done[1].seconds / done[3].seconds
    say(f"\nall of it took {time.monotonic() - began:.0f} s")
    say(f"quiet night: {night:.2f}x as fast with 2 workers as with 1")
    say(f"first harvest: {ratio:.2f}x as fast with 2 workers as with 1 (to be at least {NEEDED})")


if __name__ == "__main__":
    main()
