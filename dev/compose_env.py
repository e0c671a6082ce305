"""`make compose-env`: the secrets of docker-compose.yaml, random, in `.env`. Standard library only.

What `.env` says already is never changed, so a second run, or one after an upgrade that needs another secret,
only adds what is missing.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
from typing import TYPE_CHECKING

from dev.console import say
from dev.venv import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENV_FILE = ROOT / ".env"
HEADER = "# Secrets of docker-compose.yaml, made by `make compose-env`. Keep them out of git."
_ASSIGNED = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")


def fernet_key() -> str:
    """Return a key of the form that Airflow's encryption of stored passwords wants."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def password() -> str:
    """Return 24 random bytes in characters that need no quoting in a shell, a URL or a `.env` file."""
    return secrets.token_urlsafe(24)


def signing_key() -> str:
    """Return 48 random bytes as text."""
    return secrets.token_urlsafe(48)


SECRETS: dict[str, Callable[[], str]] = {
    "AIRFLOW_ADMIN_PASSWORD": password,
    "AIRFLOW_FERNET_KEY": fernet_key,
    "AIRFLOW_JWT_SECRET": signing_key,
    "AIRFLOW_API_SECRET_KEY": signing_key,
    "POSTGRES_PASSWORD": password,
    "AIRFLOW_DB_PASSWORD": password,
    "QUANTCONNECT_DB_PASSWORD": password,
    "REDIS_PASSWORD": password,
}
"""Every variable that docker-compose.yaml insists on, and what makes a value for it."""


def given(text: str) -> set[str]:
    """Name the variables that a `.env` file gives a value; an empty one counts as missing."""
    found = (_ASSIGNED.match(line) for line in text.splitlines())
    return {match[1] for match in found if match and match[2] not in ("", "''", '""')}


def completed(text: str) -> tuple[str, list[str]]:
    """Return the file's text with every missing secret added at its end, and the names of those."""
    missing = [name for name in SECRETS if name not in given(text)]
    if not missing:
        return text, []
    before = text if not text or text.endswith("\n") else f"{text}\n"
    return (before or f"{HEADER}\n") + "".join(f"{name}={SECRETS[name]()}\n" for name in missing), missing


def write(path: Path) -> list[str]:
    """Complete the file at `path`, readable by its owner alone, and name what was added.

    It is replaced as a whole: an interrupted run leaves the old one.
    """
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    text, added = completed(old)
    if added:
        new = path.with_name(f"{path.name}.new")
        new.unlink(missing_ok=True)
        with os.fdopen(
            os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
        new.replace(path)
    path.chmod(0o600)
    return added


def main() -> None:
    """Write `.env` in the checkout and say what was added to it, names only."""
    added = write(ENV_FILE)
    if added:
        say(f"{ENV_FILE} now has random values for {', '.join(added)}")
    else:
        say(f"{ENV_FILE} has every secret already; nothing was changed")
    say("Next:  docker compose up -d --build   (http://127.0.0.1:8080, user admin, AIRFLOW_ADMIN_PASSWORD)")


if __name__ == "__main__":
    main()
