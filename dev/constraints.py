"""`make lock` and `make constraints`: the versions that are installed, for all our Pythons.

    python3 -m dev.constraints [--upgrade]

``constraints.txt`` is for people who install the wheel into an Airflow of their own; the lock files in
``requirements/`` are what this checkout and the image install from: the same versions, with hashes. What is
there stays at its version as long as it fits, unless everything is to be upgraded.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from dev.console import fail, step
from dev.venv import LOCKS, ROOT, Environment, child_environment, ensure

if TYPE_CHECKING:
    from collections.abc import Sequence

OLDEST = "3.10"
BASE = ("pyproject.toml", "requirements/base.in")
EXTRAS = ("dev", "postgres", "distributed", "docs", "parquet", "watch")
TOOLS = ("audit", "lean", "uv")
"""Sets of their own: programs that run in an environment of their own."""

CONSTRAINTS = ROOT / "constraints.txt"
MADE_BY = "for Python 3.10 to 3.13. Made by: make lock, make constraints"


def resolve(uv: Path, *arguments: str | Path) -> str:
    """Resolve to versions that fit together; no package index is named in the result."""
    environment = child_environment()
    if "PIP_CERT" in environment:
        environment.setdefault("SSL_CERT_FILE", environment["PIP_CERT"])
    options = [
        "--universal",
        "--python-version",
        OLDEST,
        "--no-header",
        "--no-annotate",
        "--no-emit-index-url",
    ]
    done = subprocess.run(
        [uv, "pip", "compile", *options, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        fail(f"no set of versions fits.\n\n{done.stderr}")
    return done.stdout


def entries(lock: str) -> list[str]:
    """Split a lock file into its packages, each with the hashes below it."""
    return [entry for entry in re.split(r"^(?=[^\s#])", lock, flags=re.MULTILINE) if "==" in entry]


def write(path: Path, what: str, content: str) -> None:
    """Write a file that says how it was made."""
    path.write_text(f"# {what}, {MADE_BY}\n{content}", encoding="utf-8")


def lock(uv: Path, *how: str) -> None:
    """Write the lock files: the base, what each extra adds to it, and the tools."""
    hashed = ("--generate-hashes", f"--constraint={CONSTRAINTS}")
    base = entries(resolve(uv, *hashed, *BASE))
    write(LOCKS / "base.txt", "The tested set of versions with hashes", "".join(base))
    for extra in EXTRAS:
        whole = entries(resolve(uv, *hashed, *BASE, f"--extra={extra}"))
        added = "".join(entry for entry in whole if entry not in base)
        write(LOCKS / f"{extra}.txt", f"What the extra {extra} adds to base.txt", added)
    for tool in TOOLS:
        path = LOCKS / f"{tool}.txt"
        content = resolve(uv, *how, "--generate-hashes", f"--output-file={path}", path.with_suffix(".in"))
        write(path, f"What {tool}.in needs, with hashes", content)


def main(how: Sequence[str]) -> None:
    """Write all files, with the uv that the last run locked."""
    with tempfile.TemporaryDirectory() as folder:
        tool = Environment(Path(folder) / "venv", base="uv")
        ensure(tool, set(), "the resolver")
        uv = tool.path / "bin" / "uv"
        with step(f"Resolving {os.path.relpath(CONSTRAINTS, ROOT)}"):
            extras = [f"--extra={extra}" for extra in EXTRAS]
            content = resolve(uv, *how, f"--output-file={CONSTRAINTS}", *BASE, *extras)
            write(CONSTRAINTS, "The tested set of versions", content)
        with step(f"Locking {os.path.relpath(LOCKS, ROOT)}/"):
            lock(uv, *how)


if __name__ == "__main__":
    main(sys.argv[1:])
