"""`make generate`: write the parts of the docs that follow from the code: settings, moves, architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

from dev import diagram
from dev.console import say
from dev.venv import ROOT
from quantconnect_provider._moved import MODULES, NAMES
from quantconnect_provider.options import OPTIONS

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS_PAGE = ROOT / "docs" / "settings.md"
DIAGRAM = ROOT / "docs" / "images" / "architecture.svg"
CHANGELOG = ROOT / "CHANGELOG.md"
BEGIN, END = "<!-- generated: make generate -->", "<!-- end -->"


def settings_table() -> str:
    """Return the table of all settings as Markdown."""
    rows = [
        (f"`{name}`", option.default, option.accepted, option.rule.description)
        for name, option in OPTIONS.items()
    ]
    header = ("name", "default", "accepts", "meaning")
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def moves_table() -> str:
    """Return the tables of all modules and names that have moved as Markdown."""
    modules = [(f"`{old}`", f"`{new}`") for old, new in sorted(MODULES.items())]
    names = [(f"`{old}`", f"`{new}`") for old, new in sorted(NAMES.items())]
    return "\n\n".join(
        tabulate(rows, (f"{what} in 0.1.0", "now"), tablefmt="github")
        for what, rows in (("module", modules), ("name", names))
    )


def with_table(page: Path, table: str) -> str:
    """Return the page with a table of today between the markers."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def generated() -> dict[Path, str]:
    """Map each generated file to what it has to contain."""
    return {
        SETTINGS_PAGE: with_table(SETTINGS_PAGE, settings_table()),
        CHANGELOG: with_table(CHANGELOG, moves_table()),
        DIAGRAM: diagram.svg(),
    }


def main() -> None:
    """Write the files that have changed, and name them."""
    for path, content in generated().items():
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
            say(f"Wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
