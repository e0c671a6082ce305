"""What the store holds of orders, fills, closed trades and positions, compared with the sandbox's truth."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text

from dev.distributed.checks import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dev.distributed.checks import Evidence
    from quantconnect_provider.sandbox.process import SandboxProcess

    Row = tuple[Any, ...]

STATUSES = {1: "submitted", 2: "partiallyFilled", 3: "filled", 5: "canceled", 7: "invalid"}
QUERIES = {
    "orders": "SELECT deploy_id, order_id, position, symbol, status, quantity, price "
    "FROM quantconnect_orders",
    "fills": "SELECT deploy_id, order_id, event_id, quantity, price, fee FROM quantconnect_fills",
    "trades": "SELECT deploy_id, position, trade_id, quantity, entry_price, exit_price, profit_loss "
    "FROM quantconnect_trades",
    "positions": "SELECT deploy_id, symbol, quantity FROM quantconnect_positions",
}


def trading_checks(seen: Evidence) -> list[Check]:
    """Compare every row of what was there before; a row that is missing, doubled or different counts."""
    before = [one for one in seen.sandbox.deployments() if one["project_id"] not in seen.new]
    truth: dict[str, list[Row]] = {name: [] for name in QUERIES}
    for deployment in before:
        for name, row in _truth(seen.sandbox, deployment):
            truth[name].append(row)
    stored = _stored(seen.cluster.store_url, {one["deploy_id"] for one in before})
    return [_same(name, truth[name], stored[name]) for name in QUERIES]


def _same(name: str, truth: list[Row], stored: list[Row]) -> Check:
    missing, beyond = Counter(truth) - Counter(stored), Counter(stored) - Counter(truth)
    found = f"{len(stored)} {name}, {missing.total()} missing, {beyond.total()} too many or different"
    return Check(f"the stored {name} are the sandbox's", bool(truth) and not missing and not beyond, found)


def _truth(sandbox: SandboxProcess, deployment: Mapping[str, Any]) -> Iterator[tuple[str, Row]]:
    """Yield a table's name and a row of it, for all that a deployment traded and holds."""
    owner = deployment["deploy_id"]
    for place, order in enumerate(sandbox.orders(owner)):
        about = (order["symbol"]["id"], STATUSES[order["status"]], order["quantity"], order["price"])
        yield "orders", (owner, order["id"], place, *about)
        for event in order["events"]:
            if event["fillQuantity"]:
                figures = (event["fillQuantity"], event["fillPrice"], event.get("orderFeeAmount"))
                yield "fills", (owner, order["id"], event["orderEventId"], *figures)
    for place, trade in enumerate(sandbox.trades(owner)):
        prices = (trade["entryPrice"], trade["exitPrice"], trade["profitLoss"])
        yield "trades", (owner, place, trade["id"], trade["quantity"], *prices)
    for currency, amount in deployment["cash"].items():
        yield "positions", (owner, currency, amount)
    for held in deployment["holdings"]:
        yield "positions", (owner, held["symbolId"], held["quantity"])


def _stored(store_url: str, deploy_ids: set[str]) -> dict[str, list[Row]]:
    engine = create_engine(store_url)
    with engine.connect() as connection:
        found = {
            name: [tuple(row) for row in connection.execute(text(query)) if row.deploy_id in deploy_ids]
            for name, query in QUERIES.items()
        }
    engine.dispose()
    return found
