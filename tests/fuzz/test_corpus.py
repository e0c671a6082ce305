"""What once failed, again: each case ends in a right result or a typed error, in time and in bounds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.case import Case, load_corpus
from tests.fuzz.checks import peak_megabytes
from tests.fuzz.client_surface import CALLS, ClientSurface, client_surface

_MAY_GROW_MEGABYTES = 400


def _named(case: Case) -> str:
    return f"{case.call} {'+'.join(mutation.kind for mutation in case.mutations)}"


@pytest.fixture(scope="module")
def client() -> Iterator[ClientSurface]:
    with client_surface() as surface:
        yield surface


@pytest.mark.parametrize("case", load_corpus("client"), ids=_named)
def test_the_client_survives_what_once_broke_it(client: ClientSurface, case: Case) -> None:
    before = peak_megabytes()

    client.run(case)

    assert peak_megabytes() - before < _MAY_GROW_MEGABYTES


@pytest.mark.parametrize("call", CALLS)
def test_unchanged_answers_are_results(client: ClientSurface, call: str) -> None:
    assert client.run(Case(call)) == "result"
