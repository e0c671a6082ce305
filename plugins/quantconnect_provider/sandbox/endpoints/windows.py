"""Windows of rows, and reads that come before there is something to answer."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.answers import ApiError, Params
from quantconnect_provider.sandbox.api_spec import RowApi
from quantconnect_provider.sandbox.deployment import Deployment
from quantconnect_provider.sandbox.overlay import ABSENT
from quantconnect_provider.sandbox.project import LiveProject
from quantconnect_provider.sandbox.world import World

LOADING = {"progress": 0.4, "status": "loading", "errors": ABSENT}


def window_of(world: World, params: Params, mode: RowApi) -> tuple[int, int]:
    """Return `start` (inclusive) and `end` (exclusive) of the request; ApiError if they are not allowed."""
    start, end = params.integer("start"), params.integer("end")
    if start < 0 or end < start:
        raise ApiError(f"Invalid argument: start and end. {world.reference()}")
    if end - start > mode.window:
        raise ApiError(f"Invalid argument: at most {mode.window} for each request. {world.reference()}")
    return start, end


def paged(
    world: World, name: str, rows: list[dict[str, Any]], window: tuple[int, int], mode: RowApi
) -> dict[str, Any]:
    """Answer this window of the rows, under `name`, with their total as `length`."""
    start, end = window
    if start >= len(rows) > 0:
        if mode.past_end == "error":
            raise ApiError(f"Invalid argument: start is past the last row. {world.reference()}")
        if mode.past_end == "clamp":
            start, end = max(0, len(rows) - (end - start)), len(rows)
    found = [{**row, **mode.extra_fields} for row in rows[start:end]]
    return {
        name: found,
        "length": len(rows) if mode.length == "total" else len(found),
        "errors": ABSENT,
    }


def still_loading(world: World, endpoint: str, project: LiveProject, reads: int) -> bool:
    """Count a read of the project; whether it is one of the first `reads`, which find no cache."""
    key = (endpoint, project.project_id)
    world.reads[key] += 1
    return world.reads[key] <= reads


def shown_until(deployment: Deployment, now: float, refresh_seconds: float) -> float:
    """Return the time of the snapshot that the API answers from; the last one is taken when it stops."""
    if refresh_seconds <= 0 or (deployment.stopped is not None and deployment.stopped <= now):
        return now
    return deployment.launched + (now - deployment.launched) // refresh_seconds * refresh_seconds
