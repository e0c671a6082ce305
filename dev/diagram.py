"""Draws docs/images/architecture.svg: the packages as boxes, their imports as arrows.

The boxes and arrows are read from the source with grimp, the rows from the layer contract in pyproject.toml.
"""

from __future__ import annotations

from html import escape

import grimp
from importlinter import api

PACKAGE = "quantconnect_provider"
WIDTH, ROW, BOX_WIDTH, BOX_HEIGHT, TOP = 760, 84, 150, 36, 20


def imports() -> dict[str, set[str]]:
    """Map each package below `quantconnect_provider` to those that it imports."""
    graph = grimp.build_graph(PACKAGE, exclude_type_checking_imports=True)
    packages = [child for child in graph.find_children(PACKAGE) if graph.find_children(child)]
    return {
        one.rpartition(".")[2]: {
            other.rpartition(".")[2]
            for other in packages
            if other != one and graph.direct_import_exists(importer=one, imported=other, as_packages=True)
        }
        for one in packages
    }


def rows(packages: set[str]) -> list[list[str]]:
    """Arrange the packages as the layer contract does, the top row first."""
    contracts = api.read_configuration()["contracts_options"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    arranged = [[name for name in layer.split(" | ") if name in packages] for layer in layers]
    return [row for row in arranged if row]


def reduced(edges: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Leave out an arrow where other arrows lead to the same package."""

    def reachable(start: str) -> set[str]:
        return {end for step in edges[start] for end in {step, *reachable(step)}}

    return sorted(
        (importer, imported)
        for importer, found in edges.items()
        for imported in found
        if not any(imported in reachable(other) for other in found - {imported})
    )


def svg() -> str:
    """Return the picture; it names its own colors, and loads nothing."""
    edges = imports()
    place = {}
    for level, row in enumerate(rows(set(edges))):
        for column, name in enumerate(row):
            place[name] = (WIDTH * (2 * column + 1) / (2 * len(row)), TOP + ROW * level)
    height = max(y for _, y in place.values()) + BOX_HEIGHT + TOP
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" '
            'font-family="sans-serif" font-size="15">'
        ),
        "<title>The packages of the provider, and what imports what</title>",
        (
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
            'orient="auto"><path d="M0,0 8,4 0,8z" fill="#607080"/></marker></defs>'
        ),
        f'<rect width="{WIDTH}" height="{height:g}" fill="#ffffff"/>',
    ]
    for importer, imported in reduced(edges):
        (x1, y1), (x2, y2) = place[importer], place[imported]
        lines.append(
            f'<line class="{importer}-{imported}" x1="{x1:g}" y1="{y1 + BOX_HEIGHT:g}" x2="{x2:g}" '
            f'y2="{y2:g}" stroke="#607080" stroke-width="1.5" marker-end="url(#tip)"/>'
        )
    for name, (x, y) in place.items():
        lines.append(
            f'<rect x="{x - BOX_WIDTH / 2:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6" '
            'fill="#e8f0fb" stroke="#33619c"/>'
            f'<text x="{x:g}" y="{y + 23:g}" text-anchor="middle" fill="#102030">{escape(name)}</text>'
        )
    return "\n".join([*lines, "</svg>", ""])
