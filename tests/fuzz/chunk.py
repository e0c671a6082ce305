"""Some hundred cases of one part, drawn by hypothesis from one seed, in a worker process."""

from __future__ import annotations

import atexit
import faulthandler
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import msgspec
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.case import Case, Surface
from tests.fuzz.checks import peak_megabytes
from tests.fuzz.parts import PARTS

LARGEST_PEAK_MEGABYTES = 1000
"""Of a worker, its imports, sandbox and server included."""

LONGEST_CASE_SECONDS = 180.0
"""After which a case hangs, and nothing but the end of the process would end it."""

_open_surfaces = ExitStack()
atexit.register(_open_surfaces.close)
_surfaces: dict[str, Surface] = {}


@dataclass(frozen=True)
class Chunk:
    part: str
    cases: int
    seed: int


@dataclass
class Outcome:
    """What came of a chunk; ``kinds`` counts results and kinds of error."""

    part: str
    kinds: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    peak_megabytes: float = 0.0

    @property
    def tried(self) -> int:
        return sum(self.kinds.values())


def run_chunk(chunk: Chunk) -> Outcome:
    """Run the cases of a chunk. One that fails is shown as it is: there is little to make smaller in it."""
    outcome = Outcome(chunk.part)
    surface = _surface_of(chunk.part)

    @seed(chunk.seed)
    @settings(
        max_examples=chunk.cases,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(PARTS[chunk.part].strategy)
    def tried(case: Case) -> None:
        try:
            with _watched(chunk.part, case):
                kind = surface.run(case)
            assert peak_megabytes() < LARGEST_PEAK_MEGABYTES, f"it took {peak_megabytes():,.0f} MB"
        except Exception as error:
            kind = "FAILED"
            shown = msgspec.json.encode(case).decode()
            outcome.failures.append(f"FAILED {chunk.part}: {shown}\n  {str(error)[:1000]}")
        outcome.kinds[kind] += 1

    began = time.monotonic()
    tried()
    outcome.seconds = time.monotonic() - began
    outcome.peak_megabytes = peak_megabytes()
    return outcome


@contextmanager
def _watched(part: str, case: Case) -> Iterator[None]:
    """Name a case that hangs, and where it does; then end this process, and with it the run."""

    def give_up() -> None:
        print(f"HANGS {part}: {msgspec.json.encode(case).decode()}", file=sys.stderr)
        faulthandler.dump_traceback()
        os._exit(1)

    timer = threading.Timer(LONGEST_CASE_SECONDS, give_up)
    timer.daemon = True
    faulthandler.dump_traceback_later(LONGEST_CASE_SECONDS + 10, exit=True)  # if nothing lets go of the GIL
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        faulthandler.cancel_dump_traceback_later()


def _surface_of(part: str) -> Surface:
    opening = PARTS[part].surface
    if opening.__name__ not in _surfaces:
        _surfaces[opening.__name__] = _open_surfaces.enter_context(opening())
    return _surfaces[opening.__name__]
