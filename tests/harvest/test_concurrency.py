from __future__ import annotations

import pytest

from quantconnect_provider.harvest.fetch.concurrency import Concurrency


@pytest.mark.parametrize(
    ("wait", "work", "useful"), [(0.0, 0.002, 1), (0.001, 0.002, 2), (0.02, 0.002, 11), (0.5, 0.002, 16)]
)
def test_as_many_pages_are_waited_for_as_fit_beside_the_work(wait: float, work: float, useful: int) -> None:
    concurrency = Concurrency(16)
    for _ in range(5):
        concurrency.note(wait + work, work)
    assert concurrency.useful == useful


def test_threads_that_wait_for_each_other_are_not_taken_for_a_slow_api() -> None:
    concurrency = Concurrency(16)
    concurrency.note(0.003, 0.002)
    for _ in range(20):
        concurrency.note(0.040, 0.002)
    assert concurrency.useful == 2


def test_an_api_that_becomes_slow_is_noticed() -> None:
    concurrency = Concurrency(16)
    concurrency.note(0.003, 0.002)
    for _ in range(40):
        concurrency.note(0.050, 0.002)
    assert concurrency.useful == 16
