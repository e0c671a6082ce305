"""backtests/insights/read."""

from __future__ import annotations

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params
from quantconnect_provider.sandbox.endpoints.live_insights import page_of, window_of
from quantconnect_provider.sandbox.endpoints.lookup import project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.insight_book import InsightBook
from quantconnect_provider.sandbox.scenario_spec import Insights
from quantconnect_provider.sandbox.world import World


@endpoint("backtests/insights/read")
def read(world: World, params: Params, now: float) -> Answer:
    """Answer positions `start` to `end` of a backtest's insights; all of them are closed and scored."""
    project = project_of(world, params)
    start, end = window_of(world, params)
    backtest_id = params.text("backtestId")
    found = next((each for each in project.settings.backtests if each.id == backtest_id), None)
    if found is None:
        raise ApiError(f"Backtest not found. {world.reference()}")
    key = bytes.fromhex(world.digest("backtest", project.project_id, found.id))
    book = InsightBook(key, world.seed, Insights(history=found.insights), world.api.insights)
    history = found.insights
    lasted = history.count * history.every_seconds + history.period_seconds
    book.add(
        history.count, project.created - lasted, every=history.every_seconds, period=history.period_seconds
    )
    book.refresh(now)
    return page_of(world, book, start, end, now)
