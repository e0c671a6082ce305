"""What a wind-down is about to do, in plain words, for the person who is asked to approve it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.live.approval.markdown import as_text, positions, table
from quantconnect_provider.live.deploy.carry_over import portfolio_snapshot
from quantconnect_provider.live.observation import observe_project

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient


@dataclass(frozen=True)
class WindDownTarget:
    """One project of a wind-down.

    :param problem: why it cannot be wound down, or could not be looked at; empty if all is well.
    """

    project_id: int
    project_name: str = ""
    deploy_id: str = ""
    status: str = ""
    brokerage: str = ""
    runs: bool = False
    holdings: list[dict[str, str]] = field(default_factory=list)
    problem: str = ""


@dataclass(frozen=True)
class WindDownPreview:
    """A wind-down as a person must see it before saying yes."""

    action: str
    targets: list[WindDownTarget]

    @property
    def subject(self) -> str:
        """One line for a list of pending approvals; without Markdown."""
        running = [target for target in self.targets if target.runs]
        names = ", ".join(str(target.project_id) for target in running) or "nothing that runs"
        return f"{self.action.capitalize()} {len(running)} live deployment(s): {names}?"

    def describe(self) -> str:
        """Return the page for the approval, in Markdown."""
        if self.action == "liquidate":
            opening = "All holdings of these deployments will be **SOLD at market**, then they are stopped."
        else:
            opening = "These deployments will be stopped. Their holdings are **kept** in the account."
        rows = [
            (
                f"{target.project_id}: {target.project_name}",
                f"{target.deploy_id} ({target.status})" if target.deploy_id else "none",
                target.brokerage,
                positions(target.holdings) or "none",
                target.problem or ("" if target.runs else "over already: nothing will be sent"),
            )
            for target in self.targets
        ]
        heads = ("Project", "Deployment", "Brokerage", "Holdings", "Note")
        note = "Holdings are from the last snapshot, up to ten minutes old."
        return f"{opening}\n\n{table(heads, rows)}\n\n{note}"

    def to_json(self) -> dict[str, Any]:
        """Return it for XCom."""
        return asdict(self)


def preview_wind_down(client: QuantConnectClient, project_ids: list[int], action: str) -> WindDownPreview:
    """Look at each project and say what a wind-down would do. Sends nothing; one bad project spoils none."""
    return WindDownPreview(action, [_target(client, project_id) for project_id in project_ids])


def _target(client: QuantConnectClient, project_id: int) -> WindDownTarget:
    name, deployment, holdings, problem = "", None, [], ""
    try:
        name = client.read_project(project_id).name
        deployment = observe_project(client, project_id).current
        if deployment is not None:
            holdings = as_text(portfolio_snapshot(client.read_portfolio(project_id))["holdings"])
        else:
            problem = "never deployed: nothing to do"
    except QuantConnectError as error:
        problem = str(error.args[0])
    return WindDownTarget(
        project_id=project_id,
        project_name=name,
        deploy_id=deployment.deploy_id if deployment else "",
        status=deployment.status if deployment else "",
        brokerage=deployment.brokerage if deployment else "",
        runs=deployment is not None and deployment.phase.may_trade,
        holdings=holdings,
        problem=problem,
    )
