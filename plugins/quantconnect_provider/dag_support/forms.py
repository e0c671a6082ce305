"""The forms of the shipped DAGs: types, help texts and sections, as Airflow's trigger form shows them."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

WHAT, HOW, PORTFOLIO, SAFETY = "What", "How", "Algorithm and portfolio", "Safety"

_PROJECT_IDS: dict[str, Any] = {
    "type": ["null", "array"],
    "items": {"type": "integer", "minimum": 1},
    "uniqueItems": True,
}


def _choice(default: str, choices: list[str], **kwargs: Any) -> Param:
    return Param(default, type="string", enum=choices, **kwargs)


def approval(description: str) -> Param:
    """Return the param that says when a person is asked."""
    return _choice(
        "auto", ["auto", "always", "never"], title="Approval", section=SAFETY, description=description
    )


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
        "if_running": _choice(
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


def wind_down_params() -> dict[str, Param]:
    """Return the form of `quantconnect_wind_down`."""
    return {
        "project_ids": Param(
            None,
            **_PROJECT_IDS,
            title="Projects",
            section=WHAT,
            description="Project ids, like [12345678, 12345679]. Empty only with all running.",
        ),
        "all_running": Param(
            False,
            type="boolean",
            title="All running",
            section=WHAT,
            description="Every project that is live when the run starts.",
        ),
        "action": _choice(
            "stop",
            ["stop", "liquidate"],
            title="Action",
            section=WHAT,
            description="stop: end it and keep its holdings. liquidate: sell all holdings, then end it.",
        ),
        "approval": approval("When a person must approve. auto: before liquidating."),
    }


def harvest_params() -> dict[str, Param]:
    """Return the form of `quantconnect_harvest_insights`."""
    return {
        "project_ids": Param(
            None,
            **_PROJECT_IDS,
            title="Projects",
            section=WHAT,
            description="Project ids, like [12345678]. Empty: every project that has a deployment.",
        ),
        "full": Param(
            False,
            type="boolean",
            title="Read everything again",
            section=HOW,
            description="Otherwise only what can have changed since the last harvest is read.",
        ),
    }
