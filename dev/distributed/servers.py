"""PostgreSQL and Redis from the machine's own packages: on loopback, with a password, in their own folder."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dev.console import fail, tail
from dev.ports import LOOPBACK, free_port
from dev.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

READY_WITHIN_SECONDS = 30.0
INSTALL = "On Debian or Ubuntu:  apt-get install postgresql redis-server"
# PostgreSQL refuses to run as root; its Debian package makes this user.
_POSTGRES_USER = "postgres"


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL server: what its superuser needs to connect, and its first process."""

    port: int
    password: str
    pid: int

    def url(self, database: str = "postgres", driver: str = "") -> str:
        """Return the address of a database, password included, as SQLAlchemy takes it."""
        return f"postgresql{driver}://postgres:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def create_database(self, name: str) -> None:
        """Make an empty database."""
        import psycopg  # noqa: PLC0415 - of an extra, which the checks for missing programs come before

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')


def program(name: str) -> str:
    """Find an installed program, also where Debian keeps PostgreSQL's; advice when there is none."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: float(one.parent.name), reverse=True
    )
    found = shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")]))
    if found is None:
        fail(f"{name} is not installed.\n  {INSTALL}")
    return found


@contextmanager
def running_postgres(*settings: str) -> Iterator[Postgres]:
    """Run an empty PostgreSQL server for the length of a block.

    :param settings: such as ``fsync=off``.
    """
    port, password = free_port(), secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory(prefix="quantconnect-postgres-") as name:
        folder = Path(name)
        become = _become_postgres(folder)
        secret = folder / "password"
        secret.write_text(password, encoding="utf-8")
        data = folder / "data"
        made = subprocess.run(
            [*become, program("initdb"), "-D", data, "-U", "postgres", "-A", "scram-sha-256",
             f"--pwfile={secret}", "--encoding=UTF8", "--locale=C.UTF-8"],
            capture_output=True, text=True, check=False, cwd=folder,
        )  # fmt: skip
        if made.returncode != 0:
            fail(f"initdb failed:\n{made.stdout}{made.stderr}")
        secret.unlink()
        listen = [f"listen_addresses={LOOPBACK}", f"unix_socket_directories={folder}", "max_connections=200"]
        options = [word for setting in (*listen, *settings) for word in ("-c", setting)]
        command = [*become, program("postgres"), "-D", str(data), "-p", str(port), *options]
        ready = [program("pg_isready"), "-q", "-h", LOOPBACK, "-p", str(port)]
        with _running("PostgreSQL", command, ready, folder) as pid:
            yield Postgres(port, password, pid)


@contextmanager
def running_redis() -> Iterator[str]:
    """Run an empty Redis server for the length of a block; gives its address, password included."""
    port, password = free_port(), secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory(prefix="quantconnect-redis-") as name:
        folder = Path(name)
        settings = folder / "redis.conf"
        settings.touch(0o600)
        settings.write_text(
            f'bind {LOOPBACK}\nport {port}\nrequirepass {password}\nsave ""\ndir {folder}\n', encoding="utf-8"
        )
        ready = [program("redis-cli"), "-p", str(port), "ping"]
        with _running("Redis", [program("redis-server"), str(settings)], ready, folder):
            yield f"redis://:{password}@{LOOPBACK}:{port}/0"


@contextmanager
def _running(name: str, command: Sequence[str], ready: Sequence[str], folder: Path) -> Iterator[int]:
    """Run a server until the block ends, and give its pid; SIGINT is a quick, orderly end for both."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            start_new_session=True,
        )
    try:
        answers = wait_until(
            lambda: (
                process.poll() is not None
                or subprocess.run(ready, capture_output=True, check=False).returncode == 0
            ),
            READY_WITHIN_SECONDS,
        )
        if not answers or process.poll() is not None:
            fail(f"{name} did not start:\n\n{tail(log)}")
        yield process.pid
    finally:
        process.send_signal(2)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _become_postgres(folder: Path) -> list[str]:
    """Return the words before a command that make it run as PostgreSQL's own user, where we are root."""
    if os.geteuid() != 0:
        return []
    try:
        shutil.chown(folder, _POSTGRES_USER, _POSTGRES_USER)
    except LookupError:
        fail(f"there is no user {_POSTGRES_USER}, and PostgreSQL does not run as root.\n  {INSTALL}")
    return [
        program("setpriv"),
        f"--reuid={_POSTGRES_USER}",
        f"--regid={_POSTGRES_USER}",
        "--init-groups",
        "--",
    ]
