"""An API that refuses more than 600 requests a minute, with and without ``requests_per_minute``.

Configured: none refused, and 95 % of the allowance used. Learned: requests needed over requests sent, to be
0.9 or better, with nothing lost. Run with ``--configured`` or ``--learned``; without, both, one by one.
"""

from __future__ import annotations

import argparse

from benchmarks.api import Api
from benchmarks.stores import databases
from quantconnect_provider.harvest import HarvestReport, Store, harvest

PER_MINUTE = 600
CONFIGURED_COUNT = 118_000  # about 1,190 pages: two minutes
LEARNED_COUNT = 178_000  # about 1,800 pages: three minutes, of which the first one's burst teaches the limit


def run(api: Api, count: int, **settings: float) -> tuple[HarvestReport, int]:
    """Harvest into a new SQLite store; returns the report and how many insights are stored."""
    with (
        databases("sqlite") as addresses,
        Store.open(next(addresses)) as store,
        api.client(**settings) as client,
    ):
        report = harvest(client, store, client.list_live())
        report.raise_if_failed()
        assert report.inserted == count
        return report, client.requests_sent


def configured() -> None:
    """Configure the limit."""
    with Api(CONFIGURED_COUNT, latency=0.05, per_minute=PER_MINUTE) as api:
        run(api, CONFIGURED_COUNT, requests_per_minute=PER_MINUTE)
        arrivals, refused = api.arrivals(), api.refused()
    minutes = (arrivals[-1] - arrivals[0]) / 60.0
    used = (len(arrivals) - 1) / minutes / PER_MINUTE
    print(f"configured: {len(arrivals):,} requests in {minutes:.2f} minutes, {refused} refused")
    assert refused == 0
    print(f"ratio: {used:.1%} of the allowance used (to be at least 95 %, none refused)")


def learned() -> None:
    """Let the client find it out."""
    with Api(LEARNED_COUNT, latency=0.05, per_minute=PER_MINUTE) as api:
        report, sent = run(api, LEARNED_COUNT)
        refused = api.refused()
    needed = 1 + -(-(LEARNED_COUNT - 99) // 99) + 1  # the list, and pages that each repeat one row
    print(f"learned: {sent:,} requests sent, {refused} refused, {report.seconds:.0f} s, nothing lost")
    print(f"ratio: {needed / sent:.3f} requests needed over requests sent (to be at least 0.9)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--configured", action="store_true")
    group.add_argument("--learned", action="store_true")
    chosen = parser.parse_args()
    if not chosen.learned:
        configured()
    if not chosen.configured:
        learned()


if __name__ == "__main__":
    main()
