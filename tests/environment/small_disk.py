"""A disk of a few megabytes that a test fills up and makes room on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_BLOCK = b"\0" * 65_536


@dataclass(frozen=True)
class SmallDisk:
    """A mounted tmpfs."""

    folder: Path

    def fill(self, leave_bytes: int = 0) -> None:
        """Take all of the room but *leave_bytes*."""
        filler = self.folder / "filler"
        with filler.open("ab", buffering=0) as file:
            try:
                while file.write(_BLOCK) == len(_BLOCK):
                    pass
            except OSError:
                pass
            file.truncate(max(0, file.seek(0, 2) - leave_bytes))

    def make_room(self) -> None:
        (self.folder / "filler").unlink()

    def refuse_writes(self, refuse: bool) -> None:
        """Mount it anew, to be read only or not."""
        _as_root("mount", "-o", f"remount,{'ro' if refuse else 'rw'}", str(self.folder))


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    folder.mkdir()
    _as_root("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=777", "tmpfs", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        _as_root("umount", "--lazy", str(folder))


def _as_root(*command: str) -> None:
    """Run a command as root, also where the tests are not; without sudo it fails, and the test with it."""
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        subprocess.run(["sudo", "-n", *command], check=True)
