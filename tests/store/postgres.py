"""A throw-away PostgreSQL server from installed binaries."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path | None:
    """The newest installed server's folder, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def is_available() -> bool:
    """Whether tests can run on PostgreSQL here."""
    return bool(os.environ.get("QUANTCONNECT_TEST_POSTGRES")) or binaries() is not None


@contextmanager
def server() -> Iterator[str]:
    """Give the address of a server: the one that QUANTCONNECT_TEST_POSTGRES names, or one started here."""
    named = os.environ.get("QUANTCONNECT_TEST_POSTGRES")
    if named:
        yield named
        return
    with OwnServer() as own:
        yield own.address


class OwnServer:
    """A server that listens on a socket in its own folder, and is gone afterwards; a context manager.

    :param port: of loopback, to listen there as well.
    """

    def __init__(self, port: int | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="qcpg"))
        self.address = f"postgresql://tester@/postgres?host={self.folder}"
        self._listen = "listen_addresses=''" if port is None else f"listen_addresses=127.0.0.1 -c port={port}"
        if port is not None:
            self.address += f"&port={port}"
        self._as_user: dict[str, object] = {}
        self._one_at_a_time = threading.Lock()  # pg_ctl takes a new server for the one that it stops

    def __enter__(self) -> OwnServer:
        if os.geteuid() == 0:  # the server refuses to run as root
            user = pwd.getpwnam(next(name for name in ("postgres", "nobody") if _exists(name)))
            self._as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.give(self.folder)
        try:
            self._run("initdb", "-A", "trust", "-U", "tester", "-E", "UTF8")
            self.start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        options = f"-k {self.folder} -c {self._listen} -c fsync=off -c max_wal_size=4GB"
        with self._one_at_a_time:
            self._run("pg_ctl", "-o", options, "-l", self.folder / "log", "-w", "start")

    def stop(self) -> None:
        """End it at once, as a crash does."""
        with self._one_at_a_time:
            self._run("pg_ctl", "-m", "immediate", "-w", "stop")

    def give(self, folder: Path) -> None:
        """Let the server own a folder."""
        if self._as_user:
            os.chown(folder, int(str(self._as_user["user"])), int(str(self._as_user["group"])))

    def _run(self, program: str, *arguments: str | Path) -> None:
        bin_folder = binaries()
        assert bin_folder is not None
        subprocess.run(
            [str(bin_folder / program), "-D", str(self.folder / "data"), *map(str, arguments)],
            check=True,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            **self._as_user,  # type: ignore[call-overload]
        )


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
