"""Verbs about deployments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from quantconnect_provider.sandbox.control.verb import Controlled, verb
from quantconnect_provider.sandbox.deployment import PAPER, Deployment
from quantconnect_provider.sandbox.node_rows import node_lists
from quantconnect_provider.sandbox.portfolio import Portfolio
from quantconnect_provider.sandbox.scenario_spec import Cash, Holding


class DeploymentVerbs(Controlled):
    """Deployments."""

    @verb
    def deployments(self, project_id: int | None = None) -> list[dict[str, Any]]:
        """List every deployment as it really is, oldest first.

        Beside id, status, times (unix seconds) and node: `history` of statuses, `requested` (stop and
        liquidate as they came), `request` (the whole body of live/create, credentials included),
        `insights` (how many are listed), cash and holdings.
        """
        now, world = self.world.tick(), self.world
        found = world.deployments.values() if project_id is None else self._project(project_id).deployments
        return [_truth(deployment, now) for deployment in found]

    @verb
    def deploy(
        self, project_id: int, node_id: str | None = None, brokerage: dict[str, Any] | None = None
    ) -> str:
        """Deploy the project as another user would, by default as paper on a free node; returns its id."""
        free = (n["id"] for n in node_lists(self.world)["live"] if not n["busy"])
        request = {"brokerage": brokerage or {"id": PAPER}}
        node = node_id or next(free, None)
        return self.world.deploy(self._project(project_id), request, node, self.world.tick()).deploy_id

    @verb
    def set_status(self, deploy_id: str, status: str, message: str = "") -> None:
        """Put a deployment in any status at once; what was about to happen to it no longer does."""
        self._deployment(deploy_id).set_status(self.world.tick(), status, message)

    @verb
    def fail(
        self,
        deploy_id: str,
        message: str = "Runtime Error: failed by request",
        status: str = "RuntimeError",
        logs: Sequence[str] = (),
        restart_after_seconds: float | None = None,
    ) -> None:
        """End a deployment badly; with `restart_after_seconds` it starts again by itself after that."""
        now, deployment = self.world.tick(), self._deployment(deploy_id)
        deployment.fail(now, status, message, list(logs))
        if restart_after_seconds is not None:
            deployment.restart_later(now, restart_after_seconds)

    @verb
    def restart(self, deploy_id: str) -> None:
        """Have the deployment fail and start again at once."""
        now, deployment = self.world.tick(), self._deployment(deploy_id)
        if not deployment.over:
            deployment.fail(now, "RuntimeError", "Runtime Error: restarted by request", [])
        deployment.restart_later(now, 0.0)
        self.world.tick()

    @verb
    def set_holdings(self, deploy_id: str, holdings: Sequence[dict[str, Any]]) -> None:
        """Give it these holdings: symbol, symbolId, quantity, averagePrice, price."""
        deployment = self._deployment(deploy_id)
        owned = Portfolio([], msgspec.convert(list(holdings), list[Holding]))
        owned.cash = dict(deployment.account.portfolio.cash)
        deployment.account.own(owned, self.world.tick())

    @verb
    def set_cash(self, deploy_id: str, cash: Sequence[dict[str, Any]]) -> None:
        """Give it this cash: currency, amount."""
        deployment = self._deployment(deploy_id)
        owned = Portfolio(msgspec.convert(list(cash), list[Cash]), [])
        owned.holdings = dict(deployment.account.portfolio.holdings)
        deployment.account.own(owned, self.world.tick())


def _truth(deployment: Deployment, now: float) -> dict[str, Any]:
    deployment.book.settle(now)
    return {
        "deploy_id": deployment.deploy_id,
        "number": deployment.number,
        "project_id": deployment.project_id,
        "status": deployment.status,
        "over": deployment.over,
        "message": deployment.message,
        "node_id": deployment.node_id,
        "launched": deployment.launched,
        "stopped": deployment.stopped,
        "history": [{"at": at, "status": status} for at, status in deployment.history],
        "restarts": deployment.restarts,
        "request": deployment.request,
        "requested": deployment.requested,
        "insights": deployment.book.view(now).length,
        "insights_emitted": deployment.book.emitted,
        "cash": dict(deployment.account.portfolio.cash),
        "holdings": msgspec.to_builtins(list(deployment.account.portfolio.holdings.values())),
        "commands": deployment.commands,
        "logs": deployment.logs,
    }
