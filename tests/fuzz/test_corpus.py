"""What once failed, again: each case ends in a right result or a typed error, in time and in bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.fuzz.case import Case, Surface, load_corpus
from tests.fuzz.checks import peak_megabytes
from tests.fuzz.client_surface import CALLS, ClientSurface, client_surface
from tests.fuzz.harvest_surface import HarvestSurface, harvest_surface
from tests.fuzz.live_surface import LiveSurface, live_surface
from tests.fuzz.watch_surface import WatchSurface, watch_surface

_MAY_GROW_MEGABYTES = 400


def corpus_of(surface: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    cases = load_corpus(surface)
    names = [f"{case.call} {'+'.join(mutation.kind for mutation in case.mutations)}" for case in cases]
    return pytest.mark.parametrize("case", cases, ids=names)


def survives(surface: Surface, case: Case) -> None:
    before = peak_megabytes()

    surface.run(case)

    assert peak_megabytes() - before < _MAY_GROW_MEGABYTES


@pytest.fixture(scope="module")
def client() -> Iterator[ClientSurface]:
    with client_surface() as surface:
        yield surface


@pytest.fixture(scope="module")
def harvest() -> Iterator[HarvestSurface]:
    with harvest_surface() as surface:
        yield surface


@pytest.fixture(scope="module")
def live() -> Iterator[LiveSurface]:
    with live_surface() as surface:
        yield surface


@pytest.fixture(scope="module")
def watch() -> Iterator[WatchSurface]:
    with watch_surface() as surface:
        yield surface


@corpus_of("client")
def test_the_client_survives_what_once_broke_it(client: ClientSurface, case: Case) -> None:
    survives(client, case)


@corpus_of("harvest")
def test_the_harvest_stores_no_wrong_row_and_recovers(harvest: HarvestSurface, case: Case) -> None:
    survives(harvest, case)


@corpus_of("live")
def test_a_task_makes_no_second_deployment_and_stops_no_other(live: LiveSurface, case: Case) -> None:
    survives(live, case)


@corpus_of("watch")
def test_a_cycle_of_the_watch_survives_what_it_sees(watch: WatchSurface, case: Case) -> None:
    survives(watch, case)


@pytest.mark.parametrize("call", CALLS)
def test_unchanged_answers_are_results(client: ClientSurface, call: str) -> None:
    assert client.run(Case(call)) == "result"


@pytest.mark.parametrize("call", HarvestSurface.calls)
def test_a_harvest_of_unchanged_answers_is_a_result(harvest: HarvestSurface, call: str) -> None:
    assert harvest.run(Case(call)) == "result"


@pytest.mark.parametrize("call", LiveSurface.calls)
def test_a_task_with_unchanged_answers_ends_in_a_result(live: LiveSurface, call: str) -> None:
    assert live.run(Case(call)) == "result"


@pytest.mark.parametrize("call", WatchSurface.calls)
def test_a_cycle_of_unchanged_answers_is_a_result(watch: WatchSurface, call: str) -> None:
    assert watch.run(Case(call)) == "result"
