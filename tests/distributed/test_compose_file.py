from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.compose_env import SECRETS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yaml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
ONE_SHOT = {"databases", "airflow-init", "sandbox-connection"}


def test_it_insists_on_exactly_the_secrets_that_compose_env_makes() -> None:
    assert set(re.findall(r"\$\{(\w+):\?", TEXT)) == set(SECRETS)


def test_a_secret_is_never_used_without_insisting_on_it() -> None:
    uses = re.findall(r"\$\{(\w+)([^}]*)\}", TEXT)
    assert [name for name, rest in uses if name in SECRETS and not rest.startswith(":?")] == []


def test_ports_are_published_on_loopback_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_a_worker_holds_no_key_to_airflows_database_and_signs_no_tokens() -> None:
    environment = SERVICES["airflow-worker"]["environment"]
    kept_from_it = ("SQL_ALCHEMY_CONN", "FERNET_KEY", "JWT_SECRET", "POSTGRES_PASSWORD")
    assert [name for name in environment if name.endswith(kept_from_it)] == []


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))
def test_a_service_is_checked_and_comes_back_after_a_reboot(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", [name for name in SERVICES if name.startswith("airflow-")])
def test_no_component_starts_before_both_databases_are_migrated(name: str) -> None:
    after = SERVICES[name]["depends_on"]
    step = "databases" if name == "airflow-init" else "airflow-init"
    assert after[step]["condition"] == "service_completed_successfully"


def test_the_sandbox_comes_only_with_its_profile() -> None:
    assert [name for name in SERVICES if SERVICES[name].get("profiles") == ["sandbox"]] == [
        "sandbox",
        "sandbox-connection",
    ]
