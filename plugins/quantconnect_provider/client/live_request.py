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
