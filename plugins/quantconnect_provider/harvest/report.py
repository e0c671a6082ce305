"""The result of a harvest: for the caller, for the log, and as the table at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tabulate import tabulate

from quantconnect_provider.harvest.harvest_errors import one_line, raise_failures

_REMARK_WIDTH = 100
_ALIGN = ("left", "left", "left", "right", "right", "right", "right", "left")


@dataclass
class DeploymentResult:
    """The result of one deployment.

    :param status: ``complete``, ``failed``, or ``settled`` when it was not read because nothing can have
        changed.
    :param reason: why it was read, and from where.
    :param requests: pages requested; retries within the client are not counted.
    :param read: rows read.
    :param updated: stored rows that were different.
    """

    project_id: int
    project_name: str
    deploy_id: str
    status: str = "complete"
    reason: str = ""
    requests: int = 0
    read: int = 0
    inserted: int = 0
    updated: int = 0
    seconds: float = 0.0
    error: Exception | None = field(default=None, repr=False)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing changed and nothing failed."""
        return self.error is None and not self.inserted and not self.updated


@dataclass
class HarvestReport:
    """The results of a batch of deployments."""

    results: list[DeploymentResult] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> list[DeploymentResult]:
        """The deployments that could not be harvested to the end."""
        return [result for result in self.results if result.error is not None]

    @property
    def requests(self) -> int:
        """Pages requested."""
        return sum(result.requests for result in self.results)

    @property
    def read(self) -> int:
        """Rows read."""
        return sum(result.read for result in self.results)

    @property
    def inserted(self) -> int:
        """Rows that are new in the store."""
        return sum(result.inserted for result in self.results)

    @property
    def updated(self) -> int:
        """Rows of the store that were different."""
        return sum(result.updated for result in self.results)

    def counts(self) -> dict[str, int]:
        """Return the totals as plain numbers, e.g. for an asset event."""
        return {
            "deployments": len(self.results),
            "failed": len(self.failed),
            "requests": self.requests,
            "read": self.read,
            "inserted": self.inserted,
            "updated": self.updated,
        }

    def to_json(self) -> dict[str, Any]:
        """Return the counts, and ids, names and error of each deployment that failed, for XCom."""
        return {
            "counts": self.counts(),
            "failed": [
                {
                    "project_id": result.project_id,
                    "project_name": result.project_name,
                    "deploy_id": result.deploy_id,
                    "error": one_line(result.error),
                }
                for result in self.failed
            ],
        }

    def raise_if_failed(self) -> None:
        """Raise if a deployment failed.

        :raises HarvestFailedError: naming what failed; retryable if that may help for one of them.
        """
        raise_failures(
            [
                (f"project {result.project_id}, {result.deploy_id}", result.error)
                for result in self.results
                if result.error is not None
            ],
            f"{len(self.failed)} of {len(self.results)} deployments could not be harvested; the others were.",
        )

    def table(self) -> str:
        """Return the summary table: a line for each deployment with changes, one for the others, a total."""
        shown = [result for result in self.results if not result.is_quiet or len(self.results) <= 20]
        rows = [_row(result) for result in shown]
        quiet = len(self.results) - len(shown)
        if quiet:
            rows.append([f"{quiet:,} without changes", "", "", *_numbers(self._quiet()), ""])
        rows.append(["total", "", "", *_numbers(self.results), ""])
        header = ["project", "deployment", "status", "requests", "read", "inserted", "updated", "remark"]
        return tabulate(rows, header, tablefmt="simple", colalign=_ALIGN, disable_numparse=True)

    def _quiet(self) -> list[DeploymentResult]:
        return [result for result in self.results if result.is_quiet]


def describe(result: DeploymentResult) -> str:
    """Return the log line of one deployment."""
    name = f"{result.project_name} " if result.project_name else ""
    rate = f", {result.read / result.seconds:,.0f} rows/s" if result.seconds > 1 else ""
    line = (
        f"{name}({result.project_id}, {result.deploy_id}): {result.reason}; "
        f"{result.requests:,} request{'s' * (result.requests != 1)}, {result.read:,} rows read{rate}, "
        f"{result.inserted:,} inserted, {result.updated:,} updated."
    )
    return line if result.error is None else f"{line} FAILED: {one_line(result.error)}"


def _row(result: DeploymentResult) -> list[str]:
    name = f"{result.project_name} ({result.project_id})" if result.project_name else str(result.project_id)
    remark = one_line(result.error)[:_REMARK_WIDTH] if result.error else result.reason
    return [name, result.deploy_id, result.status, *_numbers([result]), remark]


def _numbers(results: Sequence[DeploymentResult]) -> list[str]:
    return [
        f"{sum(getattr(result, name) for result in results):,}"
        for name in ("requests", "read", "inserted", "updated")
    ]
