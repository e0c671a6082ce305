"""How the make targets run Airflow: where things lie, every component's settings, generated secrets."""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from dev.console import must_be_writable
from dev.ports import LOOPBACK
from dev.venv import ROOT, child_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME = Path(os.environ.get("AIRFLOW_HOME") or ROOT / ".airflow").resolve()
RECORDS = HOME / "run"
PASSWORDS = HOME / "passwords.json"
LOGS = HOME / "logs" / "components"
PYTHON = ROOT / ".venv" / "bin" / "python"
CONNECTION_ID = "quantconnect_default"
CONNECTION_VARIABLE = "AIRFLOW_CONN_QUANTCONNECT_DEFAULT"
POOL = "quantconnect_api"
SANDBOX_USER, SANDBOX_TOKEN, SANDBOX_PORT = "1", "sandbox", 5612
USER = "admin"
ALL_ADMINS = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"


def home_must_be_writable(target: str) -> None:
    """End the program with advice unless this user can write to Airflow's home."""
    must_be_writable(HOME, f"Another place for Airflow's files:  make AIRFLOW_HOME=/a/folder {target}")


def private_file(path: Path, content: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(content)


def generated_secrets(home: Path) -> dict[str, str]:
    """Return this Airflow's secrets, made the first time: they sign logins and encrypt stored passwords."""
    path = home / "secrets.json"
    if not path.is_file():
        fresh = {
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(48),
        }
        private_file(path, json.dumps(fresh))
    content: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return content


def common_environment(home: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return what every Airflow process of ours gets, whichever target starts it."""
    return {
        **inherited,
        **generated_secrets(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager."
        "SimpleAuthManager",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
    }


def up_environment() -> dict[str, str]:
    """Return the environment for the components of `make up`, without the choice between login and none.

    A user's own AIRFLOW__... variables stay, except where they would reach another database or network.
    """
    preferences = {
        "AIRFLOW__API__PORT": "8080",
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__QUANTCONNECT__POOL": POOL,
        "AIRFLOW__QUANTCONNECT__ORDERS_LOADING_SECONDS": "1",  # the sandbox has them at once
    }
    environment = common_environment(HOME, {**preferences, **child_environment()})
    address = f"http://{LOOPBACK}:{environment['AIRFLOW__API__PORT']}"
    return {
        **environment,
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",  # it would listen on every address
    }


def login_required(account: bool) -> bool:
    """Whether the UI asks for a login: always with an account, since every user of the UI could trade.

    With the sandbox it asks if the shell says AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS=False.
    """
    return account or os.environ.get(ALL_ADMINS, "True").strip().lower() == "false"


def login_environment(required: bool) -> tuple[dict[str, str], str | None]:
    """Return the settings for who may use the UI, and the password if this call made one."""
    if not required:
        return {ALL_ADMINS: "True"}, None
    password = None
    if not PASSWORDS.is_file():
        password = secrets.token_urlsafe(12)
        private_file(PASSWORDS, json.dumps({USER: password}))
    return {
        ALL_ADMINS: "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(PASSWORDS),
    }, password


def stored_password() -> str:
    """Return the UI user's password."""
    return str(json.loads(PASSWORDS.read_text(encoding="utf-8"))[USER])
