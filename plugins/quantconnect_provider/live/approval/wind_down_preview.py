"""What a wind-down is about to do, for the person who is asked to approve it, and for the log."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.errors import NotFoundError, QuantConnectError
from quantconnect_provider.live.approval.markdown import as_text, escaped, position, table
from quantconnect_provider.live.deploy.carry_over import portfolio_snapshot
from quantconnect_provider.live.wind_down.observe import observe_to_wind_down
from quantconnect_provider.live.wind_down.steps import Action
from quantconnect_provider.plain_text import counted, text_table

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)

_EFFECTS = {
    Action.STOP: "stops {of}. All holdings are **kept** in the account.",
    Action.LIQUIDATE: "all holdings of {of} are **SOLD at market** before the end.",
}
_HEADS = {Action.STOP: "Kept", Action.LIQUIDATE: "Sold at market"}


@dataclass(frozen=True)
class WindDownTarget:
    """One project of a wind-down.

    :param runs: whether a deployment runs; None if that could not be read.
    :param holdings: what it holds by the newest snapshot; None if that could not be read.
    :param problem: why it cannot be wound down, or what could not be read; empty if all is well.
    """

    project_id: int
    project_name: str = ""
    deploy_id: str = ""
    status: str = ""
    brokerage: str = ""
    runs: bool | None = False
    holdings: list[dict[str, str]] | None = field(default_factory=list)
    problem: str = ""

    @property
    def may_run(self) -> bool:
        """Whether a request may be sent for it."""
        return self.runs is not False

    @property
    def title(self) -> str:
        """E.g. ``1003: Holding``."""
        return f"{self.project_id}: {self.project_name}" if self.project_name else str(self.project_id)

    @property
    def note(self) -> str:
        """What a person must know beside the holdings."""
        if self.problem:
            return self.problem
        return "" if self.may_run else "over already: nothing will be sent"

    @property
    def holdings_in_words(self) -> str:
        """The holdings as far as no table shows them."""
        if self.holdings is None:
            return "Holdings left: could not be read"
        return "" if self.holdings else "Holdings: none"


@dataclass(frozen=True)
class WindDownPreview:
    """A wind-down as a person must see it before saying yes.

    :param account: account and connection in words, e.g. ``user ***56, connection quantconnect_default``.
    """

    action: str
    targets: list[WindDownTarget]
    account: str = ""

    @property
    def subject(self) -> str:
        """One line for a list of pending approvals; without Markdown."""
        ids = [str(target.project_id) for target in self.targets if target.may_run]
        names = f"{'project' if len(ids) == 1 else 'projects'} {', '.join(ids)}" if ids else "none runs"
        return f"{self.action.capitalize()} {counted(len(ids), 'live deployment')}: {names}?"

    def describe(self) -> str:
        """Return the page for the approval, in Markdown: what is sold first, in narrow tables."""
        projects = ", ".join(escaped(target.title) for target in self.targets)
        of = "this project's deployment" if len(self.targets) == 1 else "these projects' deployments"
        account = [f"- Account: {escaped(self.account)}"] if self.account else []
        opening = [
            *account,
            f"- {'Project' if len(self.targets) == 1 else 'Projects'}: {projects}",
            f"- {self.action.capitalize()}: {_EFFECTS[Action(self.action)].format(of=of)}",
        ]
        sections = [self._section(target) for target in self.targets]
        closing = "Holdings are from the last snapshot, up to ten minutes old."
        return "\n\n".join(["\n".join(opening), *sections, closing])

    def log_lines(self) -> list[str]:
        """Return the same in plain text with aligned columns, for a log."""
        rows = [
            (target.project_id, target.project_name, target.deploy_id, target.status, target.brokerage)
            for target in self.targets
        ]
        parts = [text_table(("project", "name", "deployment", "status", "brokerage"), rows)]
        holdings = [
            (target.project_id, f"{row['quantity']} {row['symbol']}", row["symbolId"], row["averagePrice"])
            for target in self.targets
            for row in target.holdings or []
        ]
        if holdings:
            parts.append(text_table(("project", "holding", "security id", "average price"), holdings))
        for target in self.targets:
            remarks = "; ".join(filter(None, [target.holdings_in_words, target.note]))
            parts += [f"Project {target.project_id}: {remarks.rstrip('.')}."] if remarks else []
        opening = [self.subject, *([f"Account: {self.account}"] if self.account else [])]
        return "\n".join([*opening, *parts]).splitlines()

    def to_json(self) -> dict[str, Any]:
        """Return it for XCom."""
        return asdict(self)

    def _section(self, target: WindDownTarget) -> str:
        lines = [f"#### Project {escaped(target.title)}"]
        if target.holdings:
            head = _HEADS[Action(self.action)] if target.may_run else "Holds"
            rows = [(position(row), row["symbolId"]) for row in target.holdings]
            lines.append(table((head, "Security id"), rows))
        if target.holdings_in_words:
            lines.append(f"{target.holdings_in_words}.")
        if target.deploy_id:
            deployment = f"{target.deploy_id} ({target.status}), brokerage {target.brokerage or 'unknown'}"
            lines.append(f"Deployment: {escaped(deployment)}")
        if target.note:
            lines.append(f"**{escaped(target.note)}**")
        return "\n\n".join(lines)


def preview_wind_down(
    client: QuantConnectClient, project_ids: list[int], action: str, *, account: str = ""
) -> WindDownPreview:
    """Read each project and say what a wind-down would do. Sends nothing; one bad project spoils no other.

    Asks projects/read, live/list, live/read and live/portfolio/read.

    :param account: the account and connection in words, for the page.
    """
    return WindDownPreview(action, [_target(client, project_id) for project_id in project_ids], account)


def _target(client: QuantConnectClient, project_id: int) -> WindDownTarget:
    name = ""
    try:
        name = client.read_project(project_id).name
    except QuantConnectError as error:
        log.warning("The name of project %s could not be read: %s", project_id, error)
    try:
        current = observe_to_wind_down(client, project_id).current
    except NotFoundError as error:
        return WindDownTarget(project_id, name, problem=str(error.args[0]))
    except QuantConnectError as error:
        return WindDownTarget(project_id, name, runs=None, holdings=None, problem=str(error.args[0]))
    if current is None:
        return WindDownTarget(project_id, name, problem="never deployed: nothing to do")
    holdings, problem = _holdings(client, project_id)
    return WindDownTarget(
        project_id=project_id,
        project_name=name or current.project_name,
        deploy_id=current.deploy_id,
        status=current.status,
        brokerage=current.brokerage,
        runs=current.phase.may_trade,
        holdings=holdings,
        problem=problem,
    )


def _holdings(client: QuantConnectClient, project_id: int) -> tuple[list[dict[str, str]] | None, str]:
    """Return the holdings, or None and why they could not be read."""
    try:
        return as_text(portfolio_snapshot(client.read_portfolio(project_id))["holdings"]), ""
    except QuantConnectError as error:
        return None, str(error.args[0])
