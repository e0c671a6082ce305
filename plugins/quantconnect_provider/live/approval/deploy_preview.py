"""What is about to happen, in plain words, for the person who is asked to approve it.

A preview only reads; it holds ids, names and amounts, and never a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.live_request import LiveSpec
from quantconnect_provider.live.approval.markdown import amounts, as_text, escaped, position, table
from quantconnect_provider.live.brokerages.settings import BrokerageSettings
from quantconnect_provider.live.deploy.carry_over import (
    check_portfolio,
    portfolio_snapshot,
    wants_portfolio,
    with_carried,
)
from quantconnect_provider.live.deploy.nodes import choose_node, describe_node
from quantconnect_provider.live.deploy.redeploy import check_room
from quantconnect_provider.live.deployment_errors import NoFreeNodeError
from quantconnect_provider.live.observation import named, observe_project

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

_SNAPSHOT = "Cash and holdings are from the last snapshot, up to ten minutes old."


@dataclass(frozen=True)
class DeployPreview:
    """A deployment as a person must see it before approving it.

    :param account: the end of the account's number; empty if only an API key identifies it.
    :param conn_id: the brokerage connection; empty for paper trading without one.
    :param user: QuantConnect account and connection in words, e.g. ``user ***56, connection quant``.
    :param running: what runs now, e.g. ``L-1 (Running)``; empty if nothing does.
    :param carried: whether cash and holdings are those of the running deployment, as of the last snapshot.
    :param options: label and value of what else is sent.
    """

    project_id: int
    project_name: str
    brokerage: str
    is_paper: bool
    node: str
    if_running: str
    account: str = ""
    conn_id: str = ""
    user: str = ""
    running: str = ""
    cash: list[dict[str, str]] = field(default_factory=list)
    holdings: list[dict[str, str]] = field(default_factory=list)
    carried: bool = False
    options: list[tuple[str, str]] = field(default_factory=list)

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
        """Return the page for the approval, in Markdown: narrow tables, the holdings first."""
        details = self._details()
        opening = [
            *([f"- Account: {escaped(self.user)}"] if self.user else []),
            f"- Brokerage: {escaped(self._account())}, {escaped(self._connection())}",
            f"- Project: {self.project_id}: {escaped(self.project_name)}",
            f"- Deploy with **{self.money}**: {escaped(self._fate())}",
        ]
        parts = [
            "\n".join(opening),
            table(
                ("Holding", "Symbol id"),
                [(position(held), held.get("symbolId", "")) for held in self.holdings]
                or [("as the brokerage has them", "")],
            ),
            table(("Setting", "Value"), details),
        ]
        return "\n\n".join([*parts, *([_SNAPSHOT] if self.carried else [])])

    def rows(self) -> list[tuple[str, str]]:
        """Return label and value of everything, for a table in a log."""
        holdings = [f"{position(held)} ({held.get('symbolId') or 'no symbol id'})" for held in self.holdings]
        return [
            ("Project", f"{self.project_id}: {self.project_name}"),
            ("Money", self.money),
            *([("Account", self.user)] if self.user else []),
            ("Brokerage", f"{self._account()}, {self._connection()}"),
            ("What happens", self._fate()),
            *(("Holding", text) for text in holdings or ["as the brokerage has them"]),
            *self._details(),
            *([("Note", _SNAPSHOT)] if self.carried else []),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return it for XCom."""
        return asdict(self)

    def _account(self) -> str:
        if self.account:
            return f"account {self.account} at {self.brokerage}"
        return (
            self.brokerage if self.is_paper else f"the account of the connection's keys at {self.brokerage}"
        )

    def _connection(self) -> str:
        return f"connection {self.conn_id}" if self.conn_id else "no brokerage connection"

    def _details(self) -> list[tuple[str, str]]:
        return [
            ("Cash", amounts(self.cash) or "as the brokerage has it"),
            ("Node", self.node),
            *self.options,
        ]

    def _fate(self) -> str:
        if not self.running:
            return "A new live deployment is started; nothing runs now."
        return {
            "fail": f"{self.running} runs: it stays untouched, and this deployment fails.",
            "adopt": f"{self.running} runs: it becomes this run's deployment; nothing new is started.",
            "redeploy": f"{self.running} is STOPPED (its holdings are kept), then a new deployment starts.",
        }[self.if_running]


def preview_deployment(
    client: QuantConnectClient,
    spec: LiveSpec,
    brokerage: BrokerageSettings,
    *,
    if_running: str = "fail",
    options: Sequence[tuple[str, str]] = (),
    user: str = "",
    check: bool = False,
) -> DeployPreview:
    """Read the project, what it runs and its nodes, and say what a deployment would do. Sends nothing.

    :param options: label and value of what else is sent, for the person.
    :param user: QuantConnect account and connection in words, for the person.
    :param check: refuse what is bound to fail.
    :raises AlreadyRunningError: with *check*, if something runs that may not be touched.
    :raises NoFreeNodeError: if there is no such node as the one asked for.
    :raises InvalidSettingError: with *check*, if the brokerage does not know its cash and none is given.
    :raises QuantConnectError: if the API does not answer, or does not know the project.
    """
    project = client.read_project(spec.project_id)
    found = observe_project(client, spec.project_id)
    running = found.active
    if check:
        check_room(found, if_running)
    settings: Mapping[str, Any] = spec.brokerage
    replaces = bool(running) and if_running == "redeploy"
    carried = replaces and wants_portfolio(spec.brokerage)
    if carried:
        settings = with_carried(spec.brokerage, portfolio_snapshot(client.read_portfolio(spec.project_id)))
    if check:
        check_portfolio(settings)
    adopts = bool(running) and if_running == "adopt"
    return DeployPreview(
        project_id=spec.project_id,
        project_name=project.name,
        brokerage=brokerage.label,
        is_paper=brokerage.is_paper,
        node="the one that it runs on" if adopts else _node(client, spec, freed=replaces),
        if_running=if_running,
        account=brokerage.account,
        conn_id=brokerage.conn_id,
        user=user,
        running=named(running),
        cash=as_text(settings.get("cash")),
        holdings=as_text(settings.get("holdings")),
        carried=carried,
        options=list(options),
    )


def _node(client: QuantConnectClient, spec: LiveSpec, *, freed: bool) -> str:
    try:
        return describe_node(choose_node(client.read_nodes(spec.project_id), spec.node_id))
    except NoFreeNodeError as error:
        if not error.retryable:
            raise
        return "the one that the running deployment lets go" if freed else str(error.args[0])
