"""First harvest of 100,000 insights without latency: how well reading and storing overlap.

Reading and parsing all pages is measured alone, and storing all rows alone. Prints the share of the harvest's
time that goes beyond the larger of the two; to be at most 25 %.
"""

from __future__ import annotations

import statistics
import time
from datetime import timedelta

from benchmarks.api import Api, deploy_id
from benchmarks.stores import databases, wanted_kind
from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.harvest import HarvestOptions, Store, harvest
from quantconnect_provider.harvest.fetch.checked_pages import CheckedPages
from quantconnect_provider.harvest.fetch.page import Page
from quantconnect_provider.harvest.fetch.page_reader import PageReader, PageSize
from quantconnect_provider.harvest.fetch.thread_pool import FetchPool
from quantconnect_provider.store.change_rule import ChangeRule
from quantconnect_provider.store.commit_unit import CommitUnit, HarvestRecord, RowRun

COUNT = 100_000
RUNS = 5
SETTINGS = HarvestOptions()


def read_alone(client: QuantConnectClient, store: Store) -> tuple[float, list[Page]]:
    """Read and parse all pages as the harvest does; returns the seconds and the pages."""
    rule = ChangeRule(timedelta(days=7))
    reader = PageReader(client, store.staging, 1000, deploy_id(0), size=PageSize(), rule=rule)
    pool = FetchPool(SETTINGS.in_flight)
    pages = CheckedPages(pool, reader, SETTINGS.in_flight)
    began = time.perf_counter()
    pages.begin([0])
    read = [pages.first(None)]
    while read[-1].is_full:
        read.append(pages.following(read[-1])[0])
    seconds = time.perf_counter() - began
    pages.close()
    pool.close()
    return seconds, read


def store_alone(store: Store, pages: list[Page]) -> float:
    """Store the rows of *pages* as the harvest does; returns the seconds."""
    record = HarvestRecord(1000, deploy_id(0), "benchmark", utc_now())
    began = time.perf_counter()
    row_run = RowRun(0)
    for page in pages:
        if len(row_run.ids) >= SETTINGS.commit_rows:
            assert store.commit([CommitUnit(record, [row_run])])[0].applied
            row_run = RowRun(row_run.end + 1, row_run.ids[-1])
        row_run.add(page, 1 if page.start else 0)
    assert store.commit([CommitUnit(record, [row_run])])[0].applied
    assert record.inserted == COUNT
    return time.perf_counter() - began


def together(client: QuantConnectClient, store: Store) -> float:
    """Harvest; returns the seconds."""
    began = time.perf_counter()
    report = harvest(client, store, client.list_live(), SETTINGS)
    seconds = time.perf_counter() - began
    report.raise_if_failed()
    return seconds


def main() -> None:
    """Measure and print."""
    kind = wanted_kind(__doc__)
    reading, storing, harvesting = [], [], []
    with Api(COUNT) as api, api.client() as client, databases(kind) as addresses:
        targets = client.list_live()
        for _ in range(RUNS):  # in turns, so that whatever else the machine does hits all three
            with Store.open(next(addresses)) as store:
                store.save_deployments(targets, utc_now())
                seconds, pages = read_alone(client, store)
                reading.append(seconds)
                storing.append(store_alone(store, pages))
                del pages
            with Store.open(next(addresses)) as store:
                harvesting.append(together(client, store))
    print(f"{COUNT:,} insights without latency into {kind}, medians of {RUNS} runs:")
    for name, seconds_of in (("reading", reading), ("storing", storing), ("harvest", harvesting)):
        print(f"  {name:9} {statistics.median(seconds_of):.2f} s")
    beyond = [
        (whole - max(read, stored)) / whole
        for whole, read, stored in zip(harvesting, reading, storing, strict=True)
    ]
    print(f"ratio: {statistics.median(beyond):.1%} beyond the larger of both (to be at most 25 %)")


if __name__ == "__main__":
    main()
