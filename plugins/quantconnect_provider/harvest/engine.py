"""Harvests a batch of deployments: the entry point."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy.exc import SQLAlchemyError

from quantconnect_provider.client.errors import CredentialsError
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.harvest.deployment import BatchTools, DeploymentHarvest
from quantconnect_provider.harvest.fetch.page import InsightSource
from quantconnect_provider.harvest.fetch.page_reader import PageReader, PageSize
from quantconnect_provider.harvest.fetch.thread_pool import FetchPool
from quantconnect_provider.harvest.group_commit import GroupCommit, Job
from quantconnect_provider.harvest.harvest_errors import one_line
from quantconnect_provider.harvest.options import HarvestOptions
from quantconnect_provider.harvest.read_plan import change_rule, is_settled, make_read_plan
from quantconnect_provider.harvest.report import DeploymentResult, HarvestReport, describe
from quantconnect_provider.store.change_rule import ChangeRule
from quantconnect_provider.store.commit_unit import CommitUnit, HarvestRecord, HarvestTarget, ResumeState
from quantconnect_provider.store.store import Store
from quantconnect_provider.store.store_errors import StoreError
from quantconnect_provider.store.text import storable

log = logging.getLogger("quantconnect_provider.harvest")


def harvest(
    client: InsightSource,
    store: Store,
    deployments: Sequence[HarvestTarget],
    settings: HarvestOptions | None = None,
    run_id: str = "",
    *,
    listed_at: datetime | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> HarvestReport:
    """Bring the store up to date with QuantConnect for *deployments*; one that fails stops no other.

    :param deployments: rows of live/list (``project_name`` filled in where it is known).
    :param run_id: the run that the rows in ``quantconnect_harvests`` belong to.
    :param listed_at: when live/list was requested, aware UTC; None means now.
    :param clock: returns the current time, aware UTC.
    :returns: a result for each; its ``raise_if_failed()`` raises if one failed.
    """
    batch = _Batch(client, store, settings or HarvestOptions(), run_id, clock)
    return batch.run(deployments, listed_at or clock())


class _Batch:
    """One call of :func:`harvest`."""

    def __init__(
        self,
        client: InsightSource,
        store: Store,
        settings: HarvestOptions,
        run_id: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._settings = settings
        self._run_id = run_id
        pool = FetchPool(settings.in_flight)
        self._tools = BatchTools(store, GroupCommit(store, self._done), pool, settings, clock)
        self._size = PageSize(store.known_page_size() or PageSize.value)
        self._results: dict[str, DeploymentResult] = {}
        self._failure: CredentialsError | StoreError | None = None
        self._reported = 0

    def run(self, deployments: Sequence[HarvestTarget], listed_at: datetime) -> HarvestReport:
        """Harvest all of them."""
        began = time.monotonic()
        targets = list({target.deploy_id: target for target in deployments}.values())
        self._results = {
            target.deploy_id: DeploymentResult(
                target.project_id, storable(target.project_name), target.deploy_id
            )
            for target in targets
        }
        how_many = "1 deployment" if len(targets) == 1 else f"{len(targets):,} deployments"
        log.info("Harvesting %s into %s.", how_many, self._tools.store.address)
        log.info("::group::Deployments")
        try:
            self._work(targets, listed_at)
        finally:
            self._tools.pool.close()
            log.info("::endgroup::")
        report = HarvestReport(list(self._results.values()), time.monotonic() - began)
        log.info("Harvested in %.1f s.\n%s", report.seconds, report.table())
        return report

    def _work(self, targets: Sequence[HarvestTarget], listed_at: datetime) -> None:
        upcoming = self._jobs(targets, listed_at)
        ready: deque[DeploymentHarvest] = deque()
        ahead = 1
        while True:
            for job in islice(upcoming, ahead - len(ready)):
                if self._failure is None:
                    job.prefetch()
                ready.append(job)
            if not ready:
                break
            self._harvest(ready.popleft())
            ahead = min(ahead + 1, self._settings.in_flight)
        self._tools.commits.flush()

    def _jobs(self, targets: Sequence[HarvestTarget], listed_at: datetime) -> Iterator[DeploymentHarvest]:
        """Plan for all deployments and yield the harvests of those that are not settled."""
        store = self._tools.store
        states = store.load_states([target.deploy_id for target in targets])
        store.save_deployments(targets, listed_at)
        settled: list[HarvestRecord] = []
        active: list[tuple[HarvestTarget, ResumeState, ChangeRule]] = []
        for target in targets:
            state = states.get(target.deploy_id) or ResumeState(target.deploy_id)
            if is_settled(target, state) and not self._settings.full:
                settled.append(self._settled(target))
            else:
                rule = change_rule(target, state, listed_at, self._settings)
                active.append((target, state, rule))
        store.save_records(settled)
        open_positions = self._open_positions(active)
        for target, state, rule in active:
            positions = open_positions.pop(target.deploy_id, [])
            plan = make_read_plan(state, positions, self._size.value, self._settings, self._tools.clock())
            reader = PageReader(
                self._client, store.staging, target.project_id, target.deploy_id, size=self._size, rule=rule
            )
            record = HarvestRecord(target.project_id, target.deploy_id, self._run_id, self._tools.clock())
            yield DeploymentHarvest(self._tools, reader, state, plan, rule=rule, record=record)

    def _open_positions(
        self, active: Sequence[tuple[HarvestTarget, ResumeState, ChangeRule]]
    ) -> dict[str, list[int]]:
        """Find the insights that can have changed, with one query for all deployments harvested before."""
        found: dict[str, list[int]] = {}
        if self._settings.full:
            return found
        known = [(state, rule) for _, state, rule in active if state.last_position is not None]
        before = [state.complete_at for state, _ in known if state.complete_at is not None]
        for finished, since in ((True, min(before, default=None)), (False, None)):
            rules = {
                state.deploy_id: rule for state, rule in known if (state.complete_at is not None) == finished
            }
            if rules:
                found |= self._tools.store.open_positions(rules, since, self._settings.rescore_period)
        return found

    def _harvest(self, job: DeploymentHarvest) -> None:
        unit = CommitUnit(job.record)
        try:
            if self._failure is not None:
                raise self._failure
            unit = job.run()
        except Exception as error:  # noqa: BLE001 - one deployment that fails stops no other
            if isinstance(error, CredentialsError):
                self._failure = error  # every further request would be refused, and may lock the account
            self._done(job, unit, error)
        else:
            self._tools.commits.add(job, unit)
        finally:
            job.close()

    def _settled(self, target: HarvestTarget) -> HarvestRecord:
        """Note that a deployment is not read."""
        result = self._results[target.deploy_id]
        result.status, result.reason = "settled", "stopped and final"
        self._reported += 1
        now = self._tools.clock()
        return HarvestRecord(
            target.project_id,
            target.deploy_id,
            self._run_id,
            started_at=now,
            finished_at=now,
            status="complete",
            error=None,
        )

    def _done(self, job: Job, unit: CommitUnit, error: Exception | None) -> None:
        """Note the result of a deployment and log it in one line."""
        if not isinstance(job, DeploymentHarvest):
            raise TypeError(type(job))
        record, result = job.record, self._results[unit.deploy_id]
        if error is not None:
            self._save_failure(job, error)
        result.error, result.status, result.reason = (
            error,
            record.status,
            job.plan.reason + job.odd_values.remark,
        )
        for name in ("requests", "read", "inserted", "updated"):
            setattr(result, name, getattr(record, name))
        result.seconds = job.progress.seconds
        self._reported += 1
        line = f"[{self._reported}/{len(self._results)}] {describe(result)}"
        if error is None:
            log.info("%s", line)
        else:
            log.error("%s", line)

    def _save_failure(self, job: DeploymentHarvest, error: Exception) -> None:
        record = job.record
        record.requests, record.status, record.error = job.requests, "failed", one_line(error)
        record.finished_at = self._tools.clock()
        if isinstance(error, StoreError):
            self._failure = error  # what is read from now on could not be stored, and nor can this record
            return
        try:
            self._tools.store.save_records([record])
        except (SQLAlchemyError, StoreError) as store_error:
            log.error(
                "The failure of deployment %s could not be stored: %s",
                record.deploy_id,
                one_line(store_error),
            )
