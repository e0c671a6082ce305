"""The form of the DAG `quantconnect_deploy`."""

from __future__ import annotations

from airflow.sdk import Param

from quantconnect_provider.dag_support.form_fields import HOW, PORTFOLIO, WHAT, approval, choice


def deploy_params() -> dict[str, Param]:
    """Return the form of `quantconnect_deploy`."""
    return {
        "project_id": Param(
            type="integer",
            minimum=1,
            title="Project",
            section=WHAT,
            description="The number in the project's address, quantconnect.com/project/12345678.",
        ),
        "brokerage_conn_id": Param(
            None,
            type=["null", "string"],
            title="Brokerage connection",
            section=WHAT,
            description="Id of a quantconnect_brokerage connection. Empty: QuantConnect paper trading.",
        ),
        "if_running": choice(
            "fail",
            ["fail", "adopt", "redeploy"],
            title="If the project is live already",
            section=WHAT,
            description="fail: leave it and fail. adopt: leave it and take it for this deployment. "
            "redeploy: stop it, then deploy with its cash and holdings.",
        ),
        "node_id": Param(
            None,
            type=["null", "string"],
            title="Live node",
            section=HOW,
            description="Id or name of a live node. Empty: the first that is free.",
        ),
        "version_id": Param(
            "-1",
            type="string",
            pattern=r"^(-1|[0-9]+)$",
            title="LEAN version",
            section=HOW,
            description="-1 is the newest.",
        ),
        "automatic_redeploy": Param(
            False,
            type="boolean",
            title="Automatic restarts",
            section=HOW,
            description="Let QuantConnect restart the algorithm after a runtime error.",
        ),
        "data_providers": Param(
            None,
            type=["null", "array"],
            items={"type": "string", "minLength": 1},
            title="Data providers",
            section=HOW,
            description="One a line, first one first: ids of connections of type quantconnect_brokerage; "
            "QuantConnectBrokerage stands for QuantConnect's own data. Empty: that alone.",
        ),
        "notification": Param(
            None,
            type=["null", "object"],
            title="Notification",
            section=HOW,
            description='Like {"events": ["orderEvent"], "targets": [{"address": "me@example.com", '
            '"subject": "Order"}]}. Everyone who sees the run sees it.',
        ),
        **_portfolio_params(),
        "approval": approval(
            "When a person must approve. auto: unless it is paper trading. never: only where the brokerage "
            "connection allows it (allow_unattended); otherwise the run is refused."
        ),
    }


def _portfolio_params() -> dict[str, Param]:
    return {
        "parameters": Param(
            None,
            type=["null", "object"],
            title="Parameters",
            section=PORTFOLIO,
            description='The algorithm\'s parameters, like {"ema-fast": "10"}.',
        ),
        "cash": Param(
            None,
            type=["null", "array"],
            items={
                "type": "object",
                "required": ["currency", "amount"],
                "properties": {"currency": {"type": "string"}, "amount": {"type": ["number", "string"]}},
            },
            title="Cash",
            section=PORTFOLIO,
            description='Like [{"currency": "USD", "amount": 100000}], where the brokerage takes it.',
        ),
        "holdings": Param(
            None,
            type=["null", "array"],
            items={"type": "object", "required": ["quantity"]},
            title="Holdings",
            section=PORTFOLIO,
            description='Like [{"symbol": "SPY", "symbolId": "SPY R735QTJ8XC9X", "quantity": 10, '
            '"averagePrice": 512.3}], where the brokerage takes them.',
        ),
    }
