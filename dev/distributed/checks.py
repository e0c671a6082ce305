"""What has to hold after two workers harvested and deployed while one of them was killed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text

from dev.distributed.runs import EXTRACT, HARVEST, TRADING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dev.distributed.cluster import Cluster
    from dev.distributed.runs import Runs
    from quantconnect_provider.sandbox.process import SandboxProcess

    Tries = dict[int, list[dict[str, Any]]]

FIELDS = ("insight_id", "symbol", "ticker", "insight_type", "direction", "magnitude", "confidence",
          "reference_value", "reference_value_final", "score_is_final", "score_direction", "score_magnitude",
          "tag")  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One thing that has to hold: whether it does, and what was found."""

    what: str
    holds: bool
    found: str


@dataclass(frozen=True)
class Evidence:
    """All who know something: what ran, what it ran against, and what was asked of it.

    :param harvest: id of the harvest's run.
    :param new: projects that were to be deployed.
    :param limit: requests a minute that all workers together may make.
    """

    cluster: Cluster
    sandbox: SandboxProcess
    runs: Runs
    harvest: str
    new: Sequence[int]
    limit: int


def all_checks(seen: Evidence) -> list[Check]:
    """Compare Airflow's, the store's and the sandbox's view of what happened."""
    runs, harvest, sandbox, new = seen.runs, seen.harvest, seen.sandbox, seen.new
    tries = {task_id: _tries(runs, harvest, task_id) for task_id in (EXTRACT, TRADING)}
    batches = runs.result(HARVEST, harvest, "list_deployments")
    projects_of_killed = {
        row["project_id"] for index in _tried_again(tries[EXTRACT]) for row in batches[index]
    }
    return [
        *_runs_succeeded(runs),
        _several_worked(tries[EXTRACT].values()),
        *(_killed_was_retried_elsewhere(task_id, found) for task_id, found in tries.items()),
        _store_is_true(seen.cluster, sandbox, new),
        _read_once(sandbox, projects_of_killed),
        *_within_limit(sandbox, seen.limit),
        *_deployed_as_asked(sandbox, new),
        _loopback_only(seen.cluster),
    ]


def _tries(runs: Runs, harvest: str, task_id: str) -> Tries:
    """Return every try of a task's batches, by number of the batch."""
    batches = [task["map_index"] for task in runs.tasks(HARVEST, harvest) if task["task_id"] == task_id]
    return {index: runs.tries(HARVEST, harvest, task_id, index) for index in batches}


def _tried_again(tries: Tries) -> set[int]:
    return {index for index, found in tries.items() if len(found) > 1}


def _runs_succeeded(runs: Runs) -> list[Check]:
    states = Counter(runs.states())
    return [
        Check(f"every run of {dag_id} succeeded", state == "success", f"{count} {state}")
        for (dag_id, state), count in sorted(states.items())
    ]


def _several_worked(tries: Iterable[Sequence[dict[str, Any]]]) -> Check:
    done = Counter(str(found[-1]["hostname"]) for found in tries)
    said = ", ".join(f"{worker}: {count}" for worker, count in sorted(done.items()))
    return Check("several workers finished batches", len(done) > 1, said)


def _killed_was_retried_elsewhere(task_id: str, tries: Tries) -> Check:
    killed = _tried_again(tries)
    moved = [index for index in killed if tries[index][-1]["hostname"] != tries[index][0]["hostname"]]
    found = f"{len(killed)} of {len(tries)} batches tried again"
    what = f"the killed worker's batches of {task_id} went on on another"
    return Check(what, 0 < len(moved) == len(killed), found)


def _store_is_true(cluster: Cluster, sandbox: SandboxProcess, new: Sequence[int]) -> Check:
    """Compare every insight of every project that was there before, field by field."""
    stored = _stored(cluster)
    wrong, count = [], 0
    for deployment in sandbox.deployments():
        if deployment["project_id"] in new:
            continue
        rows = sandbox.insights(deployment["deploy_id"])["rows"]
        truth = {_as_tuple({**row, "insight_id": row["insight_id"].replace("-", "")}) for row in rows}
        count += len(truth)
        if stored.get(deployment["deploy_id"], set()) != truth:
            wrong.append(deployment["project_id"])
    found = f"{count} insights, {len(wrong)} projects differ {wrong[:5] or ''}".rstrip()
    return Check("the stored insights are the sandbox's", not wrong and count > 0, found)


def _stored(cluster: Cluster) -> dict[str, set[tuple[Any, ...]]]:
    engine = create_engine(cluster.store_url)
    found: dict[str, set[tuple[Any, ...]]] = {}
    with engine.connect() as connection:
        for row in connection.execute(text("SELECT * FROM quantconnect_insights")).mappings():
            found.setdefault(row["deploy_id"], set()).add(_as_tuple(row))
    engine.dispose()
    return found


def _as_tuple(row: Any) -> tuple[Any, ...]:
    return tuple(row[name] for name in FIELDS)


def _read_once(sandbox: SandboxProcess, projects_of_killed: set[int]) -> Check:
    """No page twice, but for batches that were tried again after the kill, and those at most twice."""
    reads = Counter(
        (int(request["params"]["projectId"]), int(request["params"]["start"]))
        for request in sandbox.requests("live/insights/read")
    )
    again = [page for page, count in reads.items() if count > 1]
    bad = [page for page in again if page[0] not in projects_of_killed or reads[page] > 2]
    found = f"{len(reads)} pages, {len(again)} read again after the kill, {len(bad)} for no reason"
    return Check("no project was read twice by both", not bad, found)


def _within_limit(sandbox: SandboxProcess, limit: int) -> list[Check]:
    counters = sandbox.counters()
    peak = int(counters["peak_per_minute"])
    return [
        Check(
            "no request was over the shared limit", peak <= limit, f"{peak} in the busiest minute of {limit}"
        ),
        Check("the API refused none", counters["refused"] == 0, f"{counters['requests']} requests"),
    ]


def _deployed_as_asked(sandbox: SandboxProcess, new: Sequence[int]) -> list[Check]:
    deployments = [one for one in sandbox.deployments() if one["project_id"] in new]
    once = Counter(one["project_id"] for one in deployments) == Counter(new)
    running = all(one["status"] == "Running" for one in deployments)
    sent = int(sandbox.counters()["endpoints"].get("live/create", {}).get("received", 0))
    asked = all(one["request"]["parameters"] == {"lot": str(one["project_id"])} for one in deployments)
    return [
        Check("each project was deployed once", once and sent == len(new), f"{sent} times live/create"),
        Check(
            "and runs with the parameters that were asked for", running and asked, f"{len(deployments)} run"
        ),
    ]


def _loopback_only(cluster: Cluster) -> Check:
    beyond = cluster.listens_beyond_loopback()
    return Check("nothing listens beyond loopback", not beyond, ", ".join(map(str, beyond)) or "nothing")
