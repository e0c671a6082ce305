"""Insights of backtests, read by the client."""

from __future__ import annotations

import pytest

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.errors import NotFoundError, RefusedError

SCENARIO = {
    "projects": [
        {"name": "Alpha", "id": 7, "backtests": [{"id": "b1", "insights": {"count": 230}}, {"id": "b2"}]}
    ]
}


@pytest.fixture
def client(start):
    sandbox, _ = start(SCENARIO)
    with QuantConnectClient(sandbox.user_id, sandbox.api_token, sandbox.base_url) as client:
        yield client


def test_all_insights_of_a_backtest_are_read_page_by_page(client):
    pages = [client.read_backtest_insights(7, "b1", first, first + 100) for first in range(0, 400, 100)]
    assert [len(page.rows) for page in pages] == [100, 100, 30, 0]
    rows = [row for page in pages for row in page.rows]
    assert len({row.insight_id for row in rows}) == 230
    assert all(row.score_is_final for row in rows)
    assert [row.generated_at for row in rows] == sorted(row.generated_at for row in rows)
    assert {page.length for page in pages} == {230}


def test_the_same_page_is_the_same_again(client):
    first, second = (client.read_backtest_insights(7, "b1", 50, 60).rows for _ in range(2))
    assert first == second


def test_a_backtest_without_insights_has_none(client):
    assert client.read_backtest_insights(7, "b2", 0, 100).rows == []


@pytest.mark.parametrize(
    ("backtest_id", "end", "error"), [("b3", 100, NotFoundError), ("b1", 200, RefusedError)]
)
def test_what_the_api_refuses_is_a_clear_error(client, backtest_id, end, error):
    with pytest.raises(error):
        client.read_backtest_insights(7, backtest_id, 0, end)
