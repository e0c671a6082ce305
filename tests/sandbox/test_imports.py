"""The sandbox's modules import one another in one direction only, type checking included."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

from quantconnect_provider import sandbox

ROOM = "quantconnect_provider.sandbox"
FOLDER = Path(sandbox.__file__).parent


def module_name(path: Path) -> str:
    parts = path.relative_to(FOLDER).with_suffix("").parts
    return ".".join((ROOM, *(part for part in parts if part != "__init__")))


def imported(path: Path, known: set[str]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(ROOM):
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & known
            found |= submodules or {str(node.module)}
    return found


def test_no_modules_import_each_other_in_a_circle():
    paths = {module_name(path): path for path in FOLDER.rglob("*.py")}
    graph = {name: imported(path, set(paths)) for name, path in paths.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(paths)  # CycleError names the circle
