"""Everything a sandbox holds: projects, builds, nodes, deployments, and its time."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections import Counter
from typing import Any, Literal

import msgspec

from quantconnect_provider.sandbox.brokerage_account import BrokerageAccount
from quantconnect_provider.sandbox.clock import Clock, Schedule
from quantconnect_provider.sandbox.deployment import Deployment
from quantconnect_provider.sandbox.faults import FaultList
from quantconnect_provider.sandbox.insight_book import InsightBook
from quantconnect_provider.sandbox.order_generator import OrderGenerator
from quantconnect_provider.sandbox.portfolio import Portfolio
from quantconnect_provider.sandbox.project import BuildJob, LiveProject
from quantconnect_provider.sandbox.scenario import ScenarioError, load_scenario
from quantconnect_provider.sandbox.scenario_spec import (
    Cash,
    DeploymentSpec,
    Holding,
    Insights,
    Node,
    Orders,
    Project,
    Scenario,
)
from quantconnect_provider.sandbox.traffic import LimitWindow, RequestLog

FIRST_PROJECT_ID = 23456001
SETTLED_SECONDS = 60
"""An order of the past is at least that old: all its events have happened."""


class World:
    """The state behind the API. Hold `lock` and call :meth:`tick` before reading or changing it."""

    def __init__(self, scenario: Scenario, user_id: int = 1, seed: int | None = None) -> None:
        self.lock = threading.RLock()
        self.user_id = user_id
        self._seed = seed
        self._original = msgspec.to_builtins(scenario)
        self.faults = FaultList([], 0)
        self._begin(load_scenario(self._original))

    def load(self, scenario: dict[str, Any] | None = None) -> None:
        """Begin anew with this scenario, or with the one that it was made of."""
        following = load_scenario(scenario or self._original)
        self.faults.clear()  # releases requests that hang on the old ones
        self._begin(following)

    def _begin(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.api = scenario.api
        self.seed = scenario.seed if self._seed is None else self._seed
        start = scenario.clock.start
        self.clock = Clock(start.timestamp() if start else None, scenario.clock.speed)
        self.schedule = Schedule()
        self.faults = FaultList(scenario.faults, self.seed)
        self.requests = RequestLog()
        self.limit = LimitWindow(self.api.rate_limit) if self.api.rate_limit else None
        self.started = self.clock.now()
        self.projects: dict[int, LiveProject] = {}
        self.builds: dict[str, BuildJob] = {}
        self.deployments: dict[str, Deployment] = {}
        self.nodes = {kind: self._nodes(kind) for kind in ("live", "backtest", "research")}
        self._references = 0
        self.reads: Counter[tuple[str, int]] = Counter()
        self.log_exports: list[float] = []
        for settings in scenario.projects:
            self._add_projects(settings)

    # --- time and identity -----------------------------------------------------------------------------

    def tick(self) -> float:
        """Let everything happen that is due, and return the sandbox's time."""
        now = self.clock.now()
        self.schedule.run(now)
        return now

    def digest(self, *parts: Any) -> str:
        """Return 32 hex digits that follow from the seed and `parts`."""
        text = "/".join(str(part) for part in (self.seed, *parts))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def reference(self) -> str:
        """Make a support reference as the API puts at the end of its error texts."""
        self._references += 1
        return f"REF #{self.digest('reference', self._references)[:16]}"

    # --- contents --------------------------------------------------------------------------------------

    def _nodes(self, kind: str) -> dict[str, Node]:
        prefix = {"live": "LN", "backtest": "BN", "research": "RN"}[kind]
        nodes: list[Node] = getattr(self.scenario.nodes, kind)
        return {node.id or f"{prefix}-{self.digest(kind, number)}": node for number, node in enumerate(nodes)}

    def _add_projects(self, settings: Project) -> None:
        for number in range(1, settings.count + 1):
            project_id = None if settings.id is None else settings.id + number - 1
            own = msgspec.convert(msgspec.to_builtins(settings), Project)  # can be configured by itself
            self.add_project(settings.name.replace("{n}", str(number)), own, project_id)

    def add_project(self, name: str, settings: Project, project_id: int | None = None) -> LiveProject:
        """Create a project, with the deployments that its settings give it."""
        if project_id is None:
            project_id = max(self.projects, default=FIRST_PROJECT_ID - 1) + 1
        if project_id in self.projects:
            raise ScenarioError(f"two projects have the id {project_id}")
        project = LiveProject(project_id, name, settings, self.started - 90 * 86_400)
        kinds = self.nodes.values()
        project.selected_nodes = {key for nodes in kinds for key, node in nodes.items() if node.active}
        project.auto_select_node = self.scenario.nodes.auto_select and not project.selected_nodes
        self.projects[project_id] = project
        for spec in settings.deployments:
            self._add_existing(project, spec)
        return project

    def create_project(self, name: str, language: Literal["Py", "C#"]) -> LiveProject:
        """Create a project as projects/create makes one: the scenario's defaults, nothing deployed."""
        settings = msgspec.convert({**self.scenario.defaults, "name": name, "deployments": []}, Project)
        settings.language = language
        return self.add_project(self._unused(name), settings)

    def _unused(self, name: str) -> str:
        """Return `name`, numbered if a project has it already."""
        taken = {project.name for project in self.projects.values()}
        numbered = (f"{name} {number}" for number in itertools.count(2))
        return name if name not in taken else next(free for free in numbered if free not in taken)

    def _add_existing(self, project: LiveProject, spec: DeploymentSpec) -> None:
        """Make a deployment that was there before the sandbox, in whatever status it is by now."""
        insights = spec.insights or project.settings.insights
        history = insights.history
        now = self.started - (spec.stopped_ago_seconds or 0.0)
        orders = spec.orders or project.settings.orders
        oldest = max(part.count * part.every_seconds for part in (history, orders.history))
        launched = now - oldest - SETTLED_SECONDS
        if spec.launched_ago_seconds is not None:
            launched = self.started - spec.launched_ago_seconds
        request = {"brokerage": {"id": spec.brokerage}, "automaticRedeploy": spec.automatic_redeploy}
        deployment = self._make(
            project, request, self._node_named(spec.node), launched, insights=insights, orders=orders
        )
        deployment.account.begin(
            Portfolio(
                project.settings.cash if spec.cash is None else spec.cash,
                project.settings.holdings if spec.holdings is None else spec.holdings,
            )
        )
        deployment.orders.place_past(
            orders.history.count, orders.history.every_seconds, now - SETTLED_SECONDS
        )
        first = now - (history.count - 1) * history.every_seconds
        deployment.book.add(history.count, first, every=history.every_seconds, period=history.period_seconds)
        deployment.set_status(now, "Running", "")
        deployment.book.refresh(now)
        if spec.status != "Running":
            deployment.set_status(now, spec.status, spec.message)

    def deploy(
        self, project: LiveProject, request: dict[str, Any], node_id: str | None, now: float
    ) -> Deployment:
        """Start a deployment; cash and holdings come from its brokerage object."""
        deployment = self._make(
            project,
            request,
            node_id,
            now,
            insights=project.settings.insights,
            orders=project.settings.orders,
        )
        deployment.begin(now)
        return deployment

    def _make(self, project: LiveProject, request: dict[str, Any], node_id: str | None, launched: float,
              *, insights: Insights, orders: Orders) -> Deployment:  # fmt: skip
        number = len(self.deployments) + 1
        deploy_id = f"L-{self.digest('deployment', project.project_id, len(project.deployments))}"
        key = bytes.fromhex(self.digest("insights", deploy_id))
        deployment = Deployment(
            deploy_id=deploy_id, number=91_000 + number, project_id=project.project_id, request=request,
            node_id=node_id, launched=launched, settings=project.settings.deploy,
            schedule=self.schedule, book=InsightBook(key, self.seed, insights, self.api.insights),
            account=BrokerageAccount(_portfolio(project, request.get("brokerage") or {}), self.api, launched),
            generator=OrderGenerator(key.hex(), deploy_id, orders),
        )  # fmt: skip
        deployment.on_restart = lambda when: self._restart(project, deployment, when)
        self.deployments[deploy_id] = deployment
        project.deployments.append(deployment)
        return deployment

    def _restart(self, project: LiveProject, deployment: Deployment, now: float) -> None:
        failure = deployment.settings.runtime_error
        if failure is not None and failure.restart_as == "new":
            follower = self.deploy(project, deployment.request, deployment.node_id, now)
            follower.restarts = deployment.restarts
            return
        if self.api.insights.on_restart == "reset":
            deployment.book.reset(now)
        deployment.begin(now)

    # --- nodes -----------------------------------------------------------------------------------------

    def _node_named(self, name: str | None) -> str | None:
        taken = self.occupants()
        for node_id, node in self.nodes["live"].items():
            if name in (node.name, node_id) or (name is None and node_id not in taken and not node.busy):
                return node_id
        if name is not None:
            raise ScenarioError(
                f"a deployment names the live node {name!r}, which the scenario does not have"
            )
        return None

    def occupants(self) -> dict[str, Deployment]:
        """Map live node ids to the deployments that run on them."""
        return {d.node_id: d for d in self.deployments.values() if d.node_id is not None and not d.over}


def _portfolio(project: LiveProject, brokerage: dict[str, Any]) -> Portfolio:
    """Return what a new deployment owns: what live/create passed, or the scenario's."""
    cash, holdings = brokerage.get("cash"), brokerage.get("holdings")
    return Portfolio(
        [Cash(currency=str(c["currency"]), amount=float(c["amount"])) for c in cash]
        if cash else project.settings.cash,
        [
            Holding(symbol=str(h["symbol"]), symbol_id=h.get("symbolId"), quantity=float(h["quantity"]),
                    average_price=float(h["averagePrice"]))
            for h in holdings
        ]
        if holdings else project.settings.holdings,
    )  # fmt: skip
