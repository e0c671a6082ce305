"""What the plugin registers with Airflow's interface; light, because every Airflow process imports it."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from quantconnect_provider import __version__

PREFIX = "/quantconnect"
PAGE_ROUTE = "quantconnect"
"""The page is at ``/plugin/quantconnect`` in Airflow's interface."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]


class LazyApp:
    """The plugin's web application, imported at its first request: only the API server ever pays for it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on to the real application."""
        module = importlib.import_module("quantconnect_provider.ui.app")
        await module.application()(scope, receive, send)


def _react_app(name: str, script: str, **fields: str) -> dict[str, str]:
    # Relative, so that it holds when Airflow is served below a path. The version renews a browser's copy.
    bundle_url = f"{PREFIX.strip('/')}/static/{script}?v={__version__}"
    return {"name": name, "bundle_url": bundle_url, **fields}


def fastapi_apps() -> list[dict[str, Any]]:
    """Return the JSON routes and the static files, below :data:`PREFIX`."""
    return [{"name": "quantconnect", "url_prefix": PREFIX, "app": LazyApp()}]


def react_apps() -> list[dict[str, str]]:
    """Return the page, the panel and the tab.

    They run in Airflow's own page rather than in an iframe: Airflow's iframes may neither open a window nor
    leave, so that no link to a DAG run or to QuantConnect would work. The label of the navigation is cut
    after nine letters.
    """
    icon = f"{PREFIX.strip('/')}/static/icon.svg"
    icons = {"icon": icon, "icon_dark_mode": icon.replace("icon.svg", "icon-dark.svg")}
    return [
        _react_app("Quant", "host/page.js", url_route=PAGE_ROUTE, destination="nav", **icons),
        _react_app("QuantConnect live", "host/dashboard.js", destination="dashboard"),
        _react_app(
            "QuantConnect",
            "host/task.js",
            url_route="quantconnect-task",
            destination="task_instance",
            **icons,
        ),
    ]
