"""One deployment: its way through the statuses and what it holds on the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from quantconnect_provider.sandbox.brokerage_account import BrokerageAccount
from quantconnect_provider.sandbox.clock import Schedule
from quantconnect_provider.sandbox.insight_book import InsightBook
from quantconnect_provider.sandbox.order_book import OrderBook
from quantconnect_provider.sandbox.order_generator import OrderGenerator
from quantconnect_provider.sandbox.scenario_spec import Deploy, RuntimeFailure

OVER = frozenset({"DeployError", "Stopped", "Liquidated", "Deleted", "Completed", "RuntimeError", "Invalid"})
PAPER = "QuantConnectBrokerage"


def stamp(moment: float | None) -> str | None:
    """Time as live/read writes it: UTC, without a zone."""
    if moment is None:
        return None
    return dt.datetime.fromtimestamp(moment, dt.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


class Deployment:
    """A live algorithm; `schedule` is where it puts what will happen to it.

    :param number: the account-wide internal number, which only live/export/insights shows
    :param request: the body of live/create, credentials included
    """

    def __init__(self, *, deploy_id: str, number: int, project_id: int, request: dict[str, Any],
                 node_id: str | None, launched: float, settings: Deploy,
                 book: InsightBook, account: BrokerageAccount, generator: OrderGenerator,
                 schedule: Schedule) -> None:  # fmt: skip
        self.deploy_id = deploy_id
        self.number = number
        self.project_id = project_id
        self.request = request
        self.node_id = node_id
        self.launched = launched
        self.stopped: float | None = None
        self.status = "InQueue"
        self.message = ""
        self.settings = settings
        self.book = book
        self.account = account
        self.orders = OrderBook(generator, account, self._later, self.log)
        self.logs: list[str] = []
        self.history: list[tuple[float, str]] = []
        self.restarts = 0
        self.commands: list[Any] = []
        self.requested: list[str] = []
        self.listed_from = launched + settings.listed_after_seconds
        self.on_restart: Callable[[float], None] = self.begin
        self.silent_since: float | None = None
        self._schedule = schedule
        self._life = 0

    # --- what it is ----------------------------------------------------------------------------------

    @property
    def brokerage_id(self) -> str:
        """The `id` it was created with."""
        return str(self.request.get("brokerage", {}).get("id", PAPER))

    @property
    def brokerage_shown(self) -> str:
        """What the API calls its brokerage: output names differ from input names for paper trading."""
        return "PaperBrokerage" if self.brokerage_id == PAPER else self.brokerage_id

    @property
    def over(self) -> bool:
        """Whether its status is a last one (a restart may still follow)."""
        return self.status in OVER

    def log(self, now: float, text: str) -> None:
        """Add a line to its log, unless it writes no more."""
        if self.silent_since is None:
            self.logs.append(f"{stamp(now)} {text}")

    def _note(self, now: float, text: str) -> None:
        """Add a line that does not come from the algorithm."""
        self.logs.append(f"{stamp(now)} {text}")

    # --- what happens to it --------------------------------------------------------------------------

    def begin(self, now: float) -> None:
        """Go through the starting stages, then Running (or fail, if the scenario says so)."""
        self._life += 1
        self.stopped = self.silent_since = None
        self.logs.append(f"Launching analysis for {self.deploy_id} with LEAN Engine v2.5.0.0.17503")
        self._next_stage(now, list(self.settings.starting.items()))

    def _next_stage(self, now: float, stages: list[tuple[str, float]]) -> None:
        if not stages:
            self._start_is_over(now)
            return
        (status, seconds), *rest = stages
        self._become(status, now)
        fail = self.settings.fail
        if fail is not None and fail.at == status:
            self._later(now + seconds, lambda when: self.fail(when, fail.status, fail.message, fail.logs))
        else:
            self._later(now + seconds, lambda when: self._next_stage(when, rest))

    def _start_is_over(self, now: float) -> None:
        fail = self.settings.fail
        if fail is not None:
            self.fail(now, fail.status, fail.message, fail.logs)
            return
        self.run(now)

    def run(self, now: float, fresh: bool = True) -> None:
        """Be Running from now on; a `fresh` one emits its first insights at once."""
        self._become("Running", now)
        for line in self.settings.log_lines if fresh else ():
            self.log(now, line)
        if self.settings.log_every_seconds > 0:
            self._later(now + self.settings.log_every_seconds, self._report)
        self.book.begin(now, fresh)
        self.orders.begin(now, fresh)
        self._schedule_trouble(now)
        failure = self.settings.runtime_error
        if failure is not None:
            self._later(now + failure.after_seconds, lambda when: self._runtime_error(when, failure))

    def _schedule_trouble(self, now: float) -> None:
        """Schedule what goes wrong while the status stays Running, as the scenario says."""
        settings, drawdown = self.settings, self.settings.drawdown
        if drawdown is not None:
            self._later(now + drawdown.after_seconds, lambda when: self.orders.lose(drawdown.fraction, when))
        if settings.stale_after_seconds is not None:
            self._later(now + settings.stale_after_seconds, self.go_stale)
        if settings.disconnect_after_seconds is not None:
            self._later(now + settings.disconnect_after_seconds, self.disconnect)

    def go_stale(self, now: float) -> None:
        """Do nothing more: no log line, order or insight; the status stays."""
        self.silent_since = now
        self.orders.pause()
        self.book.pause(now)

    def disconnect(self, now: float) -> None:
        """Lose the connection to the brokerage, as after a missed weekly login; the status stays."""
        self.orders.connected = False
        self.log(now, "Check phone for two-factor authentication")
        self.log(now, "History requests cannot be submitted when disconnected")

    def reconnect(self, now: float) -> None:
        """Have the connection again."""
        self.orders.connected = True
        self.log(now, "Brokerage connection restored")

    def _report(self, now: float) -> None:
        """Write the log line of an algorithm that runs well, and schedule the next."""
        self.log(now, f"Portfolio value: {self.account.portfolio.equity:,.2f}")
        if self.settings.log_every_seconds > 0:
            self._later(now + self.settings.log_every_seconds, self._report)

    def fail(self, now: float, status: str, message: str, logs: list[str]) -> None:
        """End badly."""
        for line in [*logs, message]:
            self._note(now, line)
        self.message = message
        self._end(status, now)

    def _runtime_error(self, now: float, failure: RuntimeFailure) -> None:
        self.fail(now, "RuntimeError", failure.message, failure.logs)
        if self.request.get("automaticRedeploy") and self.restarts < failure.restarts:
            self.restart_later(now, failure.restart_seconds)

    def restart_later(self, now: float, seconds: float) -> None:
        """Start again after `seconds`, unless something else happens first."""
        self._later(now + seconds, self._restart)

    def _restart(self, now: float) -> None:
        self.restarts += 1
        self.message = ""
        self.on_restart(now)

    def receive(self, now: float, command: dict[str, Any]) -> None:
        """Log what a command says; one that arrives while the algorithm does not run is lost."""
        if self.status != "Running":
            return
        self.commands.append(command)
        fields = {name: value for name, value in command.items() if name != "$type"}
        if "$type" in command:
            said = "; ".join(f"{name}: {value}" for name, value in fields.items())
            self.log(now, f"Encapsulated command. {said}")
        else:
            said = "; ".join(f"data.{name}: {value}" for name, value in fields.items())
            self.log(now, f"Generic command. {said}")

    def stop(self, now: float) -> None:
        """Stop after the time that takes; holdings stay."""
        self.requested.append("stop")
        self._note(now, "Algorithm stop requested")
        self._later(now + self.settings.stop_seconds, lambda when: self._end("Stopped", when))

    def liquidate(self, now: float) -> None:
        """Sell what can be sold, then end as Liquidated."""
        self.requested.append("liquidate")
        self._note(now, "Algorithm liquidation requested")
        self._schedule.at(now + self.settings.sell_seconds, self._sell)
        self._later(now + self.settings.liquidate_seconds, lambda when: self._end("Liquidated", when))

    def _sell(self, now: float) -> None:
        self.orders.sell_all(now, self.settings.unsellable)

    def set_status(self, now: float, status: str, message: str) -> None:
        """Be in any status at once, whatever was to happen next (for the control API)."""
        self._life += 1
        self.message = message or self.message
        if status in OVER:
            self._end(status, now)
        elif status == "Running":
            self.stopped = None
            self.run(now, fresh=False)
        else:
            self.stopped = None
            self._become(status, now)

    def _end(self, status: str, now: float) -> None:
        self._life += 1
        self.stopped = now
        self._become(status, now)
        self._note(now, f"Algorithm ended: {status}")
        self.book.end(now)

    def _become(self, status: str, now: float) -> None:
        self.status = status
        self.history.append((now, status))

    def _later(self, when: float, action: Callable[[float], None]) -> None:
        """Schedule `action` unless the deployment ends, restarts or is overruled before."""
        life = self._life
        self._schedule.at(when, lambda now: action(now) if self._life == life else None)
