"""Brings the Parquet files of the data sets up to date with the store.

A run that is killed anywhere leaves files that the next one completes: before a file is replaced, its entry
is removed from the manifest, and made again only after the file is in its place. A file without an entry, or
of another size than its entry says, is written again.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select

from quantconnect_provider.plain_text import counted
from quantconnect_provider.publish.arrow import arrow_schema, write_partitions
from quantconnect_provider.publish.data_sets import FILE, DataSet, Partition, named
from quantconnect_provider.publish.files import Files, FolderPath
from quantconnect_provider.publish.fingerprints import Stored, read_fingerprints
from quantconnect_provider.publish.manifest import Entry, ManifestFile
from quantconnect_provider.publish.snapshot import snapshot
from quantconnect_provider.store.store import Store

log = logging.getLogger(__name__)

_FILES_AT_ONCE = 24  # written while the table is read once; they share a bounded memory


@dataclass
class DataSetReport:
    """What was done with the files of one data set.

    :param files: how many there are now.
    :param rows: how many are in the files that were written.
    :param bytes: the size of these files.
    """

    name: str
    files: int = 0
    written: int = 0
    removed: int = 0
    rows: int = 0
    bytes: int = 0

    def __str__(self) -> str:
        if not self.written and not self.removed:
            return f"{self.name}: nothing has changed, {counted(self.files, 'file')}."
        return (
            f"{self.name}: {self.written:,} of {counted(self.files, 'file')} written "
            f"({counted(self.rows, 'row')}, {self.bytes:,} bytes), {self.removed:,} removed."
        )


@dataclass
class PublishReport:
    """What a run did, by data set."""

    data_sets: list[DataSetReport] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return the totals."""
        names = ("files", "written", "removed", "rows", "bytes")
        return {name: sum(asdict(each)[name] for each in self.data_sets) for name in names}


def publish(
    store: Store, folder: FolderPath, data_sets: Sequence[str] | None = None, *, full: bool = False
) -> PublishReport:
    """Write the files whose rows have changed since the last time, and remove those without rows.

    :param folder: where the data sets are, each in a folder of its own.
    :param data_sets: the names of those to publish, of :data:`~.data_sets.DATA_SETS`; None is all.
    :param full: write all files again.
    :raises PublishBusyError: if another run is publishing into the folder; nothing was written then.
    :raises UnpublishableValueError: if the store holds a value that is not of its column's type.
    """
    files = Files(folder)
    report = PublishReport()
    with snapshot(store, files.address) as connection:
        for data_set in named(data_sets):
            done = _Publication(connection, files, data_set).run(full)
            log.info("%s", done)
            report.data_sets.append(done)
    return report


class _Publication:
    """One run on one data set."""

    def __init__(self, connection: Connection, files: Files, data_set: DataSet) -> None:
        self._connection = connection
        self._files = files
        self._data_set = data_set
        self._manifest = ManifestFile(files, data_set.name, str(arrow_schema(data_set.table)))

    def run(self, full: bool) -> DataSetReport:
        """Compare, then remove and write."""
        stored = {
            self._data_set.path(partition): (partition, content)
            for partition, content in read_fingerprints(self._connection, self._data_set).items()
        }
        present = self._files.sizes(self._data_set.name)
        trusted = {} if full else self._manifest.read()
        current = {
            path: entry
            for path, entry in trusted.items()
            if present.get(path) == entry.size
            and path in stored
            and stored[path][1] == Stored(entry.rows, entry.fingerprint)
        }
        gone = [path for path in present if _is_ours(path) and path not in stored]
        changed = [path for path in stored if path not in current]
        report = DataSetReport(self._data_set.name, len(stored), len(changed), len(gone))
        if not gone and not changed:
            return report
        self._manifest.write(current)
        # Removed first: a row that moves to another file is missing for a moment rather than there twice.
        for path in gone:
            self._files.remove(path)
        for start in range(0, len(changed), _FILES_AT_ONCE):
            # A run that is killed later leaves these to the next one.
            current |= self._write({path: stored[path] for path in changed[start : start + _FILES_AT_ONCE]})
            self._manifest.write(current)
        report.rows = sum(current[path].rows for path in changed)
        report.bytes = sum(current[path].size for path in changed)
        return report

    def _write(self, wanted: dict[str, tuple[Partition, Stored]]) -> dict[str, Entry]:
        """Write the files of these paths, and put them in their places."""
        entries = {}
        with tempfile.TemporaryDirectory() as folder:
            made = {path: Path(folder) / f"{number}.parquet" for number, path in enumerate(wanted)}
            targets = {partition: made[path] for path, (partition, _) in wanted.items()}
            rows = write_partitions(self._connection, self._data_set, targets)
            for path, (partition, content) in wanted.items():
                if rows[partition] != content.rows:
                    raise RuntimeError(f"{path}: {rows[partition]} rows of {content.rows} were read.")
                self._connection.execute(select(1))  # fails if the connection, and so the lock, is lost
                self._files.put(made[path], path)
                entries[path] = Entry(content.rows, content.fingerprint, made[path].stat().st_size)
        return entries


def _is_ours(path: str) -> bool:
    """Whether a file was written by this module; what others put beside it stays."""
    name = path.rpartition("/")[2]
    return name == FILE or (name.startswith("_") and name.endswith(".tmp"))
