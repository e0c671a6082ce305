"""What ``make fuzz`` tries, and how often."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.fuzz import mutations
from tests.fuzz.case import Case, at_some_answer, cases_of
from tests.fuzz.client_surface import CALLS, client_surface

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


PARTS = {
    "client content": _client(10_000, mutations.content),
    "client wire": _client(9_000, mutations.wire),
    "client heavy": _client(60, mutations.heavy, 20),
    "client slow": _client(60, mutations.slow, 20),
}
