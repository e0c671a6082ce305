"""live/insights/read and live/export/insights."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from typing import Any

import msgspec

from quantconnect_provider.sandbox.answers import Answer, ApiError, Download, Params, endpoint
from quantconnect_provider.sandbox.deployments import Deployment
from quantconnect_provider.sandbox.handlers.common import deployment_of, project_of
from quantconnect_provider.sandbox.rows import Row
from quantconnect_provider.sandbox.world import World

PIECE_ROWS = 500


@endpoint("live/insights/read")
def read(world: World, params: Params, now: float) -> Answer:
    """Answer positions `start` to `end` of one deployment's insights, as the scenario reads the docs."""
    mode = world.api.insights
    project = project_of(world, params)
    end = params.integer("end")
    start = params.integer("start", max(0, end - mode.window))
    _check_window(world, start, end)
    deployment = deployment_of(world, project, params.get("algorithmId"), now)
    view = deployment.book.shown(now)
    total = view.length
    if start >= total > 0:
        if mode.past_end == "error":
            raise ApiError(f"Invalid argument: start is past the last insight. {world.reference()}")
        if mode.past_end == "clamp":
            start, end = max(0, total - (end - start)), total
    found = list(deployment.book.encoded(view, start, end + (mode.end == "inclusive")))
    length = total if mode.length == "total" else len(found)
    return f'{{"insights":[{",".join(found)}],"length":{length},"success":true}}'.encode()


def _check_window(world: World, start: int, end: int) -> None:
    mode = world.api.insights
    widest = mode.window if mode.window_rule == "at_most" else mode.window - 1
    if start < 0 or end < start:
        raise ApiError(f"Invalid argument: start and end. {world.reference()}")
    if end - start > widest:
        raise ApiError(f"Invalid argument: at most {widest} insights for each request. {world.reference()}")


@endpoint("live/export/insights")
def export(world: World, params: Params, now: float) -> Answer:
    """Send one file with the insights of all deployments of the project to which `deployId` belongs."""
    if world.api.insights.export == "off":
        raise ApiError(f"Export is not available. {world.reference()}")
    deployment = world.deployments.get(params.text("deployId"))
    if deployment is None:
        raise ApiError(f"No live deployment found. {world.reference()}")
    siblings = world.projects[deployment.project_id].deployments
    rows = heapq.merge(*(_exported(world, sibling, now) for sibling in siblings), key=lambda pair: pair[0])
    return Download("insights.json", "application/json", _pieces(world, (row for _, row in rows)))


def _exported(world: World, deployment: Deployment, now: float) -> Iterator[tuple[float, bytes]]:
    view = deployment.book.shown(now)
    dashes = world.api.insights.export_dashes
    for row in deployment.book.rows(view, 0, view.length):
        yield row.generated_at, msgspec.json.encode(_export_row(row, deployment, dashes))


def _export_row(row: Row, deployment: Deployment, dashes: bool) -> dict[str, Any]:
    """Use the export's own names; `deploy_id` is the internal number, not the id of all other answers."""
    known, market = row._asdict(), "usa" if row.symbol.startswith(("SPY", "AAPL")) else "coinbase"
    identity = row.insight_id
    if dashes:
        identity = "-".join((identity[:8], identity[8:12], identity[12:16], identity[16:20], identity[20:]))
    return {
        "project_id": deployment.project_id,
        "deploy_id": deployment.number,
        "insight_id": identity,
        "source": "live trading",
        "source_model": row.source_model,
        "symbol_id": row.symbol,
        "ticker": row.ticker,
        "symbol_market": market,
        "generated_time": int(row.generated_at),
        "close_time": int(row.closes_at),
        "period": int(row.period_seconds),
        "type": row.insight_type,
        "reference": row.reference_value,
        "reference_final": row.reference_value_final,
        "score_final": row.score_is_final,
        **{name: known[name] for name in _SAME_NAMES},
    }


_SAME_NAMES = ("direction", "magnitude", "confidence", "weight", "group_id", "tag",
               "score_direction", "score_magnitude", "estimated_value")  # fmt: skip


def _pieces(world: World, rows: Iterator[bytes]) -> Iterator[bytes]:
    """Write the file in pieces of a few hundred rows, so that memory does not grow with its length."""
    wrapped = world.api.insights.export == "object"
    yield b'{"insights":[' if wrapped else b"["
    rows = itertools.islice(rows, world.api.insights.export_limit)
    comma = b""
    while piece := b",".join(itertools.islice(rows, PIECE_ROWS)):
        yield comma + piece
        comma = b","
    yield b'],"success":true}' if wrapped else b"]"
