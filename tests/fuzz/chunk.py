"""Some hundred cases of one part, drawn by hypothesis from one seed, in a worker process."""

from __future__ import annotations

import atexit
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field

import msgspec
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.case import Case, Surface
from tests.fuzz.checks import peak_megabytes
from tests.fuzz.parts import PARTS

LARGEST_PEAK_MEGABYTES = 1000
"""Of a worker, its imports, sandbox and server included."""

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
    """Run the cases of a chunk; the first that fails is made as small as it gets, and ends the chunk."""
    outcome, failed = Outcome(chunk.part), list[Case]()
    surface = _surface_of(chunk.part)

    @seed(chunk.seed)
    @settings(
        max_examples=chunk.cases,
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(PARTS[chunk.part].strategy)
    def tried(case: Case) -> None:
        try:
            kind = surface.run(case)
            assert peak_megabytes() < LARGEST_PEAK_MEGABYTES, f"it took {peak_megabytes():,.0f} MB"
        except Exception:
            failed.append(case)
            raise
        if not failed:
            outcome.kinds[kind] += 1

    began = time.monotonic()
    try:
        tried()
    except Exception as error:
        outcome.kinds["FAILED"] += 1
        case = msgspec.json.encode(failed[-1]).decode() if failed else "no case"
        outcome.failures.append(f"FAILED {chunk.part}: {case}\n  {str(error)[:1000]}")
    outcome.seconds = time.monotonic() - began
    outcome.peak_megabytes = peak_megabytes()
    return outcome


def _surface_of(part: str) -> Surface:
    opening = PARTS[part].surface
    if opening.__name__ not in _surfaces:
        _surfaces[opening.__name__] = _open_surfaces.enter_context(opening())
    return _surfaces[opening.__name__]
