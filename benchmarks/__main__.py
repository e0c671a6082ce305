"""Runs every benchmark in turn, each in a process of its own: ``python -m benchmarks [NAME ...]``.

Those of the harvest run on SQLite, and on PostgreSQL where a server is at hand. Ends with all ratios again.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.store import postgres

_STORES: list[list[str]] = [[], ["--store", "postgresql"]] if postgres.is_available() else [[]]
_VARIANTS = {
    **dict.fromkeys(
        ("first_fill", "overlap", "night", "memory", "publish", "quiet_projects", "scorecard", "watch"),
        _STORES,
    ),
    "rate_limit": [["--configured"], ["--learned"]],
}
_PARTS = ("__init__", "__main__", "api", "server", "stores")


def commands(wanted: list[str]) -> list[list[str]]:
    """Return the command lines of the benchmarks that are *wanted*; all if none is named."""
    names = [path.stem for path in sorted(Path(__file__).parent.glob("*.py")) if path.stem not in _PARTS]
    return [
        [name, *options]
        for name in names
        if not wanted or name in wanted
        for options in _VARIANTS.get(name, [[]])
    ]


def main() -> int:
    """Run them; returns 1 if one failed."""
    ratios, failed = [], False
    for name, *options in commands(sys.argv[1:]):
        title = " ".join([name, *options])
        print(f"== {title}", flush=True)
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", *options],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(f"{done.stdout}({time.monotonic() - began:.0f} s)\n", flush=True)
        last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "no output"
        ratios.append(f"{title:36} {last if done.returncode == 0 else f'FAILED: {last}'}")
        failed = failed or done.returncode != 0
    print("\n".join(ratios))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
