"""One try: what is called, and how the answers to it are changed. As data, so that it can be kept."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import msgspec
from hypothesis import strategies as st

from tests.fuzz.mutations import Mutation

CORPUS = Path(__file__).parent / "corpus"


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """One try of a surface.

    :param call: what of the surface is called.
    :param why: in the corpus: what once went wrong.
    """

    call: str
    mutations: tuple[Mutation, ...] = ()
    why: str = ""


class Surface(Protocol):
    """A part of the provider that talks to the API."""

    calls: tuple[str, ...]

    def run(self, case: Case) -> str:
        """Run one case; returns ``result`` or the kind of the error that it ended in.

        :raises AssertionError: if it ended in anything but a right result or a typed error.
        """


OpenSurface = AbstractContextManager[Surface]


def cases_of(
    calls: tuple[str, ...], mutations: st.SearchStrategy[tuple[Mutation, ...]]
) -> st.SearchStrategy[Case]:
    """Draw cases of some calls."""
    return st.builds(Case, call=st.sampled_from(sorted(calls)), mutations=mutations)


def of_endpoints(
    endpoints: dict[str, tuple[str, ...]], mutations: st.SearchStrategy[Mutation], latest: int = 2
) -> st.SearchStrategy[Case]:
    """Cases of calls, each with the endpoints whose answers are changed: all of them, or only one."""
    places = [(call, endpoint) for call, each in endpoints.items() for endpoint in each]
    return st.builds(_of_endpoint, st.sampled_from(places), mutations, st.integers(0, latest))


def _of_endpoint(place: tuple[str, str], mutation: Mutation, nth: int) -> Case:
    call, endpoint = place
    return Case(call, (msgspec.structs.replace(mutation, endpoint=endpoint, nth=nth),))


def at_some_answer(mutations: st.SearchStrategy[Mutation]) -> st.SearchStrategy[tuple[Mutation, ...]]:
    """One of *mutations*, of every answer or only of the first."""
    return st.builds(_of_answer, mutations, st.sampled_from([0, 0, 0, 1]))


def _of_answer(mutation: Mutation, nth: int) -> tuple[Mutation, ...]:
    return (msgspec.structs.replace(mutation, nth=nth),)


def load_corpus(surface: str) -> list[Case]:
    """The cases of a surface that once failed."""
    return msgspec.json.decode((CORPUS / f"{surface}.json").read_bytes(), type=list[Case])
