"""Harvests what a batch of projects traded: the entry point."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from quantconnect_provider.client.errors import CredentialsError, StillLoadingError
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.harvest.trading.options import TradingOptions
from quantconnect_provider.harvest.trading.order_harvest import OrderWindow
from quantconnect_provider.harvest.trading.project_harvest import ProjectHarvest, TradingSource
from quantconnect_provider.harvest.trading.report import ProjectResult, TradingReport
from quantconnect_provider.plain_text import counted
from quantconnect_provider.store import trading
from quantconnect_provider.store.commit_unit import HarvestTarget
from quantconnect_provider.store.store import Store
from quantconnect_provider.store.store_errors import StoreError
from quantconnect_provider.store.text import storable

log = logging.getLogger("quantconnect_provider.harvest")


def harvest_trading(
    client: TradingSource,
    store: Store,
    deployments: Sequence[HarvestTarget],
    options: TradingOptions | None = None,
    *,
    listed_at: datetime | None = None,
    clock: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
) -> TradingReport:
    """Bring orders, fills, closed trades and positions up to date; a project that fails stops no other.

    :param deployments: rows of live/list, all deployments of each project: orders are listed by project.
    :param listed_at: when live/list was requested, aware UTC; None means now.
    :param clock: returns the current time, aware UTC.
    :param sleep: waits for some seconds, while QuantConnect loads orders.
    :returns: a result for each project; its ``raise_if_failed()`` raises if one failed.
    """
    options = options or TradingOptions()
    began = time.monotonic()
    targets = list({target.deploy_id: target for target in deployments}.values())
    store.save_deployments(targets, listed_at or clock())
    jobs = list(_jobs(client, store, targets, options, clock))
    log.info("Harvesting the trading of %s into %s.", counted(len(jobs), "project"), store.address)
    _run(jobs, list(options.waits()), sleep)
    report = TradingReport([job.result for job in jobs], time.monotonic() - began)
    log.info("Harvested the trading in %.1f s.\n%s", report.seconds, report.table())
    return report


def _jobs(
    client: TradingSource,
    store: Store,
    targets: Sequence[HarvestTarget],
    options: TradingOptions,
    clock: Callable[[], datetime],
) -> Iterator[ProjectHarvest]:
    by_project: dict[int, list[HarvestTarget]] = {}
    for target in targets:
        by_project.setdefault(target.project_id, []).append(target)
    completed = trading.trading_complete_at(store, [target.deploy_id for target in targets])
    window = OrderWindow(options.window, options.narrow_window)
    for project_id, mine in sorted(by_project.items()):
        result = ProjectResult(project_id, storable(mine[0].project_name))
        yield ProjectHarvest(
            client, store, mine, result, completed=completed, window=window, full=options.full, clock=clock
        )


def _run(jobs: Sequence[ProjectHarvest], waits: list[float], sleep: Callable[[float], None]) -> None:
    """Run all jobs; those whose orders QuantConnect is loading again after each wait, all together."""
    pending = list(jobs)
    while pending:
        pending = _round(pending, is_last=not waits)
        if pending:
            seconds = waits.pop(0)
            log.info(
                "QuantConnect shows no orders of %s yet; it may be loading them. Asking again in %.1f s, "
                "then at most %s.",
                counted(len(pending), "project"),
                seconds,
                counted(len(waits), "more time"),
            )
            sleep(seconds)


def _round(pending: Sequence[ProjectHarvest], *, is_last: bool) -> list[ProjectHarvest]:
    """Run each job once and return those that are still loading; in the last round there are none."""
    loading = []
    failure: CredentialsError | StoreError | None = None
    for job in pending:
        try:
            if failure is not None:
                raise failure
            job.run(may_be_empty=is_last)
        except StillLoadingError as error:
            if is_last:
                _fail(job, error)
            else:
                loading.append(job)
        except Exception as error:  # noqa: BLE001 - one project that fails stops no other
            if isinstance(error, (CredentialsError, StoreError)):
                failure = error  # of the account or the store, and so of every other project too
            _fail(job, error)
    if failure is not None:
        for job in loading:
            _fail(job, failure)
        return []
    return loading


def _fail(job: ProjectHarvest, error: Exception) -> None:
    job.result.status, job.result.error = "failed", error
    log.error("%s: %s", job.result.name, job.result.remark)
