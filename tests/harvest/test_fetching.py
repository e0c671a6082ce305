"""What is asked for, when, and how much at the same time."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantconnect_provider.client.insights import Insight
from quantconnect_provider.harvest import Store
from quantconnect_provider.harvest.fetch.lookback import last_match
from quantconnect_provider.harvest.fetch.page import Page
from quantconnect_provider.harvest.read_plan import cover
from tests.harvest.fake_api import START, FakeApi
from tests.harvest.nights import night


def needed(count: int) -> int:
    """How many pages of 100 show *count* rows, each beginning with the last row of the one before."""
    return 1 + max(0, -(-(count - 100 + 1) // 99))


@pytest.mark.parametrize("count", [1, 99, 100, 150, 500, 5000])
def test_with_a_length_to_go_by_no_request_is_in_vain(api: FakeApi, store: Store, count: int) -> None:
    api.emit(api.deploy(), count)
    night(api, store)
    assert len(api.requests) == needed(count)


@pytest.mark.parametrize("length", ["page", "wrong", "none"])
def test_without_a_length_a_short_tail_costs_no_request_in_vain(store: Store, length: str) -> None:
    api = FakeApi(length=length)
    deployment = api.deploy()
    api.emit(deployment, 90)
    night(api, store)
    assert len(api.requests) == 1
    api.emit(deployment, 60)
    night(api, store)
    assert len(api.requests) <= 2


@pytest.mark.parametrize("length", ["page", "wrong", "none"])
def test_without_a_length_a_long_tail_costs_few_requests_in_vain(store: Store, length: str) -> None:
    api = FakeApi(length=length)
    api.emit(api.deploy(), 5000)
    night(api, store, in_flight=8)
    assert len(api.requests) <= needed(5000) + 8


def test_no_more_than_the_wanted_number_is_under_way(api: FakeApi, store: Store) -> None:
    api.emit(api.deploy(), 4000)
    lock, latency = threading.Lock(), threading.Event()
    seen = {"now": 0, "most": 0}
    answer = api.read_insights

    def counted(*args: Any) -> Any:
        with lock:
            seen["now"] += 1
            seen["most"] = max(seen["most"], seen["now"])
        latency.wait(0.05)  # an API without latency is not worth asking for several pages at a time
        try:
            return answer(*args)
        finally:
            with lock:
                seen["now"] -= 1

    api.read_insights = counted  # type: ignore[method-assign]
    night(api, store, in_flight=4)
    assert seen["most"] == 4


@given(
    positions=st.lists(st.integers(0, 900), unique=True).map(sorted),
    beyond=st.integers(0, 300),
    size=st.sampled_from([99, 100]),
)
def test_windows_cover_what_is_open_and_the_end_with_the_fewest_pages(
    positions: list[int], beyond: int, size: int
) -> None:
    last = max([*positions, 0]) + beyond
    windows, tail = cover(positions, last, size)
    pages = [*windows, tail]
    assert all(any(start <= position < start + size for start in pages) for position in positions)
    assert tail <= last < tail + size - 1
    # Points of which no two fit on one page need a page each.
    apart: list[int] = []
    for position in positions:
        if not apart or position >= apart[-1] + size:
            apart.append(position)
    assert len(pages) <= len(apart) + 1


@given(
    length=st.integers(1, 3000),
    removed=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 400)), max_size=3),
    grown=st.integers(0, 300),
    past_end=st.sampled_from(["empty", "error", "clamp"]),
)
def test_the_last_row_in_its_place_is_found(
    length: int, removed: list[tuple[int, int]], grown: int, past_end: str
) -> None:
    api = FakeApi(past_end=past_end)
    deployment = api.deploy()
    stored = [str(number) for number in range(length)]
    now = list(stored)
    for first, count in removed:
        del now[first : first + count]
    now += [f"new {number}" for number in range(grown)]
    deployment.served = [Insight(insight_id=name) for name in now]
    deployment.insights = deployment.served
    probes = []

    def read(start: int) -> Page:
        probes.append(start)
        rows = api.read_insights(1, start, start + 100, deployment.deploy_id).rows
        return Page(start, 100, [row.insight_id for row in rows], [], START)

    def known(first: int, last: int) -> dict[int, str]:
        return dict(list(enumerate(stored))[first : last + 1])

    expected = -1
    for position, (one, other) in enumerate(zip(stored, now, strict=False)):
        if one != other:
            break
        expected = position
    assert last_match(read, known, length - 1, 100) == expected
    assert len(probes) <= 12
