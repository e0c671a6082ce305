"""The result of a harvest of trading: for the caller, for the log, and as the table at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tabulate import tabulate

from quantconnect_provider.harvest.harvest_errors import one_line, raise_failures

COUNTS = ("requests", "orders", "fills", "trades", "updated", "positions")
_REMARK_WIDTH = 100


@dataclass
class ProjectResult:
    """The result of one project.

    :param requests: requests sent; retries within the client are not counted.
    :param orders: orders that are new in the store; *fills* and *trades* likewise.
    :param updated: stored orders, fills and trades that were different.
    :param positions: currencies and securities held.
    :param set_aside: rows that were not stored: they cannot be read, or their deployment cannot be told.
    :param status: ``complete``, ``failed``, or ``settled`` when nothing can have changed.
    """

    project_id: int
    project_name: str
    requests: int = 0
    orders: int = 0
    fills: int = 0
    trades: int = 0
    updated: int = 0
    positions: int = 0
    set_aside: int = 0
    status: str = "complete"
    error: Exception | None = field(default=None, repr=False)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing changed and nothing failed."""
        return not (self.error or self.orders or self.fills or self.trades or self.updated or self.set_aside)

    @property
    def name(self) -> str:
        """The project's name and number."""
        return f"{self.project_name} ({self.project_id})" if self.project_name else str(self.project_id)

    @property
    def remark(self) -> str:
        """What else there is to say about it."""
        if self.error is not None:
            return one_line(self.error)
        return f"{self.set_aside:,} rows set aside" if self.set_aside else ""


@dataclass
class TradingReport:
    """The results of a batch of projects."""

    results: list[ProjectResult] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> list[ProjectResult]:
        """The projects that could not be harvested to the end."""
        return [result for result in self.results if result.error is not None]

    def counts(self) -> dict[str, int]:
        """Return the totals as plain numbers."""
        totals = {name: sum(getattr(result, name) for result in self.results) for name in COUNTS}
        return {"projects": len(self.results), "failed": len(self.failed), **totals}

    def to_json(self) -> dict[str, Any]:
        """Return the counts, and id, name and error of each project that failed, for XCom."""
        return {
            "counts": self.counts(),
            "failed": [
                {
                    "project_id": result.project_id,
                    "project_name": result.project_name,
                    "deploy_id": "",
                    "error": one_line(result.error),
                }
                for result in self.failed
            ],
        }

    def table(self) -> str:
        """Return the summary table: a line for each project with changes, one for the others, a total."""
        shown = [result for result in self.results if not result.is_quiet or len(self.results) <= 20]
        rows = [[one.name, one.status, *_numbers([one]), one.remark[:_REMARK_WIDTH]] for one in shown]
        quiet = [result for result in self.results if result not in shown]
        if quiet:
            rows.append([f"{len(quiet):,} without changes", "", *_numbers(quiet), ""])
        rows.append(["total", "", *_numbers(self.results), ""])
        align = ["left", "left", *("right" for _ in COUNTS), "left"]
        header = ["project", "status", *COUNTS, "remark"]
        return tabulate(rows, header, tablefmt="simple", colalign=align, disable_numparse=True)

    def raise_if_failed(self) -> None:
        """Raise if a project failed.

        :raises HarvestFailedError: naming what failed; retryable if that may help for one of them.
        """
        raise_failures(
            [
                (f"project {result.project_id}", result.error)
                for result in self.results
                if result.error is not None
            ],
            f"Orders, trades or positions of {len(self.failed)} of {len(self.results)} projects "
            "are incomplete.",
        )


def _numbers(results: list[ProjectResult]) -> list[str]:
    return [f"{sum(getattr(result, name) for result in results):,}" for name in COUNTS]
