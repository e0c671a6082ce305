"""What ``make fuzz`` tries, and how often."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.fuzz import mutations
from tests.fuzz.case import Case, at_some_answer, cases_of, of_endpoints
from tests.fuzz.client_surface import CALLS, client_surface
from tests.fuzz.harvest_surface import ENDPOINTS as HARVEST_ENDPOINTS
from tests.fuzz.harvest_surface import harvest_surface
from tests.fuzz.live_surface import ENDPOINTS as LIVE_ENDPOINTS
from tests.fuzz.live_surface import live_surface
from tests.fuzz.watch_surface import ENDPOINTS as WATCH_ENDPOINTS
from tests.fuzz.watch_surface import watch_surface

LEAST_CASES = 20_000


@dataclass(frozen=True)
class Part:
    """Cases of one surface.

    :param chunk: how many a worker runs at a time.
    """

    surface: Callable[[], AbstractContextManager[Any]]
    cases: int
    strategy: st.SearchStrategy[Case]
    chunk: int = 500


def _client(cases: int, kind: st.SearchStrategy[mutations.Mutation], chunk: int = 500) -> Part:
    return Part(client_surface, cases, cases_of(tuple(CALLS), at_some_answer(kind)), chunk)


def _harvest(cases: int, kind: st.SearchStrategy[mutations.Mutation]) -> Part:
    return Part(harvest_surface, cases, of_endpoints(HARVEST_ENDPOINTS, kind), 50)


def _live(cases: int, kind: st.SearchStrategy[mutations.Mutation]) -> Part:
    return Part(live_surface, cases, of_endpoints(LIVE_ENDPOINTS, kind), 50)


def _watch(cases: int, kind: st.SearchStrategy[mutations.Mutation]) -> Part:
    return Part(watch_surface, cases, of_endpoints(WATCH_ENDPOINTS, kind), 50)


PARTS = {
    "client content": _client(10_000, mutations.content),
    "client wire": _client(9_000, mutations.wire),
    "client heavy": _client(60, mutations.heavy, 20),
    "client slow": _client(60, mutations.slow, 20),
    "harvest content": _harvest(300, mutations.content),
    "harvest wire": _harvest(200, mutations.wire),
    "live content": _live(300, mutations.content),
    "live wire": _live(300, mutations.wire),
    "watch content": _watch(200, mutations.content),
    "watch wire": _watch(100, mutations.wire),
}
