"""`make constraints`: resolve both sets of versions anew, for all our Pythons."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dev.console import fail, step, tail
from dev.venv import ROOT, child_environment

OLDEST = "3.10"
EXTRAS = ("dev", "postgres", "distributed", "docs", "watch")
CONFORMANCE = ROOT / "conformance"
# Each file: its first line, and what decides its content.
FILES = {
    ROOT / "constraints.txt": (
        "# The tested set of versions, for Python 3.10 to 3.13. Made by: make constraints",
        ["pyproject.toml", *(f"--extra={extra}" for extra in EXTRAS)],
    ),
    CONFORMANCE / "constraints-lean.txt": (
        "# The versions that QuantConnect's command-line client is tested with. Made by: make constraints",
        ["conformance/requirements-lean.in"],
    ),
}


def resolver(folder: Path) -> Path:
    """Install uv, which resolves for all Pythons and platforms at once, in a throw-away environment."""
    log = folder / "log"
    with log.open("wb") as output:
        commands: list[list[str | Path]] = [
            [sys.executable, "-m", "venv", folder / "venv"],
            [folder / "venv/bin/python", "-m", "pip", "install", "--quiet", "uv"],
        ]
        for command in commands:
            if subprocess.run(command, stdout=output, stderr=output, check=False).returncode != 0:
                fail(f"uv could not be installed.\n\n{tail(log)}")
    return folder / "venv/bin/uv"


def resolve(uv: Path, header: str, arguments: list[str]) -> str:
    """Resolve to the newest versions that fit; no package index is named in the result."""
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
        [uv, "pip", "compile", "--quiet", *options, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        fail(f"no set of versions fits.\n\n{done.stderr}")
    return f"{header}\n{done.stdout}"


def main() -> None:
    """Write both files."""
    with tempfile.TemporaryDirectory() as folder:
        with step("Installing the resolver"):
            uv = resolver(Path(folder))
        for path, (header, arguments) in FILES.items():
            with step(f"Resolving {os.path.relpath(path, ROOT)}"):
                path.write_text(resolve(uv, header, arguments), encoding="utf-8")


if __name__ == "__main__":
    main()
