"""What a user asks to deploy. The fields declare everything about each option of a deployment.

From them follow the form of the DAG `quantconnect_deploy`, the arguments and template fields of
`QuantConnectCreateLiveOperator`, what the approval page lists, and what live/create is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.live_request import PAPER_ID, LiveSpec, parameter_texts
from quantconnect_provider.hooks.brokerage import QuantConnectBrokerageHook
from quantconnect_provider.live.brokerages.settings import BrokerageSettings
from quantconnect_provider.live.deploy.carry_over import cash_given, holdings_given, with_portfolio
from quantconnect_provider.live.deploy.options import IF_RUNNING
from quantconnect_provider.tasks.form_option import (
    HOW,
    PORTFOLIO,
    WHAT,
    FormOption,
    option,
    options_of,
    read_options,
)
from quantconnect_provider.tasks.inputs import (
    flag_of,
    mapping_of,
    one_of,
    project_id_of,
    text_or_none,
    texts_of,
)


def _text(value: Any, name: str) -> str | None:
    return text_or_none(value)


def _version(value: Any, name: str) -> str:
    text = text_or_none(value) or "-1"
    if text != "-1" and not (text.isascii() and text.isdigit()):
        raise InvalidSettingError(
            f"{name} is {text[:40]!r}.",
            advice="It must be the number of a LEAN version, or -1 for the newest.",
        )
    return text


def _parameters(value: Any, name: str) -> dict[str, str] | None:
    return parameter_texts(mapping_of(value, name)) or None


_LIST_OR_NOTHING = ["null", "array"]
_OBJECT_OR_NOTHING = ["null", "object"]
_TEXT_OR_NOTHING = ["null", "string"]


@dataclass(frozen=True)
class ResolvedDeployRequest:
    """What live/create is sent, the brokerage that it goes to, and every secret in them."""

    spec: LiveSpec = field(repr=False)
    brokerage: BrokerageSettings
    secrets: list[str] = field(repr=False)


@dataclass(frozen=True)
class DeployRequest:
    """A deployment as a user asks for it, checked: ids of connections, never what is in them.

    To add an option, declare it here. A field that live/create takes as it is has its name in ``LiveSpec``.
    """

    project_id: int = option(
        project_id_of,
        title="Project",
        section=WHAT,
        description="The number in the project's address, quantconnect.com/project/12345678.",
        schema={"type": "integer", "minimum": 1},
    )
    brokerage_conn_id: str | None = option(
        _text,
        default=None,
        title="Brokerage connection",
        section=WHAT,
        description="Id of a quantconnect_brokerage connection. Empty: QuantConnect paper trading.",
        schema={"type": _TEXT_OR_NOTHING},
    )
    if_running: str = option(
        lambda value, name: one_of(value, IF_RUNNING, name),
        default="fail",
        title="If the project is live already",
        section=WHAT,
        description="fail: leave it and fail. adopt: leave it and take it for this deployment. "
        "redeploy: stop it, then deploy with its cash and holdings.",
        schema={"type": "string", "enum": list(IF_RUNNING)},
    )
    node_id: str | None = option(
        _text,
        default=None,
        argument="live_node_id",  # Airflow calls tasks nodes, and has a `node_id` of its own
        title="Live node",
        section=HOW,
        description="Id or name of a live node. Empty: the first that is free.",
        schema={"type": _TEXT_OR_NOTHING},
    )
    version_id: str = option(
        _version,
        default="-1",
        title="LEAN version",
        section=HOW,
        description="-1 is the newest.",
        schema={"type": "string", "pattern": r"^(-1|[0-9]+)$"},
        show=lambda version: "newest" if version == "-1" else str(version),
    )
    automatic_redeploy: bool = option(
        flag_of,
        default=False,
        title="Automatic restarts",
        section=HOW,
        description="Let QuantConnect restart the algorithm after a runtime error.",
        schema={"type": "boolean"},
        show=lambda restarts: "yes" if restarts else "no",
    )
    data_providers: list[str] | None = option(
        texts_of,
        default=None,
        title="Data providers",
        section=HOW,
        description="One a line, first one first: ids of connections of type quantconnect_brokerage; "
        f"{PAPER_ID} stands for QuantConnect's own data. Empty: that alone.",
        schema={"type": _LIST_OR_NOTHING, "items": {"type": "string", "minLength": 1}},
        show=lambda conn_ids: ", ".join(conn_ids or ["QuantConnect"]),
    )
    notification: dict[str, Any] | None = option(
        mapping_of,
        default=None,
        title="Notification",
        section=HOW,
        description='Like {"events": ["orderEvent"], "targets": [{"address": "me@example.com", '
        '"subject": "Order"}]}. Everyone who sees the run sees it.',
        schema={"type": _OBJECT_OR_NOTHING},
        show=lambda notification: (
            ", ".join(map(str, notification.get("events") or ())) if notification else ""
        ),
    )
    parameters: dict[str, str] | None = option(
        _parameters,
        default=None,
        title="Parameters",
        section=PORTFOLIO,
        description='The algorithm\'s parameters, like {"ema-fast": "10"}.',
        schema={"type": _OBJECT_OR_NOTHING},
        show=lambda parameters: ", ".join(f"{key}={value}" for key, value in (parameters or {}).items()),
    )
    cash: list[dict[str, Any]] | None = option(
        lambda value, name: cash_given(value),
        default=None,
        title="Cash",
        section=PORTFOLIO,
        description='Like [{"currency": "USD", "amount": 100000}], where the brokerage takes it.',
        schema={
            "type": _LIST_OR_NOTHING,
            "items": {
                "type": "object",
                "required": ["currency", "amount"],
                "properties": {"currency": {"type": "string"}, "amount": {"type": ["number", "string"]}},
            },
        },
    )
    holdings: list[dict[str, Any]] | None = option(
        lambda value, name: holdings_given(value),
        default=None,
        title="Holdings",
        section=PORTFOLIO,
        description='Like [{"symbol": "SPY", "symbolId": "SPY R735QTJ8XC9X", "quantity": 10, '
        '"averagePrice": 512.3}], where the brokerage takes them.',
        schema={"type": _LIST_OR_NOTHING, "items": {"type": "object", "required": ["quantity"]}},
    )

    @classmethod
    def options(cls) -> dict[str, FormOption]:
        """Return the declarations by the names of their fields."""
        return options_of(cls)

    @classmethod
    def arguments(cls) -> dict[str, str]:
        """Return what the operator calls each option, by the names of the fields."""
        return {name: each.argument or name for name, each in cls.options().items()}

    @classmethod
    def templates(cls) -> dict[str, str]:
        """Return the operator's arguments that take every option from the params of the run."""
        return {argument: f"{{{{ params.{name} }}}}" for name, argument in cls.arguments().items()}

    @classmethod
    def of(cls, source: Mapping[str, Any]) -> DeployRequest:
        """Read the params of a DAG run.

        :raises InvalidSettingError: naming the field that cannot be right.
        """
        return cls(**read_options(cls, source))

    @classmethod
    def of_operator(cls, operator: object) -> DeployRequest:
        """Read the attributes of an operator, whose arguments may have other names.

        :raises InvalidSettingError: naming the field that cannot be right.
        """
        return cls.of({name: getattr(operator, argument) for name, argument in cls.arguments().items()})

    def shown(self) -> list[tuple[str, str]]:
        """Return label and value, for a person, of the options that a plan does not show by itself."""
        rows = [
            (each.title, each.show(getattr(self, name)))
            for name, each in self.options().items()
            if each.show is not None
        ]
        return [(title, text) for title, text in rows if text]

    def resolve(self, compile_id: str = "") -> ResolvedDeployRequest:
        """Return what live/create is sent, and the brokerage that it goes to.

        Every secret in it is masked in logs by then; use it at once and keep it nowhere.

        :raises InvalidSettingError: naming the connection that cannot be right.
        """
        hook = QuantConnectBrokerageHook(self.brokerage_conn_id)
        brokerage = hook.get_conn()
        names = {each.name for each in fields(LiveSpec)}
        sent = {name: getattr(self, name) for name in self.options() if name in names}
        sent |= {
            "compile_id": compile_id,
            "node_id": self.node_id or "",
            "brokerage": with_portfolio(brokerage.settings, self.cash, self.holdings),
            "data_providers": hook.data_providers(self.data_providers),
        }
        return ResolvedDeployRequest(LiveSpec(**sent), brokerage, hook.secrets)
