"""A night on 1,000 quiet projects of 200 insights each, at 50 ms latency.

At most 1,002 requests. Prints the share of the time that is spent in Python outside of waiting for HTTP, with
requests one after another; to be under 3 %. That time is counted as processor time, since on a machine that
does other things too, the clock counts those as well; the clock's share is printed beside it.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import requests

from benchmarks.api import Api
from benchmarks.stores import databases, wanted_kind
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.harvest import HarvestOptions, Store, harvest

PROJECTS = 1000
EACH = 200
LATENCY = 0.05


class HttpTime:
    """Counts the processor time of requests itself, which is part of the time that counts as waiting."""

    def __init__(self) -> None:
        self.seconds = 0.0
        send = requests.Session.send

        def timed(*args: Any, **settings: Any) -> requests.Response:
            began = time.thread_time()
            try:
                return send(*args, **settings)
            finally:
                self.seconds += time.thread_time() - began

        requests.Session.send = timed  # type: ignore[method-assign]


def main() -> None:
    """Fill a store, then harvest twice: one request at a time to measure, then as it is done by default."""
    kind = wanted_kind(__doc__)
    http = HttpTime()
    with (
        Api(EACH, deployments=PROJECTS) as api,
        api.client() as client,
        databases(kind) as addresses,
        Store.open(next(addresses)) as store,
    ):
        harvest(client, store, client.list_live()).raise_if_failed()
        api.set(latency=LATENCY)
        shares = []
        for night, in_flight in ((1, 1), (2, HarvestOptions().in_flight)):
            now = utc_now() + timedelta(days=night)
            sent, waited = client.requests_sent, client.waiting_seconds
            busy = time.process_time() - http.seconds
            began = time.perf_counter()
            listed = client.list_live()
            settings = HarvestOptions(in_flight=in_flight)
            report = harvest(client, store, listed, settings, clock=lambda now=now: now)  # type: ignore[misc]
            wall = time.perf_counter() - began
            waited, sent = client.waiting_seconds - waited, client.requests_sent - sent
            busy = time.process_time() - http.seconds - busy
            report.raise_if_failed()
            assert (report.inserted, report.updated) == (0, 0)
            assert sent <= PROJECTS + 2, sent
            shares.append(busy / (waited + busy))
            print(
                f"{PROJECTS:,} projects into {kind}, {in_flight} in flight: {sent:,} requests, {wall:.1f} s, "
                f"{busy:.2f} s of processor time outside of HTTP"
            )
            if in_flight == 1:
                print(f"  by the clock {(wall - waited) / wall:.2%} of the time outside of HTTP")
    print(f"ratio: {shares[0]:.2%} of the time outside of waiting for HTTP (to be under 3 %)")


if __name__ == "__main__":
    main()
