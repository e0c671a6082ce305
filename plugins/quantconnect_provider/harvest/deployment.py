"""Harvests one deployment: read what the plan says, check that it fits together, commit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from quantconnect_provider.client.errors import NotFoundError
from quantconnect_provider.harvest.fetch.checked_pages import CheckedPages
from quantconnect_provider.harvest.fetch.lookback import last_match
from quantconnect_provider.harvest.fetch.page import Page
from quantconnect_provider.harvest.fetch.page_reader import PageReader
from quantconnect_provider.harvest.fetch.thread_pool import FetchPool
from quantconnect_provider.harvest.group_commit import GroupCommit
from quantconnect_provider.harvest.harvest_errors import PositionsShiftedError, UnstableListError
from quantconnect_provider.harvest.odd_values import OddValueLog
from quantconnect_provider.harvest.options import HarvestOptions
from quantconnect_provider.harvest.progress import Progress
from quantconnect_provider.harvest.read_plan import ReadPlan
from quantconnect_provider.store.change_rule import ENDED_LAG, ChangeRule
from quantconnect_provider.store.commit_unit import (
    UNREAD,
    CommitUnit,
    HarvestRecord,
    ResumeState,
    RowRun,
)
from quantconnect_provider.store.store import Store

log = logging.getLogger(__name__)

_ROUNDS = 10
_SHIFTED = "; positions had shifted"


@dataclass(frozen=True)
class BatchTools:
    """What the deployments of a batch share."""

    store: Store
    commits: GroupCommit
    pool: FetchPool
    settings: HarvestOptions
    clock: Callable[[], datetime]


class DeploymentHarvest:
    """The harvest of one deployment.

    :param plan: what to read.
    :param rule: for how long its insights can change.
    :param record: becomes the row in ``quantconnect_harvests``; counts are kept up here.
    """

    def __init__(
        self,
        tools: BatchTools,
        reader: PageReader,
        state: ResumeState,
        plan: ReadPlan,
        *,
        rule: ChangeRule,
        record: HarvestRecord,
    ) -> None:
        self._tools = tools
        self._reader = reader
        self._state = state
        self._rule = rule
        self.plan = plan
        self.record = record
        self.shifts = 0
        self._full = plan.tail == 0 or state.full_at is None
        self._pending: list[RowRun] = []
        self._settles_at: datetime | None = None
        self._pages = CheckedPages(tools.pool, reader, tools.settings.in_flight)
        self._pages.begin(plan.starts)
        self.progress = Progress(record, tools.settings.progress_seconds)
        self.odd_values = OddValueLog(f"Project {record.project_id}, deployment {record.deploy_id}")

    def prefetch(self) -> None:
        """Request the first page, before it is this deployment's turn."""
        self._pages.prefetch()

    def close(self) -> None:
        """Request nothing more."""
        self._pages.close()
        self.odd_values.summarize()

    def run(self) -> CommitUnit:
        """Read everything that the plan wants and return what is left to be committed, the end included.

        Long reads are committed as they go.

        :raises QuantConnectError: if the API does not answer, or the list keeps changing.
        """
        while True:
            try:
                self._read_windows()
                self._read_tail()
                self._pages.close()
                return self._last_unit()
            except NotFoundError as error:
                if self._rule.ended_at is None or not error.api_errors:
                    raise
                # QuantConnect has dropped the insights of a deployment that has ended.
                log.warning("%s: QuantConnect shows its insights no more: %s", self.record.deploy_id, error)
                self._pending = []
                return self._last_unit()
            except PositionsShiftedError as shift:
                self._pages.close()
                self._look_back(shift)

    def run_again(self) -> CommitUnit:
        """Like :meth:`run`, after the store has rejected what that returned."""
        self._pending = []
        self.record.status, self.record.error = "failed", "It was cut off."
        self._look_back(PositionsShiftedError("another harvest has stored something newer"))
        return self.run()

    def _read_windows(self) -> None:
        for start in list(self.plan.windows):
            run = RowRun(start, is_window=True)
            self._take(run, self._pages.window(start, self._state.last))
            self._pending.append(run)
            self._commit_if_many()

    def _read_tail(self) -> None:
        page = self._pages.first(self.plan.anchor)
        run = RowRun(page.start)
        self._pending.append(run)
        self._take(run, page)
        ended = not page.is_full
        while not ended:
            run = self._next_run(run)
            page, known = self._pages.following(page)
            self._take(run, page, known)
            # A page with nothing new is the end too, whatever the API makes of a start so close to it.
            ended = not page.is_full or known == len(page.ids)
        run.at_end, run.ended_at = True, page.observed_at

    def _next_run(self, run: RowRun) -> RowRun:
        """Return the run for the next rows: *run* itself, until it is large enough to be committed.

        It then ends with a row that could be read, so that the next one has an anchor.
        """
        if run.ids[-1] != UNREAD and self._commit_if_many():
            run = RowRun(run.end + 1, run.ids[-1])
            self._pending.append(run)
        return run

    def _take(self, run: RowRun, page: Page, skip: int = 0) -> None:
        run.add(page, skip)
        self.odd_values.note(page, skip)
        self.record.read += len(page.ids) - skip
        if page.settles_at and (self._settles_at is None or page.settles_at > self._settles_at):
            self._settles_at = page.settles_at
        self.progress.tick(page.start + len(page.ids), self._pages.length, self._state.last_position)

    def _commit_if_many(self) -> bool:
        if sum(len(run.rows) for run in self._pending) < self._tools.settings.commit_rows:
            return False
        self._commit()
        return True

    def _commit(self) -> None:
        """Commit what was read and checked so far.

        :raises PositionsShiftedError: if the store knows something newer that contradicts it.
        """
        self.record.requests = self._reader.requests
        pending, self._pending = self._pending, []
        unit = CommitUnit(self.record, pending, page_size=self._page_size)
        if not self._tools.commits.now(unit):
            raise PositionsShiftedError("what is stored is newer, or rows between have moved")
        done = {run.start for run in pending if run.is_window}
        self.plan.windows = [start for start in self.plan.windows if start not in done]

    @property
    def requests(self) -> int:
        """Pages requested so far."""
        return self._reader.requests

    @property
    def _page_size(self) -> int | None:
        return self._reader.size.value if self._reader.size.proven else None

    def _last_unit(self) -> CommitUnit:
        record = self.record
        record.requests = self._reader.requests
        record.finished_at = self._tools.clock()
        record.status, record.error = "complete", None
        return CommitUnit(
            record,
            self._pending,
            page_size=self._page_size,
            complete_at=record.started_at,
            full=self._full,
            settled=self._is_settled(),
        )

    def _is_settled(self) -> bool:
        """Whether the deployment has ended and all was read after its last flush and last change."""
        ended_at, started_at = self._rule.ended_at, self.record.started_at
        if ended_at is None or started_at < ended_at + ENDED_LAG or self.odd_values.unread_rows:
            return False
        return self._settles_at is None or started_at >= self._settles_at

    def _look_back(self, shift: PositionsShiftedError) -> None:
        """Plan anew from the last row that stands where it is stored."""
        self.shifts += 1
        if self.shifts > _ROUNDS:
            raise UnstableListError(
                f"The insights of deployment {self.record.deploy_id} moved {self.shifts} times while they "
                f"were read: {shift}.",
                endpoint="live/insights/read",
            )
        try:
            if any(not run.is_window for run in self._pending):
                self._commit()  # it was checked up to here; it is read again below
        except PositionsShiftedError:
            pass
        self._pending = []
        store, deploy_id = self._tools.store, self.record.deploy_id
        self._state = store.load_states([deploy_id]).get(deploy_id) or ResumeState(deploy_id)
        stored: dict[int, str] = {}

        def ids_between(first: int, final: int) -> dict[int, str]:
            stored.update(store.ids_between(deploy_id, first, final))
            return stored

        matching = last_match(self._reader.read, ids_between, self._state.last, self._reader.size.value)
        self.plan = self._plan_from(matching, stored)
        log.warning(
            "%s: positions have shifted (%s); reading again from position %s.",
            deploy_id,
            shift,
            f"{self.plan.tail:,}",
        )
        self._pages.begin(self.plan.starts)

    def _plan_from(self, matching: int, stored: dict[int, str]) -> ReadPlan:
        reason = f"{self.plan.reason.removesuffix(_SHIFTED)}{_SHIFTED}"
        if matching < 0:
            self._full = True
            return ReadPlan(0, reason)
        size = self._reader.size.value
        windows = [start for start in self.plan.windows if start + size - 1 <= matching]
        tail = min((s for s in self.plan.windows if s <= matching < s + size - 1), default=matching)
        return ReadPlan(tail, reason, windows, (matching, stored[matching]))
