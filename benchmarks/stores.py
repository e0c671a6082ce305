"""Empty stores for the benchmarks: a SQLite file, or a database on a PostgreSQL server."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text

from tests.store import postgres


def wanted_kind(description: str | None) -> str:
    """Read ``--store sqlite`` (the default) or ``--store postgresql`` from the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    return str(parser.parse_args().store)


@contextmanager
def databases(kind: str) -> Iterator[Iterator[str]]:
    """Give an endless iterator of addresses of empty databases; all are gone afterwards."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield (f"sqlite:///{Path(folder) / uuid4().hex}.db" for _ in iter(int, 1))
        return
    with postgres.server() as server:
        address = make_url(server)
        admin = create_engine(address.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        made: list[str] = []

        def make() -> Iterator[str]:
            while True:
                made.append(f"bench_{uuid4().hex}")
                with admin.connect() as connection:
                    connection.execute(text(f"CREATE DATABASE {made[-1]}"))
                yield address.set(database=made[-1]).render_as_string(hide_password=False)

        try:
            yield make()
        finally:
            with admin.connect() as connection:
                for name in made:
                    connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
            admin.dispose()
