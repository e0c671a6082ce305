"""One cycle of the watch: one live/list, at most one read for each deployment that needs it, and events."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.models import LiveSummary
from quantconnect_provider.client.status import Phase, is_known, phase_of
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.store.events import (
    STOPPED_ELSEWHERE,
    Event,
    list_open_events,
    open_events,
    resolve_events,
)
from quantconnect_provider.store.live_requests import load_live_requests
from quantconnect_provider.store.store import Store
from quantconnect_provider.store.watched import Watched, load_project_names, load_watched, save_cycle
from quantconnect_provider.watch.closer_look import Look, choose_look, take_look
from quantconnect_provider.watch.equity import equity_row
from quantconnect_provider.watch.limits import Limits
from quantconnect_provider.watch.missing import Missing, find_missing, problem_of_gone
from quantconnect_provider.watch.rules import (
    is_gone,
    problems_of_equity,
    problems_of_log,
    problems_of_silence,
    problems_of_status,
)
from quantconnect_provider.watch.sighting import Sighting, may_trade, sight

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)

_READERS = 8
_READING_SECONDS = 300.0


@dataclass
class CycleReport:
    """What one cycle did.

    :param listed: rows of live/list, past deployments included.
    :param sightings: the deployments that are watched.
    :param opened: events that this cycle opened; ``resolved``: those that it resolved.
    :param looks: how many deployments got a closer look; ``left``: how many have to wait for the next cycle.
    :param failures: why closer looks failed, by deployment.
    """

    at: datetime
    listed: int = 0
    sightings: list[Sighting] = field(default_factory=list)
    opened: list[Event] = field(default_factory=list)
    resolved: list[Event] = field(default_factory=list)
    looks: int = 0
    left: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def run_cycle(
    client: QuantConnectClient, store: Store, limits: Limits, clock: Callable[[], datetime] = utc_now
) -> CycleReport:
    """Look at all deployments once; stores what is seen, and opens and resolves events.

    A cycle that is repeated, or that runs beside another one, opens nothing twice.

    :raises QuantConnectError: if live/list cannot be read. A closer look that fails is only reported.
    """
    report = CycleReport(at=clock())
    listing = client.list_live()
    report.listed = len(listing)
    for unread in listing.unread:
        if unread.may_trade:
            log.warning("A row of live/list cannot be read, its deployment is not watched: %s", unread.row)
    store.save_deployments(listing, report.at)
    memory = load_watched(store)
    open_now = list_open_events(store)
    missing = find_missing(client, listing, memory)
    report.looks += len(missing.found) + len(missing.gone)
    report.sightings = _sightings(store, [*listing, *missing.found], memory, report.at)
    _look_closer(client, report, limits, {event.key for event in open_now})
    store.save_deployments([seen.row for seen in report.sightings if seen.statistics], report.at)
    _settle_events(store, report, open_now, missing, limits)
    save_cycle(
        store, [seen.now for seen in report.sightings], _equities(report.sightings), forget=missing.gone
    )
    return report


def _sightings(
    store: Store, rows: Iterable[LiveSummary], memory: Mapping[str, Watched], at: datetime
) -> list[Sighting]:
    """Return what is watched: the newest deployment of each project, and all that may trade or did so."""
    unique = {row.deploy_id: row for row in rows}
    newest = _newest(unique.values())
    chosen = [
        row
        for row in unique.values()
        if newest[row.project_id] == row.deploy_id
        or (row.deploy_id in memory and may_trade(memory[row.deploy_id]))
        or phase_of(row.status, row.stopped_at, row.launched_at).may_trade
    ]
    requests = load_live_requests(store, _in_question(chosen, memory))
    names = load_project_names(store)
    for row in chosen:
        row.project_name = row.project_name or names.get(row.project_id, "")
        if not is_known(row.status):
            log.warning("%s has the status %r, which is unknown; it is watched.", row.deploy_id, row.status)
    return [
        sight(
            row,
            memory.get(row.deploy_id),
            at,
            is_newest=newest[row.project_id] == row.deploy_id,
            requests=requests.get(row.project_id, ()),
            is_first_cycle=not memory,
        )
        for row in chosen
    ]


def _newest(rows: Iterable[LiveSummary]) -> dict[int, str]:
    """Return the newest deployment of each project; of two without a launch time, the first."""
    found: dict[int, LiveSummary] = {}
    for row in rows:
        other = found.get(row.project_id)
        launched = row.launched_at
        if other is None or (
            launched is not None and (other.launched_at is None or launched > other.launched_at)
        ):
            found[row.project_id] = row
    return {project_id: row.deploy_id for project_id, row in found.items()}


def _in_question(rows: Sequence[LiveSummary], memory: Mapping[str, Watched]) -> set[int]:
    """Return the projects of deployments that are new or have changed: who asked for that matters."""
    return {
        row.project_id
        for row in rows
        if row.deploy_id not in memory
        or not memory[row.deploy_id].is_known
        or memory[row.deploy_id].status != row.status
    }


def _look_closer(
    client: QuantConnectClient, report: CycleReport, limits: Limits, already_open: set[tuple[str, str]]
) -> None:
    """Read what has to be read of each deployment, news first; what takes too long waits a cycle."""
    wanted: list[tuple[bool, Sighting, Look]] = []
    for seen in report.sightings:
        problems = [*problems_of_status(seen), *problems_of_equity(seen, limits)]
        is_news = any(problem.key not in already_open for problem in problems)
        look = choose_look(seen, limits, is_news=is_news)
        if look is not None:
            wanted.append((is_news, seen, look))
    wanted.sort(key=lambda each: (not each[0], each[1].before.observed_at if each[1].before else report.at))
    end = time.monotonic() + _READING_SECONDS

    def read(entry: tuple[bool, Sighting, Look]) -> str | None:
        return take_look(client, entry[1], entry[2], limits) if time.monotonic() < end else None

    with ThreadPoolExecutor(_READERS) as readers:
        for (_, seen, _look), failure in zip(wanted, readers.map(read, wanted), strict=True):
            if failure is None:
                report.left += 1
            else:
                report.looks += 1
            if failure:
                report.failures[seen.row.deploy_id] = failure


def _settle_events(
    store: Store, report: CycleReport, open_before: Sequence[Event], missing: Missing, limits: Limits
) -> None:
    """Open the events of this cycle's problems, and resolve those whose problem is gone."""
    problems = [problem_of_gone(seen) for seen in missing.gone_unasked(store, report.at)]
    for seen in report.sightings:
        problems += problems_of_status(seen)
        problems += problems_of_equity(seen, limits)
        problems += problems_of_silence(seen, limits)
        problems += problems_of_log(seen)
    report.opened = open_events(store, problems, report.at)
    by_id = {seen.row.deploy_id: seen for seen in report.sightings}
    newest = {seen.row.project_id: seen for seen in report.sightings if seen.is_newest}
    runs_again, gone = [], []
    for event in [*open_before, *report.opened]:
        current = newest.get(event.project_id)
        if event.deploy_id in missing.unclear:
            continue
        if event.deploy_id in missing.gone and event.kind != STOPPED_ELSEWHERE:
            gone.append(event.key)
        elif current is not None and is_gone(event, by_id.get(event.deploy_id), current, limits):
            runs_again.append(event.key)
    report.resolved = resolve_events(store, runs_again, report.at)
    report.resolved += resolve_events(store, gone, report.at, runs_again=False)


def _equities(sightings: Iterable[Sighting]) -> list[dict[str, Any]]:
    """Return a row for each deployment that runs, and a last one for each that has just ended."""
    return [
        equity_row(
            project_id=seen.row.project_id,
            deploy_id=seen.row.deploy_id,
            status=seen.row.status,
            observed_at=seen.at,
            equity=seen.row.equity,
            statistics=seen.statistics,
        )
        for seen in sightings
        if seen.phase in (Phase.RUNNING, Phase.UNKNOWN) or (seen.ended and seen.before is not None)
    ]
