"""A night on a deployment with 1,000,000 stored insights, 500 new and 40 still open.

Prints how many times fewer requests it takes than a full read; to be at least 1,000, with at most 10.
"""

from __future__ import annotations

import time
from datetime import timedelta

from benchmarks.api import Api
from benchmarks.stores import databases, wanted_kind
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.harvest import HarvestOptions, Store, harvest

STORED = 1_000_000
NEW = 500
OPEN = 40


def main() -> None:
    """Fill a store, let a day pass, and count."""
    kind = wanted_kind(__doc__)
    with (
        Api(STORED, open_from=STORED - OPEN) as api,
        api.client() as client,
        databases(kind) as addresses,
        Store.open(next(addresses)) as store,
    ):
        began = time.perf_counter()
        first = harvest(client, store, client.list_live())
        first.raise_if_failed()
        print(f"full read: {first.requests:,} requests, {time.perf_counter() - began:.1f} s into {kind}")
        # The 40 of yesterday have closed meanwhile, and so have the new ones but for the last 40.
        api.set(count=STORED + NEW, open_from=STORED + NEW - OPEN)
        tomorrow = utc_now() + timedelta(days=1)
        listed = client.list_live()
        sent = client.requests_sent
        began = time.perf_counter()
        report = harvest(client, store, listed, HarvestOptions(), clock=lambda: tomorrow)
        seconds = time.perf_counter() - began
        report.raise_if_failed()
        requests = client.requests_sent - sent
        assert (report.inserted, report.updated) == (NEW, OPEN), report.counts()
        print(
            f"the night: {requests} requests, {seconds:.2f} s, {report.inserted} inserted, "
            f"{report.updated} updated"
        )
        assert requests <= 10
        print(f"ratio: {first.requests / requests:,.0f} times fewer requests (to be at least 1,000)")


if __name__ == "__main__":
    main()
