"""The provider's metadata: connection types, their forms, settings, and where the classes are.

Airflow calls `get_provider_info` in every process while it reads its own configuration, so this
module imports nothing but the package's version and the table of settings.
"""

from __future__ import annotations

from typing import Any

from quantconnect_provider import __version__
from quantconnect_provider.options import AIRFLOW_TYPES, OPTIONS, SECTION

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
    """Form of the connection that holds a brokerage's settings."""
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


def _config() -> dict[str, Any]:
    """Return the section `[quantconnect]` of Airflow's configuration."""
    return {
        SECTION: {
            "description": "How the QuantConnect provider harvests, deploys and waits.",
            "options": {
                name: {
                    "description": option.rule.description,
                    "version_added": option.rule.version_added,
                    "type": AIRFLOW_TYPES[option.kind],
                    "example": option.rule.example,
                    "default": option.default,
                    **({"sensitive": True} if option.rule.sensitive else {}),
                }
                for name, option in OPTIONS.items()
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
        "operators": _modules(
            "operators.live",
            "operators.compile",
            "operators.insights",
            "operators.trading",
            "operators.command_live",
            "operators.export_orders",
            "operators.export_trades",
            "operators.export_logs",
            "operators.export_chart",
            "operators.scorecard",
            "operators.publish_parquet",
        ),
        "sensors": _modules("sensors.live"),
        "triggers": _modules("triggers.live", "triggers.compile", "triggers.flat"),
        "extra-links": [
            f"quantconnect_provider.links.QuantConnect{name}Link" for name in ("Project", "Live", "Page")
        ],
        "config": _config(),
    }
