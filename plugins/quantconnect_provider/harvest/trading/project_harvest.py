"""Harvests what one project traded: positions, orders with their fills, closed trades."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from quantconnect_provider.client.errors import NotFoundError, StillLoadingError, UnreadableAnswerError
from quantconnect_provider.client.portfolio import Portfolio
from quantconnect_provider.client.status import phase_of
from quantconnect_provider.harvest.harvest_errors import one_line
from quantconnect_provider.harvest.trading.order_harvest import OrderHarvest, OrderSource, OrderWindow
from quantconnect_provider.harvest.trading.report import ProjectResult
from quantconnect_provider.harvest.trading.rows import position_rows
from quantconnect_provider.harvest.trading.trade_harvest import TradeHarvest, TradeSource
from quantconnect_provider.store import trading
from quantconnect_provider.store.change_rule import ENDED_LAG
from quantconnect_provider.store.commit_unit import HarvestTarget
from quantconnect_provider.store.events import (
    FILLS_MISMATCH,
    WARNING,
    Problem,
    list_open_events,
    open_events,
    resolve_events,
)
from quantconnect_provider.store.fills_check import disagreeing_orders
from quantconnect_provider.store.store import Store

log = logging.getLogger("quantconnect_provider.harvest")

_ORDERS_NAMED = 20


class TradingSource(OrderSource, TradeSource, Protocol):
    """What reads orders, closed trades and portfolios: the client."""

    def read_portfolio(self, project_id: int) -> Portfolio:
        """Return what the project's newest deployment holds."""


class ProjectHarvest:
    """The harvest of one project; :meth:`run` may be called again while QuantConnect loads its orders.

    :param targets: all deployments of the project.
    :param completed: by deployment, when its last complete harvest began.
    """

    def __init__(
        self,
        source: TradingSource,
        store: Store,
        targets: Sequence[HarvestTarget],
        result: ProjectResult,
        *,
        completed: dict[str, datetime],
        window: OrderWindow,
        full: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._source = source
        self._store = store
        self._targets = targets
        self.result = result
        self._window = window
        self._full = full
        self._clock = clock
        self._project_id = targets[0].project_id
        self._began_at = clock()
        self._positions_done = self._orders_done = False
        self._active = [
            target for target in targets if full or not _is_settled(target, completed.get(target.deploy_id))
        ]
        self._trades_pending = [target.deploy_id for target in self._active]

    def run(self, may_be_empty: bool) -> None:
        """Read what is not read yet.

        :param may_be_empty: whether to believe an answer without orders where none are known.
        :raises StillLoadingError: if QuantConnect is still loading orders or trades.
        :raises QuantConnectError: if the API does not answer.
        """
        if not self._active:
            self.result.status = "settled"
            return
        if not self._positions_done:
            self._read_positions()
            self._positions_done = True
        if not self._orders_done:
            self._read_orders(may_be_empty)
            self._orders_done = True
        self._read_trades(may_be_empty)
        trading.save_trading_complete(
            self._store, [target.deploy_id for target in self._active], self._began_at
        )

    def _read_positions(self) -> None:
        """Store what is held; what cannot be read leaves the stored positions as they are."""
        newest = max(self._targets, key=lambda target: _launch(target, self._began_at))
        self.result.requests += 1
        asked_at = self._clock()
        try:
            portfolio = self._source.read_portfolio(self._project_id)
        except (UnreadableAnswerError, NotFoundError) as error:
            log.warning("Project %s: its positions are not updated: %s", self._project_id, one_line(error))
            return
        rows = list(position_rows(portfolio, self._project_id, newest.deploy_id, asked_at))
        if trading.replace_positions(self._store, self._project_id, rows, asked_at):
            self.result.positions = len(rows)

    def _read_orders(self, may_be_empty: bool) -> None:
        suspects = self._open_mismatches()
        recheck = {deploy_id: self._disagreeing(deploy_id) for deploy_id in suspects}
        positions = [place for found in recheck.values() for place in found.values() if place is not None]
        orders = OrderHarvest(
            self._source,
            self._store,
            self._project_id,
            self.result,
            self._window,
            stopped={target.deploy_id: target.stopped_at for target in self._targets if _is_over(target)},
            recheck=positions,
        )
        orders.run(self._full, may_be_empty)
        self._report_mismatches(orders.disagreeing, suspects)

    def _read_trades(self, may_be_empty: bool) -> None:
        loading: StillLoadingError | None = None
        for deploy_id in list(self._trades_pending):
            harvest = TradeHarvest(
                self._source,
                self._store,
                self._project_id,
                deploy_id,
                result=self.result,
                window=self._window,
            )
            try:
                harvest.run(self._full, may_be_empty)
            except StillLoadingError as error:
                loading = error
            except NotFoundError as error:
                log.warning("%s: QuantConnect does not show its closed trades: %s", deploy_id, error)
                self._trades_pending.remove(deploy_id)
            else:
                self._trades_pending.remove(deploy_id)
        if loading is not None:
            raise loading

    def _disagreeing(self, deploy_id: str) -> dict[int, int | None]:
        return disagreeing_orders(self._store, self._project_id, deploy_id)

    def _open_mismatches(self) -> list[str]:
        return [
            event.deploy_id
            for event in list_open_events(self._store)
            if event.kind == FILLS_MISMATCH and event.project_id == self._project_id
        ]

    def _report_mismatches(self, disagreeing: dict[str, list[int]], suspects: Sequence[str]) -> None:
        """Open an event for each deployment with orders that disagree with their fills; resolve old ones."""
        now = self._clock()
        problems = []
        for deploy_id, order_ids in disagreeing.items():
            listed = ", ".join(map(str, order_ids[:_ORDERS_NAMED]))
            more = f" and {len(order_ids) - _ORDERS_NAMED:,} more" if len(order_ids) > _ORDERS_NAMED else ""
            message = f"Orders do not agree with the sums of their fills: {listed}{more}."
            log.warning("Project %s, %s: %s", self._project_id, deploy_id, message)
            detail = {"order_ids": order_ids[:_ORDERS_NAMED], "orders": len(order_ids)}
            problems.append(Problem(self._project_id, deploy_id, FILLS_MISMATCH, WARNING, message, detail))
        if problems:
            open_events(self._store, problems, now)
        solved = [
            (deploy_id, FILLS_MISMATCH)
            for deploy_id in suspects
            if deploy_id not in disagreeing and not self._disagreeing(deploy_id)
        ]
        resolve_events(self._store, solved, now)


def _is_over(target: HarvestTarget) -> bool:
    return phase_of(target.status, target.stopped_at, target.launched_at).over


def _is_settled(target: HarvestTarget, completed_at: datetime | None) -> bool:
    """Whether a deployment's trading was read after its last change could be seen."""
    if completed_at is None or target.stopped_at is None or not _is_over(target):
        return False
    return completed_at > target.stopped_at + ENDED_LAG


def _launch(target: HarvestTarget, unknown: datetime) -> tuple[datetime, str]:
    return target.launched_at or unknown, target.deploy_id
