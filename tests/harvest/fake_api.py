"""The API in memory: lists of insights that grow, change, shrink and are served from snapshots."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from uuid import UUID, uuid4

import msgspec
import pendulum

from quantconnect_provider.client.errors import RefusedError
from quantconnect_provider.client.insights import Insight, InsightPage, OddValue
from quantconnect_provider.client.models import LiveSummary

START = datetime(2026, 3, 2, 14, 30, tzinfo=timezone.utc)
NEVER = datetime(2050, 12, 31, tzinfo=timezone.utc)


@dataclass
class FakeDeployment:
    """One deployment: the list that the engine holds, and the snapshot that the API serves.

    :param unreadable: ids of insights that the API shows as null.
    """

    project_id: int
    deploy_id: str
    launched_at: datetime
    status: str = "Running"
    stopped_at: datetime | None = None
    insights: list[Insight] = field(default_factory=list)
    served: list[Insight] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)

    @property
    def ids(self) -> list[str]:
        return [insight.insight_id for insight in self.insights]


class FakeApi:
    """Answers like live/insights/read, in each way in which it may answer.

    :param inclusive_end: whether the row at ``end`` is part of an answer.
    :param largest_window: requests for more rows than this are refused.
    :param past_end: ``empty``, ``error`` or ``clamp``: what a start past the end is answered with.
    :param length: ``total``, ``page``, ``wrong`` or ``none``: what ``length`` says.
    :param before_answer: called with each request's number before it is answered; may raise or change things.
    """

    def __init__(
        self,
        *,
        inclusive_end: bool = False,
        largest_window: int = 100,
        past_end: str = "empty",
        length: str = "total",
    ) -> None:
        self.inclusive_end = inclusive_end
        self.largest_window = largest_window
        self.past_end = past_end
        self.length = length
        self.now = START
        self.machine_clock_is_off = timedelta(0)
        self.deployments: dict[str, FakeDeployment] = {}
        self.requests: list[tuple[str, int, int]] = []
        self.before_answer: Callable[[int], None] = lambda number: None
        self._lock = threading.RLock()
        self._made = 0

    def clock(self) -> pendulum.DateTime:
        """Return the time, a microsecond later at each call."""
        with self._lock:
            self.now += timedelta(microseconds=1)
            return pendulum.instance(self.now)

    def deploy(self, project_id: int = 1) -> FakeDeployment:
        deployment = FakeDeployment(project_id, f"L-{uuid4().hex}", self.now)
        self.deployments[deployment.deploy_id] = deployment
        return deployment

    def emit(
        self, deployment: FakeDeployment, count: int = 1, minutes: float = 30, *, never: bool = False
    ) -> list[Insight]:
        """Let the algorithm make insights that close after some minutes; they show at once."""
        made = []
        for _ in range(count):
            self._made += 1
            self.now += timedelta(seconds=1)
            made.append(
                Insight(
                    insight_id=UUID(int=(self._made * 0x9E3779B97F4A7C15F39CC0605CEDC835) % (1 << 128)).hex,
                    generated_at=self.now,
                    closes_at=NEVER if never else self.now + timedelta(minutes=minutes),
                    symbol="SPY R735QTJ8XC9X",
                    ticker="SPY",
                    insight_type="price",
                    direction="up",
                    period_seconds=minutes * 60,
                    magnitude=0.1,
                    reference_value=400.0 + self._made,
                    score_is_final=False,
                    source_model="ConstantAlphaModel",
                )
            )
        deployment.insights.extend(made)
        self.snapshot(deployment)
        return made

    def score(self, deployment: FakeDeployment, index: int, value: float, *, final: bool = True) -> None:
        """Change an insight as scoring it does."""
        deployment.insights[index] = msgspec.structs.replace(
            deployment.insights[index],
            score_direction=value,
            reference_value_final=value * 100,
            score_is_final=final,
        )
        self.snapshot(deployment)

    def remove(self, deployment: FakeDeployment, first: int, count: int = 1) -> None:
        del deployment.insights[first : first + count]
        self.snapshot(deployment)

    def stop(self, deployment: FakeDeployment, status: str = "Stopped") -> None:
        deployment.status, deployment.stopped_at = status, self.now

    def snapshot(self, deployment: FakeDeployment) -> None:
        """Serve what the engine holds now."""
        deployment.served = list(deployment.insights)

    def list_live(self) -> list[LiveSummary]:
        return [
            LiveSummary(
                project_id=one.project_id,
                deploy_id=one.deploy_id,
                project_name=f"Project {one.project_id}",
                status=one.status,
                brokerage="PaperBrokerage",
                launched_at=pendulum.instance(one.launched_at),
                stopped_at=pendulum.instance(one.stopped_at) if one.stopped_at else None,
            )
            for one in self.deployments.values()
        ]

    def read_insights(
        self, project_id: int, start: int, end: int, deploy_id: str | None = None
    ) -> InsightPage:
        with self._lock:
            number = len(self.requests)
            self.requests.append((str(deploy_id), start, end))
            requested_at = self.clock() + self.machine_clock_is_off
        self.before_answer(number)
        with self._lock:
            if end - start > self.largest_window:
                raise RefusedError("live/insights/read was answered with no: the range is too large.")
            rows = self.deployments[str(deploy_id)].served
            if start >= len(rows) and start > 0:
                if self.past_end == "error":
                    raise RefusedError("live/insights/read was answered with no: start is past the end.")
                if self.past_end == "clamp":
                    start = max(0, len(rows) - (end - start))
                    end = len(rows)
            page = rows[start : end + self.inclusive_end]
            length = {"total": len(rows), "page": len(page), "wrong": 7, "none": None}[self.length]
            unreadable = self.deployments[str(deploy_id)].unreadable
            return InsightPage(
                rows=[None if row.insight_id in unreadable else row for row in page],
                requested_at=requested_at,
                length=length,
                odd_values=[
                    OddValue(index, "", "null")
                    for index, row in enumerate(page)
                    if row.insight_id in unreadable
                ],
            )
