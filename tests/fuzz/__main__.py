"""Try thousands of wrong answers, and say how many: ``make fuzz``, or with ``FUZZ_SEED=7`` the same again."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor, as_completed

from tests.fuzz.chunk import Chunk, Outcome, run_chunk
from tests.fuzz.parts import LEAST_CASES, PARTS

_LARGEST_CHUNK = 500
_WORKERS = 2


def main() -> int:
    """Run all parts and print the count of each; returns 1 if a case failed or there were too few."""
    parser = argparse.ArgumentParser(description=__doc__)
    drawn = random.SystemRandom().randrange(1_000_000)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("FUZZ_SEED") or drawn))
    parser.add_argument("--share", type=float, default=1.0, help="of the cases: 0.1 is a tenth")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="only these")
    options = parser.parse_args()
    names = options.parts or list(PARTS)
    print(f"seed {options.seed}", flush=True)
    began = time.monotonic()
    chunks = [
        Chunk(name, count, options.seed * 1000 + number)
        for name in names
        for number, count in enumerate(_counts(max(1, round(PARTS[name].cases * options.share)), name))
    ]
    outcomes = _run(chunks)
    _print_table(outcomes)
    total = sum(outcome.tried for outcome in outcomes)
    failed = sum(len(outcome.failures) for outcome in outcomes)
    print(f"{total:,} cases in {time.monotonic() - began:,.0f} s, {failed} failed (seed {options.seed})")
    is_whole = not options.parts and options.share >= 1
    return 1 if failed or (is_whole and total < LEAST_CASES) else 0


def _counts(cases: int, name: str) -> list[int]:
    size = min(_LARGEST_CHUNK, PARTS[name].chunk)
    return [size] * (cases // size) + ([cases % size] if cases % size else [])


def _run(chunks: list[Chunk]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    # Without the threads of this process: a fork would copy their locks.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_WORKERS, mp_context=context) as workers:
        running: list[Future[Outcome]] = [workers.submit(run_chunk, chunk) for chunk in chunks]
        for done in as_completed(running):
            outcome = done.result()
            outcomes.append(outcome)
            for failure in outcome.failures:
                print(failure, flush=True)
            print(f"{outcome.part}: {outcome.tried:,} cases in {outcome.seconds:.0f} s", flush=True)
    return outcomes


def _print_table(outcomes: list[Outcome]) -> None:
    for name in PARTS:
        mine = [outcome for outcome in outcomes if outcome.part == name]
        if not mine:
            continue
        kinds: Counter[str] = Counter()
        for outcome in mine:
            kinds.update(outcome.kinds)
        seconds = sum(outcome.seconds for outcome in mine)
        shown = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
        peak = max(outcome.peak_megabytes for outcome in mine)
        print(f"{name:16} {sum(kinds.values()):7,} cases {seconds:6,.0f} s {peak:5,.0f} MB: {shown}")


if __name__ == "__main__":
    sys.exit(main())
