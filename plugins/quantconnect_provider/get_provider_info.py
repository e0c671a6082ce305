"""What Airflow learns of this provider without importing any of it: connection types, forms, settings.

Airflow calls `get_provider_info` in every process while it reads its own configuration, so this
module imports nothing but the package's version.
"""

from __future__ import annotations

from typing import Any

from quantconnect_provider import __version__

PACKAGE = "airflow-provider-quantconnect"
INTEGRATION = "QuantConnect"
_NULLABLE_TEXT = ["string", "null"]


def _quantconnect_connection() -> dict[str, Any]:
    """Form of the connection to the API.

    The port stays visible although nothing uses it: the "Test" button of Airflow 3.3 sends 0 for a port
    that is not stored, takes that for another server, and refuses to test with the stored token.
    """
    return {
        "connection-type": "quantconnect",
        "hook-class-name": "quantconnect_provider.hooks.quantconnect.QuantConnectHook",
        "hook-name": "QuantConnect",
        "conn-fields": {
            "organization_id": {
                "label": "Organization id",
                "description": "32 hexadecimal digits from its URL; only for accounts with several of them.",
                "schema": {"type": _NULLABLE_TEXT, "default": None},
            },
            "requests_per_minute": {
                "label": "Requests per minute",
                "description": "Upper limit of all workers together on this account; empty: no limit.",
                "schema": {"type": ["number", "null"], "default": None, "minimum": 0.1},
            },
            "timeout_seconds": {
                "label": "Timeout (seconds)",
                "description": "How long one request may take.",
                "schema": {"type": ["number", "null"], "default": 30, "minimum": 1},
            },
        },
        "ui-field-behaviour": {
            "hidden-fields": ["schema"],
            "relabeling": {"host": "API base URL", "login": "User id", "password": "API token"},
            "placeholders": {
                "host": "https://www.quantconnect.com/api/v2",
                "port": "443",
                "login": "123456",
                "password": "from the e-mail that the account page sends",
            },
        },
    }


def _brokerage_connection() -> dict[str, Any]:
    """Form of the connection that holds what a brokerage wants to know."""
    return {
        "connection-type": "quantconnect_brokerage",
        "hook-class-name": "quantconnect_provider.hooks.brokerage.QuantConnectBrokerageHook",
        "hook-name": "QuantConnect brokerage",
        "conn-fields": {
            "allow_unattended": {
                "label": "Allow unattended deployments",
                "description": "Lets a run with approval=never deploy real money here without a person.",
                "schema": {"type": ["boolean", "null"], "default": False},
            },
        },
        "ui-field-behaviour": {
            "hidden-fields": ["schema", "host"],
            "relabeling": {"login": "Brokerage id", "password": "Secret settings (JSON object)"},
            "placeholders": {
                "port": "443",
                "login": "InteractiveBrokersBrokerage",
                "password": '{"ib-user-name": "...", "ib-password": "..."}',
                "extra": '{"ib-account": "U123", "ib-weekly-restart-utc-time": "22:00:00"}',
            },
        },
    }


def _option(kind: str, default: str, description: str, example: str | None = None) -> dict[str, Any]:
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": kind,
        "example": example,
        "default": default,
    }


def _config() -> dict[str, Any]:
    """Return the section `[quantconnect]` of Airflow's configuration."""
    return {
        "quantconnect": {
            "description": "How the QuantConnect provider harvests, deploys and waits.",
            "options": {
                "harvest_batch_size": _option(
                    "integer",
                    "25",
                    "Projects that one mapped task of the harvest takes, once there are many.",
                    "50",
                ),
                "first_fill": _option(
                    "string",
                    "pages",
                    "How a deployment's first harvest reads: `pages` or `export`.",
                    "export",
                ),
                "full_pass_days": _option(
                    "float",
                    "30",
                    "Days after which a harvest reads a deployment in full again; 0: never.",
                    "7",
                ),
                "rescore_days": _option(
                    "float",
                    "7",
                    "Days after its close for which an insight without a final score is read again.",
                ),
                "poll_interval_seconds": _option(
                    "float", "10", "Seconds between two looks at the API while a task waits."
                ),
                "deploy_timeout_seconds": _option(
                    "float", "1200", "Seconds that a build or a deployment may take to get ready."
                ),
                "wind_down_timeout_seconds": _option(
                    "float",
                    "900",
                    "Seconds until a stopped or liquidated deployment must be seen to be over.",
                ),
                "flat_timeout_seconds": _option(
                    "float", "900", "Seconds to look for holdings to be gone after a liquidation."
                ),
                "certainty_seconds": _option(
                    "float",
                    "300",
                    "Seconds to look for the deployment after an unclear answer to its creation.",
                ),
                "approval_timeout_seconds": _option(
                    "float",
                    "86400",
                    "Seconds that a run waits for a person's approval; nothing is sent after that.",
                ),
                "pool": _option(
                    "string",
                    "default_pool",
                    "Airflow pool of the shipped DAGs' tasks; it must exist.",
                    "quantconnect_api",
                ),
            },
        }
    }


def _modules(*names: str) -> list[dict[str, Any]]:
    return [
        {
            "integration-name": INTEGRATION,
            "python-modules": [f"quantconnect_provider.{name}" for name in names],
        }
    ]


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata as Airflow's provider manager wants it."""
    return {
        "package-name": PACKAGE,
        "name": INTEGRATION,
        "description": "Deploy, watch, wind down and harvest QuantConnect live algorithms.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": INTEGRATION,
                "external-doc-url": "https://www.quantconnect.com/docs/v2/cloud-platform/api-reference",
                "tags": ["service"],
            }
        ],
        "connection-types": [_quantconnect_connection(), _brokerage_connection()],
        "hooks": _modules("hooks.quantconnect", "hooks.brokerage", "hooks.store"),
        "operators": _modules("operators.live", "operators.compile", "operators.insights"),
        "sensors": _modules("sensors.live"),
        "triggers": _modules("triggers.live", "triggers.compile", "triggers.flat"),
        "extra-links": ["quantconnect_provider.links.QuantConnectProjectLink"],
        "config": _config(),
    }
