"""`make docs`: build the site into site/<version>; a warning, or a file from another host, is an error."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from dev import generate
from dev.console import fail, say, step
from dev.venv import ROOT, child_environment
from quantconnect_provider import __version__

if TYPE_CHECKING:
    from pathlib import Path

SITE = ROOT / "site"
MKDOCS = ROOT / ".venv" / "bin" / "mkdocs"
# What a browser loads by itself. Links that a reader may follow are <a href>, and allowed.
_LOADED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*\ssrc=["']?(https?:)?//|<link[^>]*\shref=["']?https?://"""
)
_LOADED_BY_STYLE = re.compile(r"""(?:url\(|@import\s+)["']?(?:https?:)?//""")


def build(folder: Path) -> None:
    """Build the site, strictly."""
    environment = {**child_environment(), "DOCS_TITLE": f"airflow-provider-quantconnect {__version__}"}
    environment["NO_MKDOCS_2_WARNING"] = (
        "true"  # an advertisement of the theme, not a warning about the pages
    )
    done = subprocess.run(
        [MKDOCS, "build", "--strict", "--clean", "--site-dir", folder],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or "WARNING" in done.stderr:
        fail(f"the site did not build without warnings.\n\n{done.stdout}{done.stderr}")


def foreign(folder: Path) -> list[str]:
    """Name the files of the site that make a browser load something from another host."""
    patterns = {".html": _LOADED, ".css": _LOADED_BY_STYLE}
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.suffix in patterns and patterns[path.suffix].search(path.read_text(encoding="utf-8"))
    ]


def main() -> None:
    """Check that the generated parts are up to date, build, and check the result."""
    stale = [path for path, content in generate.generated().items() if path.read_text() != content]
    if stale:
        fail(f"{', '.join(str(path.relative_to(ROOT)) for path in stale)}: out of date. Run make generate")
    folder = SITE / __version__
    shutil.rmtree(folder, ignore_errors=True)
    with step("Building the site"):
        build(folder)
    loaded = foreign(folder)
    if loaded:
        fail(f"these pages load something from another host: {', '.join(loaded)}")
    pages = len(list(folder.rglob("*.html")))
    say(f"{pages} pages, no warnings: {os.path.relpath(folder / 'index.html')}")


if __name__ == "__main__":
    main()
