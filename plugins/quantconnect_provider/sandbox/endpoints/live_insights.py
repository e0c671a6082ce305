"""live/insights/read and live/export/insights."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator
from operator import itemgetter

from quantconnect_provider.sandbox.answers import Answer, ApiError, Download, Params
from quantconnect_provider.sandbox.deployment import Deployment
from quantconnect_provider.sandbox.endpoints.lookup import deployment_of, project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.insight_book import InsightBook
from quantconnect_provider.sandbox.insight_json import Speller
from quantconnect_provider.sandbox.world import World

PIECE_ROWS = 500


@endpoint("live/insights/read")
def read(world: World, params: Params, now: float) -> Answer:
    """Answer positions `start` to `end` of one deployment's insights, as the scenario reads the docs."""
    project = project_of(world, params)
    start, end = window_of(world, params)
    deployment = deployment_of(world, project, params.get("algorithmId"), now)
    return page_of(world, deployment.book, start, end, now)


def page_of(world: World, book: InsightBook, start: int, end: int, now: float) -> bytes:
    """Write the positions `start` to `end` of a book, as the scenario reads the docs."""
    mode = world.api.insights
    view = book.shown(now)
    total = view.length
    if start >= total > 0:
        if mode.past_end == "error":
            raise ApiError(f"Invalid argument: start is past the last insight. {world.reference()}")
        if mode.past_end == "clamp":
            start, end = max(0, total - (end - start)), total
    speller = Speller(mode.spelling, last=mode.extra_fields)
    stop = end + (mode.end == "inclusive")
    found = [text for _, text in book.encoded(view, start, stop, speller)]
    length = total if mode.length == "total" else len(found)
    return f'{{"insights":[{",".join(found)}],"length":{length},"success":true}}'.encode()


def window_of(world: World, params: Params) -> tuple[int, int]:
    """Return `start` and `end` of a request; raises ApiError for a window that the API refuses."""
    mode = world.api.insights
    end = params.integer("end")
    start = params.integer("start", max(0, end - mode.window))
    widest = mode.window if mode.window_rule == "at_most" else mode.window - 1
    if start < 0 or end < start:
        raise ApiError(f"Invalid argument: start and end. {world.reference()}")
    if end - start > widest:
        raise ApiError(f"Invalid argument: at most {widest} insights for each request. {world.reference()}")
    return start, end


@endpoint("live/export/insights")
def export(world: World, params: Params, now: float) -> Answer:
    """Send one file with the insights of all deployments of the project to which `deployId` belongs."""
    if world.api.insights.export == "off":
        raise ApiError(f"Export is not available. {world.reference()}")
    deployment = world.deployments.get(params.text("deployId"))
    if deployment is None:
        raise ApiError(f"No live deployment found. {world.reference()}")
    siblings = [d for d in world.deployments.values() if d.project_id == deployment.project_id]
    rows = heapq.merge(*(_exported(world, sibling, now) for sibling in siblings), key=itemgetter(0))
    return Download("insights.json", "application/json", _pieces(world, rows))


def _exported(world: World, deployment: Deployment, now: float) -> Iterator[tuple[float, str]]:
    """Write a deployment's rows; `deploy_id` is its internal number here, not the id of all other answers."""
    first = {"project_id": deployment.project_id, "deploy_id": deployment.number}
    speller = Speller("export", first=first, dashes=world.api.insights.export_dashes)
    view = deployment.book.shown(now)
    return deployment.book.encoded(view, 0, view.length, speller)


def _pieces(world: World, rows: Iterable[tuple[float, str]]) -> Iterator[bytes]:
    """Write the file in pieces of a few hundred rows, so that memory does not grow with its length."""
    wrapped = world.api.insights.export == "object"
    yield b'{"insights":[' if wrapped else b"["
    texts = (text for _, text in itertools.islice(rows, world.api.insights.export_limit))
    comma = ""
    while piece := ",".join(itertools.islice(texts, PIECE_ROWS)):
        yield (comma + piece).encode()
        comma = ","
    yield b'],"success":true}' if wrapped else b"]"
