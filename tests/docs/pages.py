"""The fenced blocks of README and the docs, and the commands in them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
_FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def _blocks(path: Path) -> list[Block]:
    page = path.read_text(encoding="utf-8")
    found = []
    for match in _FENCED.finditer(page):
        indent, language, text = match.groups()
        text = re.sub(rf"(?m)^{indent}", "", text)
        found.append(
            Block(str(path.relative_to(ROOT)), page[: match.start()].count("\n") + 1, language, text)
        )
    return found


BLOCKS = [block for path in PAGES for block in _blocks(path)]


def blocks(language: str) -> list[Block]:
    """The blocks of one language."""
    return [block for block in BLOCKS if block.language == language]


def _is_complete(command: str) -> bool:
    done = subprocess.run(["bash", "-n"], input=command, text=True, capture_output=True, check=False)
    return done.returncode == 0 and not command.rstrip().endswith("\\") and not done.stderr


def commands(block: Block) -> list[str]:
    """The commands of a console block: what follows a prompt, until bash finds it complete."""
    found: list[str] = []
    open_command = ""
    for line in block.text.splitlines():
        if open_command:
            open_command += f"\n{line}"
        elif line.startswith("$ "):
            open_command = line[2:]
        if open_command and _is_complete(open_command):
            found.append(open_command)
            open_command = ""
    assert not open_command, f"{block}: bash finds this incomplete: {open_command}"
    return found
