"""live/chart/read."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params
from quantconnect_provider.sandbox.charts import read_chart
from quantconnect_provider.sandbox.endpoints.lookup import deployment_of, project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.endpoints.windows import LOADING, still_loading
from quantconnect_provider.sandbox.overlay import ABSENT
from quantconnect_provider.sandbox.world import World


@endpoint("live/chart/read")
def read(world: World, params: Params, now: float) -> Answer:
    """Answer at most `count` points, from `start` to `end`, of a chart of the project's deployment."""
    project, mode = project_of(world, params), world.api.charts
    name, count = params.text("name").strip(), params.integer("count")
    start, end = params.integer("start"), params.integer("end")
    if end < start or count < 1:
        raise ApiError(f"Invalid argument: start, end and count. {world.reference()}")
    deployment = deployment_of(world, project, None, now)
    if still_loading(world, f"live/chart/read {name}", project, mode.loading_reads):
        return dict(LOADING) if mode.loading == "loading" else _answer(None)
    chart = read_chart(deployment, name, start, min(end, int(now) + 1), count)
    if chart is None:
        raise ApiError(f"Chart not found: {name}. {world.reference()}")
    return _answer(chart)


def _answer(chart: dict[str, Any] | None) -> Answer:
    return {"chart": chart, "errors": ABSENT}
