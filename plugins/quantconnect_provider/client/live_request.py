"""What live/create is asked for, and how that is sent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from quantconnect_provider.client.errors import InvalidSettingError

PAPER_ID = "QuantConnectBrokerage"
"""QuantConnect's own id, as a brokerage (paper trading) and as a provider of data."""

PAPER_BROKERAGES = ("PaperBrokerage", PAPER_ID)
"""What live/list and live/read call QuantConnect paper trading."""

_QUANTCONNECT_DATA = {PAPER_ID: {"id": PAPER_ID}}


@dataclass(frozen=True)
class LiveSpec:
    """What live/create is asked for. Brokerage, data providers and notification may hold secrets.

    :param version_id: the LEAN version; "-1" is the newest.
    :param brokerage: the settings object with ``id``; may hold ``cash`` and ``holdings``.
    :param data_providers: settings objects by provider id; None means QuantConnect's own data.
    :param parameters: algorithm parameters: text, numbers, true or false, all sent as text; null is left
        out.
    """

    project_id: int
    compile_id: str
    node_id: str
    brokerage: dict[str, Any] = field(repr=False)
    version_id: str = "-1"
    data_providers: dict[str, Any] | None = field(default=None, repr=False)
    automatic_redeploy: bool = False
    parameters: Mapping[str, Any] | None = None
    notification: dict[str, Any] | None = field(default=None, repr=False)


def create_body(deployment: LiveSpec) -> dict[str, Any]:
    """Return what live/create is sent.

    :raises InvalidSettingError: naming the parameter that cannot be sent.
    """
    body: dict[str, Any] = {
        "projectId": deployment.project_id,
        "compileId": deployment.compile_id,
        "nodeId": deployment.node_id,
        "versionId": deployment.version_id,
        "brokerage": deployment.brokerage,
        "dataProviders": deployment.data_providers or _QUANTCONNECT_DATA,
        "automaticRedeploy": deployment.automatic_redeploy,
        "parameters": parameter_texts(deployment.parameters),
    }
    if deployment.notification:
        body["notification"] = deployment.notification
    return body


def parameter_texts(parameters: Mapping[str, Any] | None) -> dict[str, str]:
    """Return an algorithm's parameters as live/create takes them: text, as JSON writes it, null left out.

    :raises InvalidSettingError: naming the parameter that is a list, an object or not a finite number.
    """
    given = (parameters or {}).items()
    return {str(name): _text(str(name), value) for name, value in given if value is not None}


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, (float, Decimal)) and math.isfinite(value)):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    raise InvalidSettingError(
        f"parameters[{name!r}] is {_kind(value)}.",
        advice='A parameter is text, a finite number, true or false; write a list as text, like "1,2,3".',
    )


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, (list, tuple, set)):
        return "a list"
    return "not a finite number" if isinstance(value, (float, Decimal)) else f"of type {type(value).__name__}"
