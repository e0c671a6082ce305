"""Writes a file, or an object of an object store, as a whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable

from airflow.sdk import ObjectStoragePath


def write_file(address: str, conn_id: str | None, pieces: Iterable[bytes]) -> int:
    """Write *pieces* to a path; what is there is replaced after all of them have arrived.

    :param address: a local path or an address of an object store, like ``s3://bucket/orders.csv``.
    :param conn_id: id of the connection of the object store; None: its default.
    :returns: how many bytes were written.
    """
    with tempfile.TemporaryFile() as spooled:
        for piece in pieces:
            spooled.write(piece)
        size = spooled.tell()
        spooled.seek(0)
        path = ObjectStoragePath(address, conn_id=conn_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        # An object store makes the object when the file is closed: nobody sees a part of it.
        with path.open("wb") as file:  # type: ignore[no-untyped-call]
            shutil.copyfileobj(spooled, file, 1 << 20)
    return size
