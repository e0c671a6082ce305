from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from dev.compose_env import SECRETS, given, write


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def values(path: Path) -> dict[str, str]:
    lines = (line for line in path.read_text().splitlines() if not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines if line)


def test_every_secret_is_written_once_with_a_value_of_its_own(env_file: Path) -> None:
    assert write(env_file) == list(SECRETS)
    written = values(env_file)
    assert list(written) == list(SECRETS)
    assert len(set(written.values())) == len(SECRETS)
    assert all(len(value) >= 32 for value in written.values())


def test_the_fernet_key_is_32_bytes(env_file: Path) -> None:
    write(env_file)
    assert len(base64.urlsafe_b64decode(values(env_file)["AIRFLOW_FERNET_KEY"])) == 32


def test_only_the_owner_can_read_it_even_where_it_was_open_before(env_file: Path) -> None:
    env_file.write_text("AIRFLOW_PORT=8081\n")
    env_file.chmod(0o644)
    write(env_file)
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600


def test_a_second_run_changes_nothing(env_file: Path) -> None:
    write(env_file)
    before = env_file.read_bytes()
    assert write(env_file) == []
    assert env_file.read_bytes() == before


def test_what_is_there_stays_as_it_is(env_file: Path) -> None:
    mine = "# mine\nexport REDIS_PASSWORD = 'chosen by hand'\nAIRFLOW_PORT=8081"
    env_file.write_text(mine)
    added = write(env_file)
    assert env_file.read_text().startswith(mine + "\n")
    assert "REDIS_PASSWORD" not in added
    assert set(added) == set(SECRETS) - {"REDIS_PASSWORD"}


def test_an_empty_value_counts_as_missing(env_file: Path) -> None:
    env_file.write_text("REDIS_PASSWORD=\n")
    assert "REDIS_PASSWORD" in write(env_file)
    # docker compose takes the last one
    assert values(env_file)["REDIS_PASSWORD"]


def test_a_comment_is_no_value() -> None:
    assert given("# REDIS_PASSWORD=abc\n") == set()
