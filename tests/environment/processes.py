"""Python programs in processes of their own, under other users' conditions."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from dev.venv import ROOT

# Root may write everywhere; without these it has to obey the modes of its own files, as any user does.
_OBEYING = "-dac_override,-dac_read_search"


def python(
    *arguments: str | Path,
    variables: Mapping[str, str] | None = None,
    obeys_modes: bool = False,
    seconds: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run Python with *arguments* in the checkout; returns what it printed."""
    return subprocess.run(
        [*as_a_user(obeys_modes), sys.executable, *map(str, arguments)],
        env={**os.environ, **(variables or {})},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=seconds,
        check=False,
    )


def as_a_user(obeys_modes: bool = True) -> list[str]:
    """Return the words before a command that make it obey the modes of files, where we are root."""
    if not obeys_modes or os.geteuid() != 0:
        return []
    return ["setpriv", f"--bounding-set={_OBEYING}", f"--inh-caps={_OBEYING}"]
