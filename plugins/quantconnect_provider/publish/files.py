"""The folder of the data sets, in a file system or an object store: files that appear whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem


class FolderPath(Protocol):
    """What a folder has to be: a ``UPath``, or Airflow's ``ObjectStoragePath``."""

    @property
    def fs(self) -> AbstractFileSystem:
        """The file system that it is in."""

    @property
    def path(self) -> str:
        """Where it is there."""


class Files:
    """The files below a folder, by their path relative to it."""

    def __init__(self, folder: FolderPath) -> None:
        self._fs: Any = folder.fs
        self._root = folder.path.rstrip("/")

    @property
    def address(self) -> str:
        """The same text for the same folder, however it was written."""
        protocol = self._fs.protocol
        return f"{protocol if isinstance(protocol, str) else protocol[0]}:{self._root}"

    def sizes(self, below: str) -> dict[str, int]:
        """Return the size in bytes of each file below a folder of it; none if there is no such folder."""
        self._fs.invalidate_cache()  # another process may have written since this one listed
        found = self._fs.find(f"{self._root}/{below}", detail=True)
        return {path.removeprefix(f"{self._root}/"): int(info["size"]) for path, info in found.items()}

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None if there is none."""
        try:
            content: bytes = self._fs.cat_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return None
        return content

    def put(self, source: Path, name: str) -> None:
        """Put a local file in the place of what is there under this name.

        A reader sees the old file or the new one: a local file is renamed, and an object store has an object
        only when all of it has arrived. Other file systems show a file while it is written.
        """
        target = f"{self._root}/{name}"
        if not isinstance(self._fs, LocalFileSystem):
            self._fs.put_file(str(source), target)
            return
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        new = Path(target).with_name(
            f"_{uuid4().hex}.tmp"
        )  # no *.parquet, and readers leave out what has a _
        try:
            shutil.copyfile(source, new)
            new.replace(target)
        finally:
            new.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file that may be gone already."""
        try:
            self._fs.rm_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return
