"""What a user asks to deploy, turned into what live/create is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from quantconnect_provider.tasks.inputs import (
    flag_of,
    mapping_of,
    one_of,
    project_id_of,
    text_or_none,
    texts_of,
)

if TYPE_CHECKING:
    from quantconnect_provider.client import LiveSpec
    from quantconnect_provider.live.brokerages.settings import BrokerageSettings

IF_RUNNING = ("fail", "adopt", "redeploy")


@dataclass(frozen=True)
class ResolvedDeployRequest:
    """What live/create is sent, the brokerage that it goes to, and every secret in them."""

    spec: LiveSpec = field(repr=False)
    brokerage: BrokerageSettings
    secrets: list[str] = field(repr=False)


@dataclass(frozen=True)
class DeployRequest:
    """A deployment as a user gives it: ids of connections, never what is in them.

    The fields are those of `QuantConnectCreateLiveOperator`, and of the DAG `quantconnect_deploy`.
    """

    project_id: Any
    brokerage_conn_id: Any = None
    node_id: Any = None
    version_id: Any = "-1"
    if_running: Any = "fail"
    cash: Any = None
    holdings: Any = None
    parameters: Any = None
    data_providers: Any = None
    automatic_redeploy: Any = False
    notification: Any = None

    @classmethod
    def of(cls, source: Mapping[str, Any]) -> DeployRequest:
        """Take the fields out of a DAG run's params, or an operator's attributes."""
        return cls(**{each.name: source[each.name] for each in fields(cls) if each.name in source})

    def resolve(self, compile_id: str = "") -> ResolvedDeployRequest:
        """Return what live/create is sent, and the brokerage that it goes to.

        Every secret in it is masked in logs by then; use it at once and keep it nowhere.

        :raises InvalidSettingError: naming the field or the connection that cannot be right.
        """
        from quantconnect_provider.client import LiveSpec
        from quantconnect_provider.hooks.brokerage import QuantConnectBrokerageHook
        from quantconnect_provider.live.deploy.carry_over import with_portfolio

        project_id = project_id_of(self.project_id)
        one_of(self.if_running, IF_RUNNING, "if_running")
        hook = QuantConnectBrokerageHook(text_or_none(self.brokerage_conn_id))
        brokerage = hook.get_conn()
        spec = LiveSpec(
            project_id=project_id,
            compile_id=compile_id,
            node_id=text_or_none(self.node_id) or "",
            brokerage=with_portfolio(brokerage.settings, self.cash, self.holdings),
            version_id=text_or_none(self.version_id) or "-1",
            data_providers=hook.data_providers(texts_of(self.data_providers, "data_providers")),
            automatic_redeploy=flag_of(self.automatic_redeploy, "automatic_redeploy"),
            parameters=mapping_of(self.parameters, "parameters"),
            notification=mapping_of(self.notification, "notification"),
        )
        return ResolvedDeployRequest(spec, brokerage, hook.secrets)
