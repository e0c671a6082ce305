"""The body of live/create."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.models import PAPER_ID, LiveSpec

_QUANTCONNECT_DATA = {PAPER_ID: {"id": PAPER_ID}}


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
        "parameters": _parameters(deployment.parameters or {}),
    }
    if deployment.notification:
        body["notification"] = deployment.notification
    return body


def _parameters(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters as text, as JSON writes them; those that are null are left out."""
    return {str(name): _text(name, value) for name, value in parameters.items() if value is not None}


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)) and math.isfinite(value):
        return str(value)
    raise InvalidSettingError(
        f"The parameter {name!r} is {_kind(value)}, which is no text.",
        advice="Give text, a finite number, true or false; or leave it out.",
    )


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, (list, tuple, set)):
        return "a list"
    return f"{value}" if isinstance(value, (float, Decimal)) else f"of type {type(value).__name__}"
