"""A throw-away PostgreSQL server from installed binaries."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
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
    """Give the address of a server: the one that QUANTCONNECT_TEST_POSTGRES names, or one started here.

    The one started here listens on a socket in its own folder only, and is gone afterwards.
    """
    named = os.environ.get("QUANTCONNECT_TEST_POSTGRES")
    if named:
        yield named
        return
    folder = Path(tempfile.mkdtemp(prefix="qcpg"))
    as_user: dict[str, object] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        user = pwd.getpwnam(next(name for name in ("postgres", "nobody") if _exists(name)))
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    bin_folder = binaries()
    assert bin_folder is not None
    data = folder / "data"

    def run(*command: str | Path) -> None:
        subprocess.run(
            [str(part) for part in command],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            **as_user,  # type: ignore[call-overload]
        )

    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_wal_size=4GB"
    try:
        run(bin_folder / "initdb", "-D", data, "-A", "trust", "-U", "tester", "-E", "UTF8")
        run(bin_folder / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
        try:
            yield f"postgresql://tester@/postgres?host={folder}"
        finally:
            run(bin_folder / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
