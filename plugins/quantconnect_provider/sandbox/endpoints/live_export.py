"""live/export/orders, live/export/trades and live/export/logs; live/export/insights is with the insights."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from quantconnect_provider.sandbox.answers import Answer, ApiError, Download, Params
from quantconnect_provider.sandbox.closed_trades import ClosedTrade
from quantconnect_provider.sandbox.endpoints.live_orders import shown_orders
from quantconnect_provider.sandbox.endpoints.live_trades import shown_trades
from quantconnect_provider.sandbox.endpoints.lookup import deployment_of, project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.orders import TYPE_NAMES, Order, filled, iso
from quantconnect_provider.sandbox.world import World

LONGEST_SECONDS = 750 * 86_400
PIECE_ROWS = 500
LOG_EXPORTS, LOG_EXPORTS_SECONDS = 45, 1800.0
ORDER_COLUMNS = ["Time", "Symbol", "Price", "Quantity", "Type", "Status", "Value", "Tag"]
TRADE_HEADER = (
    "Entry Time,Symbols,Exit Time,Direction,Entry Price,Exit Price,Quantity,P&L,Fees,MAE,MFE,Drawdown,IsWin,"
    "Order Ids"
)


@endpoint("live/export/orders")
def orders(world: World, params: Params, now: float) -> Answer:
    """Send the orders of all deployments by time; several deployments have a column of their own."""
    project = project_of(world, params)
    deployment_of(world, project, None, now)
    first = min(deployment.launched for deployment in project.deployments) - 3600
    end = params.integer("end", int(now))
    start = max(params.integer("start", int(first)), end - LONGEST_SECONDS)
    found = [(order, at) for order, at in shown_orders(world, project, now) if start <= order.created <= end]
    found.sort(key=lambda item: item[0].created)
    several = len(project.deployments) > 1
    header = ",".join(["Deploy", *ORDER_COLUMNS] if several else ORDER_COLUMNS)
    rows = (_line([*([order.deploy_id] if several else []), *_order(order, at)]) for order, at in found)
    return Download("orders.csv", "text/csv", _pieces(header, rows))


def _order(order: Order, at: float) -> list[object]:
    quantity, value = filled(order.until(at))
    status = order.status(at)
    return [
        iso(order.created, 7), order.ticker, round(value / quantity, 4) if quantity else 0, order.quantity,
        TYPE_NAMES[order.kind], status[0].upper() + status[1:], value, order.tag,
    ]  # fmt: skip


@endpoint("live/export/trades")
def trades(world: World, params: Params, now: float) -> Answer:
    """Send the closed trades of all deployments whose entry is not before `start`."""
    project = project_of(world, params)
    deployment_of(world, project, None, now)
    start = params.integer("start", 0)
    rows = (
        _trade(trade)
        for deployment in project.deployments
        for _, trade, _ in shown_trades(world, deployment, now)
        if trade.entry_at >= start
    )
    return Download("trades.csv", "text/csv", _pieces(TRADE_HEADER, rows))


def _trade(trade: ClosedTrade) -> str:
    ids = ",".join(map(str, trade.order_ids))
    numbers = [trade.entry_price, trade.exit_price, trade.quantity, trade.profit, trade.fees,
               min(trade.profit, 0.0), max(trade.profit, 0.0), max(-trade.profit, 0.0)]  # fmt: skip
    fields = [
        iso(trade.entry_at, 7), f'"{trade.entry.ticker}"', iso(trade.exit_at, 7),
        "Sell" if trade.direction else "Buy", *(f"{number:.10g}" for number in numbers),
        str(int(trade.profit > 0)), f'"\t{ids}"',
    ]  # fmt: skip
    return ",".join(fields)


@endpoint("live/export/logs")
def logs(world: World, params: Params, now: float) -> Answer:
    """Send the log lines of all deployments, oldest first; `deployId` only names the file."""
    project = project_of(world, params)
    deployment = deployment_of(world, project, params.text("deployId"), now)
    recent = [at for at in world.log_exports if at > now - LOG_EXPORTS_SECONDS]
    if len(recent) >= LOG_EXPORTS:
        raise ApiError(f"Only {LOG_EXPORTS} log exports are allowed in 30 minutes. {world.reference()}")
    world.log_exports = [*recent, now]
    first, *lines = [line for each in project.deployments for line in each.logs] or [""]
    name = f"algorithm-log_{deployment.deploy_id}.txt"
    return Download(name, "application/octet-stream", _pieces(first, iter(lines)))


def _line(fields: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


def _pieces(header: str, lines: Iterator[str]) -> Iterator[bytes]:
    piece = [header]
    for line in lines:
        piece.append(line)
        if len(piece) >= PIECE_ROWS:
            yield ("\n".join(piece) + "\n").encode()
            piece = []
    yield "".join(f"{line}\n" for line in piece).encode()
