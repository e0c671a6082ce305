"""The plugin's web application: JSON routes, static files and the page by itself, for logged-in users."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from quantconnect_provider.ui.api import router
from quantconnect_provider.ui.security import SEE_PLUGINS, answer_headers
from quantconnect_provider.ui.store_access import StoreUnavailableError

_FILES = StaticFiles(directory=Path(__file__).parent / "static")


@functools.cache
def application() -> FastAPI:
    """Return the application, made once in each process."""
    # Airflow's own reference pages would be open to everyone here.
    app = FastAPI(title="QuantConnect", openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(router, prefix="/api", dependencies=[SEE_PLUGINS])
    app.add_api_route("/", _page, dependencies=[SEE_PLUGINS])
    app.add_api_route("/static/{name:path}", _static, dependencies=[SEE_PLUGINS])
    app.middleware("http")(_with_headers)
    app.add_exception_handler(StoreUnavailableError, _store_unavailable)
    return app


async def _page(request: Request) -> Response:
    """Return the page by itself, e.g. for a screen of its own."""
    return await _FILES.get_response("index.html", request.scope)


async def _static(request: Request, name: str) -> Response:
    # Not mounted: a route has the check of the login.
    return await _FILES.get_response(name, request.scope)


async def _with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.update(answer_headers(is_static="/static/" in request.url.path))
    return response


def _store_unavailable(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=503)
