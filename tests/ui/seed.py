"""A store with something of everything: what the page's tests and screenshots show."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import insert

from quantconnect_provider.store import Store
from quantconnect_provider.store.schema import deployments, harvests, insights
from quantconnect_provider.store.scorecard_tables import scorecards
from quantconnect_provider.store.watch_tables import equity, events

HOSTILE = '<img src=x onerror="window.hacked=1">\'; DROP TABLE quantconnect_insights; --'
PROJECTS = [
    # project, name, brokerage, status, days since launch, days since stop
    (11000001, "ETF momentum", "InteractiveBrokersBrokerage", "Running", 41, None),
    (11000002, "Pairs mean reversion", "AlpacaBrokerage", "RuntimeError", 19, 0.2),
    (11000003, "Crypto trend", "CoinbaseBrokerage", "Running", 88, None),
    (11000004, "Overnight gap", "PaperBrokerage", "Stopped", 60, 3),
    (11000005, HOSTILE, "PaperBrokerage", "LoggingIn", 0.01, None),
]
MODELS = ("MomentumAlphaModel", "EmaCrossAlphaModel", "RsiAlphaModel")
TICKERS = ("SPY", "QQQ", "IWM", "GLD", "TLT")


def deploy_id_of(project_id: int) -> str:
    """The deployment of one of the projects."""
    return f"L-{project_id:032x}"


def fill(store: Store, now: datetime | None = None, insights_each: int = 400, hostile: str = HOSTILE) -> None:
    """Fill an empty store; the same rows for the same *now*. *hostile* stands where others may write."""
    now = now or datetime.now(timezone.utc).replace(microsecond=0)
    chance = random.Random(7)
    rows: dict[Any, list[dict[str, Any]]] = {
        table: [] for table in (deployments, insights, harvests, equity, events, scorecards)
    }
    for project_id, name, brokerage, status, age_days, stopped_days in PROJECTS:
        launched_at = now - timedelta(days=age_days)
        stopped_at = None if stopped_days is None else now - timedelta(days=stopped_days)
        deploy_id = deploy_id_of(project_id)
        rows[deployments].append(
            {
                "deploy_id": deploy_id,
                "project_id": project_id,
                "project_name": name,
                "status": status,
                "brokerage": brokerage,
                "launched_at": launched_at,
                "stopped_at": stopped_at,
                "observed_at": now - timedelta(minutes=4),
                "complete_at": now - timedelta(hours=9) if age_days > 1 else None,
            }
        )
        if age_days < 1:
            continue
        until = stopped_at or now
        rows[insights] += _insights(chance, project_id, deploy_id, launched_at, until, insights_each)
        rows[equity] += _equity(chance, project_id, deploy_id, until, status)
        rows[harvests] += _harvests(chance, project_id, deploy_id, now, int(min(age_days, 14)))
        rows[scorecards] += _scorecards(chance, project_id, now)
    rows[events] += _events(now)
    with store.engine.begin() as connection:
        for table, values in rows.items():
            connection.execute(insert(table), [_with(each, hostile) for each in values])


def _with(row: dict[str, Any], hostile: str) -> dict[str, Any]:
    return {
        name: value.replace(HOSTILE, hostile) if isinstance(value, str) else value
        for name, value in row.items()
    }


def _insights(
    chance: random.Random, project_id: int, deploy_id: str, first: datetime, last: datetime, count: int
) -> list[dict[str, Any]]:
    found = []
    for position in range(count):
        generated_at = first + (last - first) * (position / count)
        closes_at = generated_at + timedelta(days=chance.choice((1, 2, 5)))
        closed = closes_at < last
        direction = chance.choice(("up", "up", "down", "flat"))
        found.append(
            {
                "project_id": project_id,
                "insight_id": f"{project_id:016x}{position:016x}",
                "deploy_id": deploy_id,
                "position": position,
                "generated_at": generated_at,
                "closes_at": closes_at,
                "symbol": "SPY R735QTJ8XC9X",
                "ticker": chance.choice(TICKERS),
                "insight_type": "price",
                "direction": direction,
                "period_seconds": (closes_at - generated_at).total_seconds(),
                "magnitude": round(chance.uniform(0, 0.03), 4),
                "confidence": round(chance.random(), 3),
                "weight": round(chance.random(), 2),
                "reference_value": round(chance.uniform(90, 520), 2),
                "reference_value_final": round(chance.uniform(90, 520), 2) if closed else None,
                "score_is_final": closed,
                "score_direction": float(chance.random() < 0.55) if closed else None,
                "score_magnitude": round(chance.random(), 3) if closed else None,
                "source_model": chance.choice(MODELS),
                "tag": HOSTILE if position == count - 1 else chance.choice(("breakout", "", "rebalance 5 %")),
                "extra": {},
                "first_seen_at": generated_at,
                "observed_at": last,
            }
        )
    return found


def _equity(
    chance: random.Random, project_id: int, deploy_id: str, last: datetime, status: str
) -> list[dict[str, Any]]:
    value, found = 100_000.0, []
    for step in range(600):
        value *= 1 + chance.gauss(0.00012, 0.0016) + 0.0002 * math.sin(step / 40)
        found.append(
            {
                "deploy_id": deploy_id,
                "observed_at": last - timedelta(minutes=10 * (600 - step)),
                "project_id": project_id,
                "status": status,
                "equity": round(value, 2),
            }
        )
    return found


def _harvests(
    chance: random.Random, project_id: int, deploy_id: str, now: datetime, nights: int
) -> list[dict[str, Any]]:
    found = []
    for night in range(nights):
        started_at = now - timedelta(days=night, hours=9)
        failed = night == 5
        found.append(
            {
                "harvest_id": f"{deploy_id}-{night}",
                "project_id": project_id,
                "deploy_id": deploy_id,
                "run_id": f"scheduled__{started_at.isoformat()}",
                "started_at": started_at,
                "finished_at": started_at + timedelta(seconds=chance.uniform(0.6, 4)),
                "requests": chance.randint(2, 5),
                "read": chance.randint(20, 80),
                "inserted": 0 if failed else chance.randint(5, 15),
                "updated": 0 if failed else chance.randint(5, 40),
                "status": "failed" if failed else "complete",
                "error": f"live/insights/read answered 503 {HOSTILE}" if failed else None,
            }
        )
    return found


def _scorecards(chance: random.Random, project_id: int, now: datetime) -> list[dict[str, Any]]:
    found = []
    for model in MODELS:
        for ticker in TICKERS:
            scored = chance.randint(8, 40)
            hits = round(scored * chance.uniform(0.4, 0.68))
            found.append(
                {
                    "project_id": project_id,
                    "source_model": model,
                    "ticker": ticker,
                    "horizon": "1d",
                    "insights": scored + 3,
                    "open": 3,
                    "scored": scored,
                    "hits": hits,
                    "hit_rate": hits / scored,
                    "returns": scored,
                    "mean_signed_return": chance.gauss(0.0008, 0.002),
                    "calibration": [],
                    "computed_at": now - timedelta(hours=8),
                }
            )
    return found


def _events(now: datetime) -> list[dict[str, Any]]:
    def event(project_id: int, kind: str, severity: str, message: str, **fields: Any) -> dict[str, Any]:
        return {
            "event_id": f"{deploy_id_of(project_id)}-{kind}-1",
            "project_id": project_id,
            "deploy_id": deploy_id_of(project_id),
            "kind": kind,
            "severity": severity,
            "message": message,
            "detail": {},
            "opened_at": now - timedelta(hours=5),
            "resolved_at": None,
            "observed_at": now,
            "action": None,
            "action_run_id": None,
            **fields,
        }

    return [
        event(11000002, "died", "critical", f"RuntimeError: division by zero {HOSTILE}"),
        event(
            11000001,
            "drawdown",
            "warning",
            "Equity is 3.2 % below its highest.",
            action="stop",
            action_run_id="policy__1",
        ),
        event(
            11000003,
            "stale",
            "warning",
            "No new log line for 3 h.",
            resolved_at=now - timedelta(hours=2),
        ),
    ]
