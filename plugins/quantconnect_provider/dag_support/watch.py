"""What the DAG `quantconnect_watch` does in a cycle: look at all deployments, and log what it saw."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider import config
from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.status import Phase
from quantconnect_provider.dag_support.projects import connect
from quantconnect_provider.hooks.store import QuantConnectStoreHook
from quantconnect_provider.plain_text import counted, log_table
from quantconnect_provider.store.events import Event, list_open_events
from quantconnect_provider.store.store import Store
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.watch.cycle import CycleReport, run_cycle
from quantconnect_provider.watch.limits import Limits
from quantconnect_provider.watch.market_hours import MarketHours
from quantconnect_provider.watch.report import report_daily
from quantconnect_provider.watch.rules import drawdown
from quantconnect_provider.watch.sighting import Sighting

if TYPE_CHECKING:
    from quantconnect_provider.options import Settings

log = logging.getLogger(__name__)

_ROWS = 100  # of the table; what needs attention comes first
_CALENDAR = "[quantconnect] market_calendar"
_LATEST_HOUR = 23


def observe() -> dict[str, int]:
    """Run one cycle of the watch, and log a table; returns the counts.

    :raises QuantConnectTaskFailed: when a setting or the connection cannot be right.
    :raises QuantConnectError: when live/list cannot be read; nothing has changed then.
    """
    settings = config.load()
    with plain_errors():
        limits = read_limits(settings)
        hour = settings.daily_report_hour
        if hour > _LATEST_HOUR:
            raise InvalidSettingError(
                f"[quantconnect] daily_report_hour is {hour}.",
                advice="It must be an hour from 0 to 23, or -1.",
            )
        with connect() as client, Store.open(QuantConnectStoreHook().get_conn()) as store:
            report = run_cycle(client, store, limits)
            if hour >= 0 and report_daily(store, report.at, hour):
                log.info("The daily report is ready.")
            still_open = list_open_events(store)
            return log_cycle(report, still_open, client.requests_sent)


def read_limits(settings: Settings) -> Limits:
    """Return what the settings say the watch may tolerate.

    :raises InvalidSettingError: naming the setting that cannot be right.
    """
    return Limits(
        stale_seconds=settings.stale_minutes * 60,
        drawdown=settings.drawdown_limit,
        log_seconds=settings.watch_log_minutes * 60,
        hours=read_market_calendar(settings.market_calendar),
    )


def read_market_calendar(text: str) -> MarketHours:
    """Read the name of a calendar, or a JSON object of names by project id and ``default``.

    :raises InvalidSettingError: if it is neither.
    """
    if not text.lstrip().startswith("{"):
        return MarketHours(text.strip() or MarketHours.default)
    advice = 'Write it like XNYS, or like {"default": "XNYS", "12345678": "24/7"}.'
    try:
        named = json.loads(text)
    except ValueError as error:
        raise InvalidSettingError(f"{_CALENDAR} is no JSON: {error}.", advice=advice) from None
    default = named.pop("default", MarketHours.default)
    wrong = [key for key, value in named.items() if not key.isdecimal() or not isinstance(value, str)]
    if wrong or not isinstance(default, str):
        raise InvalidSettingError(f"{_CALENDAR}: {wrong[0] if wrong else 'default'} is wrong.", advice=advice)
    return MarketHours(default, {int(key): value for key, value in named.items()})


def log_cycle(report: CycleReport, still_open: Sequence[Event], requests: int) -> dict[str, int]:
    """Log a table of what is watched, one of the events that changed, and a line of counts."""
    kinds: dict[str, list[str]] = {}
    for event in still_open:
        kinds.setdefault(event.deploy_id, []).append(event.kind)
    shown = [seen for seen in report.sightings if not seen.phase.over or seen.row.deploy_id in kinds]
    shown.sort(key=lambda seen: (seen.row.deploy_id not in kinds, -drawdown(seen), seen.row.deploy_id))
    heads = ("project", "deployment", "status", "equity", "below highest", "open events")
    log_table(log, heads, [_row(seen, kinds) for seen in shown[:_ROWS]], numbers=heads[3:5])
    if len(shown) > _ROWS:
        log.info("... and %s without events.", counted(len(shown) - _ROWS, "deployment"))
    changed = [("opened", event) for event in report.opened] + [("gone", event) for event in report.resolved]
    log_table(
        log,
        ("event", "kind", "severity", "project", "deployment", "message"),
        [
            (what, event.kind, event.severity, str(event.project_id), event.deploy_id, event.message)
            for what, event in changed
        ],
    )
    counts = {
        "running": sum(1 for seen in report.sightings if seen.phase is Phase.RUNNING),
        "listed": report.listed,
        "requests": requests,
        "opened": len(report.opened),
        "resolved": len(report.resolved),
        "open": len(still_open),
    }
    log.info(
        "%s of %s running, %s; %s opened, %d gone, %d open.",
        f"{counts['running']:,}",
        counted(report.listed, "listed deployment"),
        counted(requests, "request"),
        counted(counts["opened"], "event"),
        counts["resolved"],
        counts["open"],
    )
    if report.failures or report.left:
        log.warning(
            "%s could not be read, %d had to wait; the next cycle reads them.",
            counted(len(report.failures), "deployment"),
            report.left,
        )
    return counts


def _row(seen: Sighting, kinds: dict[str, list[str]]) -> tuple[Any, ...]:
    row, equity = seen.row, seen.now.equity
    lost = drawdown(seen)
    return (
        row.project_name or row.project_id,
        row.deploy_id,
        row.status,
        "" if equity is None else f"{equity:,.2f}",
        f"{lost:.1%}" if lost else "",
        ", ".join(sorted(kinds.get(row.deploy_id, ()))),
    )
