"""What was published: beside each data set, a file ``_manifest.json`` with the fingerprint of each file."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from pathlib import Path

import msgspec

from quantconnect_provider.publish.files import Files

log = logging.getLogger(__name__)

FORMAT = 1
"""To be raised when the files of an older release have to be written again."""


class Entry(msgspec.Struct, frozen=True):
    """A file as it was written.

    :param fingerprint: of the rows in it, as the database that they came from counts it.
    """

    rows: int
    fingerprint: str
    size: int


class _Manifest(msgspec.Struct):
    format: int
    schema: str
    files: dict[str, Entry]


class ManifestFile:
    """The manifest of one data set. Its files are only trusted as far as it names them.

    :param schema: text that changes with the files' columns; files of another schema are not trusted.
    """

    def __init__(self, files: Files, data_set: str, schema: str) -> None:
        self._files = files
        self._name = f"{data_set}/_manifest.json"
        self._schema = hashlib.sha256(schema.encode()).hexdigest()[:16]

    def read(self) -> dict[str, Entry]:
        """Return the trusted files by path; none where there is no manifest that can be read."""
        content = self._files.read(self._name)
        if content is None:
            return {}
        try:
            manifest = msgspec.json.decode(content, type=_Manifest)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("%s cannot be read (%s); all files are written again.", self._name, error)
            return {}
        if (manifest.format, manifest.schema) != (FORMAT, self._schema):
            log.info("%s is of other columns; all files are written again.", self._name)
            return {}
        return manifest.files

    def write(self, entries: dict[str, Entry]) -> None:
        """Replace the manifest."""
        manifest = _Manifest(FORMAT, self._schema, dict(sorted(entries.items())))
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "manifest.json"
            source.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
            self._files.put(source, self._name)
