"""Peak memory above the start while 1,000,000 insights are harvested; to be at most 64 MiB."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.api import Api
from benchmarks.stores import databases, wanted_kind
from quantconnect_provider.harvest import Store, harvest

COUNT = 1_000_000
LIMIT = 64


def memory(name: str) -> float:
    """Return a memory figure of this process in MiB: ``VmRSS`` now, ``VmHWM`` at most since it was reset."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(name)


def main() -> None:
    """Harvest and read the high-water mark."""
    kind = wanted_kind(__doc__)
    with (
        Api(COUNT) as api,
        api.client() as client,
        databases(kind) as addresses,
        Store.open(next(addresses)) as store,
    ):
        targets = client.list_live()
        Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
        start = memory("VmRSS")
        began = time.perf_counter()
        report = harvest(client, store, targets)
        seconds = time.perf_counter() - began
        above = memory("VmHWM") - start
        report.raise_if_failed()
        assert report.inserted == COUNT
        print(f"{COUNT:,} insights into {kind} in {seconds:.1f} s; {start:.0f} MiB at the start")
        print(
            f"ratio: {above:.1f} MiB above the start, {above / LIMIT:.0%} of the {LIMIT} MiB that it may be"
        )


if __name__ == "__main__":
    main()
