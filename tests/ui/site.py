"""Airflow's web application in this process, with a login."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

_SETTINGS = {
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
    "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of these tests, as long as SHA-512 wants it " * 2,
}


@contextmanager
def application() -> Iterator[Any]:
    """Give the application, with the plugin, over an empty metadata database."""
    from airflow.api_fastapi.app import create_app
    from airflow.utils.db import initdb

    initdb()
    with mock.patch.dict(os.environ, _SETTINGS):
        yield create_app(apps="core")


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve the application on this machine; gives its address."""
    import uvicorn

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def token_of(role: str) -> str:
    """Log a user of that role in."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return str(get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=role, role=role)))
