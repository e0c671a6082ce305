"""The end of `make coverage`: how many branches the suite took. coverage.py's total mixes them with lines."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dev.console import fail, say

LEAST_PERCENT = 95.0


def main(report: Path) -> None:
    """Print the share of branches that coverage.py's JSON report counts; ends with 1 if it is too small."""
    totals = json.loads(report.read_text(encoding="utf-8"))["totals"]
    taken, known = totals["covered_branches"], totals["num_branches"]
    percent = 100 * taken / known
    say(f"branches: {taken:,} of {known:,} taken, {percent:.1f} %")
    if percent < LEAST_PERCENT:
        fail(f"{LEAST_PERCENT:.0f} % of the branches must be taken; {report} names those that are not")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
