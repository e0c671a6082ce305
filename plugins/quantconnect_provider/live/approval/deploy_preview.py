"""What is about to happen, in plain words, for the person who is asked to approve it.

Plans only look; they hold ids, names and amounts, and never a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.models import LiveSpec
from quantconnect_provider.live.approval.markdown import amounts, as_text, positions, table
from quantconnect_provider.live.brokerages.settings import BrokerageSettings
from quantconnect_provider.live.deploy.carry_over import portfolio_snapshot, wants_portfolio, with_carried
from quantconnect_provider.live.deploy.nodes import choose_node, describe_node
from quantconnect_provider.live.deployment_errors import NoFreeNodeError
from quantconnect_provider.live.observation import named, observe_project

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient


@dataclass(frozen=True)
class DeployPreview:
    """A deployment as a person must see it before saying yes.

    :param running: what runs now, e.g. ``L-1 (Running)``; empty if nothing does.
    :param carried: whether cash and holdings are those of the running deployment, as of the last snapshot.
    """

    project_id: int
    project_name: str
    brokerage: str
    is_paper: bool
    version_id: str
    node: str
    if_running: str
    running: str = ""
    cash: list[dict[str, str]] = field(default_factory=list)
    holdings: list[dict[str, str]] = field(default_factory=list)
    carried: bool = False
    parameters: dict[str, str] = field(default_factory=dict)
    data_providers: list[str] = field(default_factory=list)
    automatic_redeploy: bool = False

    @property
    def subject(self) -> str:
        """One line for a list of pending approvals; without Markdown."""
        verb = "Redeploy" if self.running and self.if_running == "redeploy" else "Deploy"
        return f"{verb} project {self.project_id} ({self.project_name}) with {self.money}?"

    @property
    def money(self) -> str:
        """``paper money``, or ``REAL MONEY`` where that is not proven."""
        return "paper money" if self.is_paper else "REAL MONEY"

    def describe(self) -> str:
        """Return the page for the approval, in Markdown."""
        rows = [
            ("Project", f"{self.project_id}: {self.project_name}"),
            ("Brokerage", self.brokerage),
            (
                "Environment",
                self.money if self.is_paper else f"{self.money} (nothing proves that it is paper)",
            ),
            ("Runs now", self.running or "nothing"),
            ("What happens to it", self._fate()),
            ("Cash", amounts(self.cash) or "as the brokerage has it"),
            ("Holdings", positions(self.holdings) or "as the brokerage has them"),
            ("Node", self.node),
            ("LEAN version", "newest" if self.version_id == "-1" else self.version_id),
            ("Parameters", ", ".join(f"{key}={value}" for key, value in self.parameters.items()) or "none"),
            ("Data", ", ".join(self.data_providers) or "QuantConnect"),
            ("Automatic restarts", "yes" if self.automatic_redeploy else "no"),
        ]
        opening = f"A live algorithm will be started with **{self.money}**."
        note = (
            "\n\nCash and holdings are from the last snapshot, up to ten minutes old." if self.carried else ""
        )
        return f"{opening}\n\n{table(('What', 'Value'), rows)}{note}"

    def to_json(self) -> dict[str, Any]:
        """Return it for XCom."""
        return asdict(self)

    def _fate(self) -> str:
        if not self.running:
            return "nothing runs"
        return {
            "fail": "it stays untouched, and this deployment fails",
            "adopt": "it stays, and is taken for this deployment; nothing new is started",
            "redeploy": "it is STOPPED (its holdings are kept), then the new one is started in its place",
        }[self.if_running]


def preview_deployment(
    client: QuantConnectClient,
    spec: LiveSpec,
    brokerage: BrokerageSettings,
    *,
    if_running: str = "fail",
) -> DeployPreview:
    """Look at the project, what it runs and its nodes, and say what a deployment would do. Sends nothing.

    :raises QuantConnectError: if the API does not answer, or does not know the project.
    """
    project = client.read_project(spec.project_id)
    look = observe_project(client, spec.project_id)
    running = look.active
    settings: Mapping[str, Any] = spec.brokerage
    carried = bool(running) and if_running == "redeploy" and wants_portfolio(spec.brokerage)
    if carried:
        settings = with_carried(spec.brokerage, portfolio_snapshot(client.read_portfolio(spec.project_id)))
    try:
        node = describe_node(choose_node(client.read_nodes(spec.project_id), spec.node_id))
    except NoFreeNodeError as error:
        freed = bool(running) and if_running == "redeploy"
        node = "the one that the running deployment lets go" if freed else str(error.args[0])
    return DeployPreview(
        project_id=spec.project_id,
        project_name=project.name,
        brokerage=brokerage.label,
        is_paper=brokerage.is_paper,
        version_id=spec.version_id,
        node=node,
        if_running=if_running,
        running=named(running),
        cash=as_text(settings.get("cash")),
        holdings=as_text(settings.get("holdings")),
        carried=carried,
        parameters={key: str(value) for key, value in (spec.parameters or {}).items()},
        data_providers=list(spec.data_providers or {}),
        automatic_redeploy=spec.automatic_redeploy,
    )
