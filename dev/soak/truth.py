"""Compares the store with the sandbox's truth, while the clock stands still after a harvest."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, select

from quantconnect_provider.sandbox.orders import STATUSES
from quantconnect_provider.store.schema import deployments, insights
from quantconnect_provider.store.trading_tables import fills, orders, trades
from quantconnect_provider.store.watch_tables import events, live_requests

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Engine, Table
    from sqlalchemy.engine import URL

    from dev.soak.day import Happened
    from quantconnect_provider.sandbox.process import RemoteSandbox

INSIGHT_FIELDS = (
    "project_id", "deploy_id", "position", "generated_at", "closes_at", "symbol", "ticker", "insight_type",
    "direction", "magnitude", "confidence", "weight", "reference_value", "reference_value_final",
    "score_is_final", "score_direction", "score_magnitude", "estimated_value", "tag",
)  # fmt: skip
_STATUS_NAMES = {number: name for name, number in STATUSES.items()}
_NAMED = 3  # of the rows that differ

Rows = dict[Any, Any]
"""What a row says, by its key."""


class Truth:
    """What the sandbox knows, and what the store has of it."""

    def __init__(self, sandbox: RemoteSandbox, store: URL, happened: Happened) -> None:
        self._sandbox = sandbox
        self._engine: Engine = create_engine(store)
        self._happened = happened
        self._at_start = {one["deploy_id"] for one in sandbox.deployments()}
        self.counts: Counter[str] = Counter()

    def differences(self) -> list[str]:
        """Return everything in which the store is not the truth; empty when all is well."""
        real = self._sandbox.deployments()
        found = [
            *_compare("deployments", _statuses(real), self._stored(deployments, ("deploy_id",), ("status",))),
            *self._compare_insights(real),
            *self._compare_trading(real),
            *self._compare_events(),
            *self._compare_requests(real),
            *_two_running(real),
        ]
        self.counts["deployments"] = len(real)
        return found

    def close(self) -> None:
        """Close the connections to the store."""
        self._engine.dispose()

    def _compare_insights(self, real: Iterable[Mapping[str, Any]]) -> list[str]:
        truth: Rows = {}
        for one in real:
            for position, row in enumerate(self._sandbox.insights(one["deploy_id"])["rows"]):
                known = {**row, "project_id": one["project_id"], "deploy_id": one["deploy_id"]}
                known["position"] = position
                key = (row["insight_id"].replace("-", ""),)
                truth[key] = tuple(_plain(known[name]) for name in INSIGHT_FIELDS)
        self.counts["insights"] = len(truth)
        return _compare("insights", truth, self._stored(insights, ("insight_id",), INSIGHT_FIELDS))

    def _compare_trading(self, real: Iterable[Mapping[str, Any]]) -> list[str]:
        true_orders: Rows = {}
        true_fills: Rows = {}
        true_trades: Rows = {}
        for one in real:
            deploy_id = one["deploy_id"]
            for row in self._sandbox.orders(deploy_id):
                status = _STATUS_NAMES[row["status"]]
                true_orders[deploy_id, row["id"]] = (status, row["quantity"], row["price"], row["value"])
                for event in row["events"]:
                    if event["fillQuantity"]:
                        key = (deploy_id, row["id"], event["orderEventId"])
                        true_fills[key] = (event["fillQuantity"], event["fillPrice"], round(event["time"], 3))
            for row in self._sandbox.trades(deploy_id):
                seen = (deploy_id, row["quantity"], row["entryPrice"], row["exitPrice"], row["profitLoss"])
                true_trades[(row["id"].replace("-", ""),)] = seen
        self.counts.update(orders=0, fills=0, trades=0)
        for name, true in (("orders", true_orders), ("fills", true_fills), ("trades", true_trades)):
            self.counts[name] = len(true)
        order_fields = ("status", "quantity", "price", "value")
        trade_fields = ("deploy_id", "quantity", "entry_price", "exit_price", "profit_loss")
        stored_trades = self._stored(trades, ("trade_id",), trade_fields)
        return [
            *_compare("orders", true_orders, self._stored(orders, ("deploy_id", "order_id"), order_fields)),
            *_compare(
                "fills",
                true_fills,
                self._stored(
                    fills, ("deploy_id", "order_id", "event_id"), ("quantity", "price", "filled_at")
                ),
            ),
            *_compare(
                "trades", true_trades, {(key[0].replace("-", ""),): row for key, row in stored_trades.items()}
            ),
        ]

    def _compare_events(self) -> list[str]:
        """Each death has one event and its recovery another, each loss has one, and there are no others."""
        happened = self._happened
        truth = Counter(
            [(deploy_id, "died") for deploy_id in happened.died]
            + [(deploy_id, "recovered") for deploy_id in happened.died]
            + [(deploy_id, "drawdown") for deploy_id in happened.lost]
        )
        with self._engine.connect() as connection:
            rows = connection.execute(select(events.c.deploy_id, events.c.kind, events.c.action)).all()
        stored = Counter((row.deploy_id, row.kind) for row in rows)
        self.counts["events"] = len(rows)
        for action in ("redeploy", "liquidate"):
            self.counts[action] = sum(row.action == action for row in rows)
        return _compare("events", dict(truth), dict(stored))

    def _compare_requests(self, real: Iterable[Mapping[str, Any]]) -> list[str]:
        """Each deployment that was made here is known by one request, and was asked for once."""
        made = [one["deploy_id"] for one in real if one["deploy_id"] not in self._at_start]
        query = select(live_requests.c.deploy_id).where(live_requests.c.action == "deploy")
        with self._engine.connect() as connection:
            asked = [row.deploy_id for row in connection.execute(query)]
        self.counts["deploys"] = len(made)
        orphans = sorted(set(made) - set(asked))
        found = [f"orphan: {deploy_id} is known to no request of this Airflow" for deploy_id in orphans]
        if len(made) > len(asked):
            found.append(f"doubled: {len(made)} deployments were made, and {len(asked)} were asked for")
        return found

    def _stored(self, table: Table, key: tuple[str, ...], fields: tuple[str, ...]) -> Rows:
        with self._engine.connect() as connection:
            rows = connection.execute(select(*(table.c[name] for name in (*key, *fields)))).all()
        size = len(key)
        return {tuple(row[:size]): tuple(_plain(value) for value in row[size:]) for row in rows}


def _plain(value: Any) -> Any:
    """Return unix seconds for a time, to the millisecond, and every other value as it is."""
    return round(value.timestamp(), 3) if isinstance(value, datetime) else value


def _statuses(real: Iterable[Mapping[str, Any]]) -> Rows:
    return {(one["deploy_id"],): (one["status"],) for one in real}


def _two_running(real: Iterable[Mapping[str, Any]]) -> list[str]:
    running = Counter(one["project_id"] for one in real if not one["over"])
    return [
        f"doubled: {count} deployments of project {each} run" for each, count in running.items() if count > 1
    ]


def _compare(what: str, truth: Rows, stored: Rows) -> list[str]:
    """Say what is missing, too many and different, with the first few."""
    kinds = {
        "lost": [key for key in truth if key not in stored],
        "too many": [key for key in stored if key not in truth],
        "different": [key for key in truth if key in stored and stored[key] != truth[key]],
    }
    found = []
    for kind, keys in kinds.items():
        if keys:
            shown = "; ".join(f"{key}: {truth.get(key)} / {stored.get(key)}" for key in keys[:_NAMED])
            found.append(f"{what}: {len(keys)} of {len(truth)} {kind} (true / stored: {shown})")
    return found
