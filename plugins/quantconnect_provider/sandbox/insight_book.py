"""A deployment's insights: which exist at a moment, in which order, and as of which snapshot.

Nothing is kept for each insight. An insight is a serial number; its content follows from the seed, the
serial and the time. What is kept are the stretches of serials that were emitted together, the visible
order as ranges of serials, and the few rows that a test changed by hand.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from quantconnect_provider.sandbox import insight_rows
from quantconnect_provider.sandbox.api_spec import InsightApi
from quantconnect_provider.sandbox.insight_json import Speller
from quantconnect_provider.sandbox.insight_rows import CLOSED, FINAL, NEVER, OPEN, Row, variant_of
from quantconnect_provider.sandbox.scenario_spec import Insights


class Stretch(NamedTuple):
    """Serials `first` .. `first + size - 1`, generated `every` seconds apart from `start` on."""

    first: int
    size: int
    start: float
    every: float
    period: float


class View(NamedTuple):
    """The list at one moment: ranges of serials in order, rows changed by hand, and that moment."""

    ranges: tuple[tuple[int, int], ...]
    changed: dict[int, dict[str, Any]]
    at: float

    @property
    def length(self) -> int:
        """How many insights the list has."""
        return sum(stop - start for start, stop in self.ranges)

    def serials(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Find the ranges of serials at positions `start` (inclusive) to `end` (exclusive)."""
        position = 0
        for first, stop in self.ranges:
            low, high = max(start - position, 0), min(end - position, stop - first)
            if low < high:
                yield first + low, first + high
            position += stop - first
            if position >= end:
                return


class InsightBook:
    """All insights that one deployment ever emitted, and the list that the API shows of them.

    :param key: what the ids follow from; another for every deployment
    :param api: how the API shows them (spelling, snapshots)
    """

    def __init__(self, key: bytes, seed: int, settings: Insights, api: InsightApi) -> None:
        self._hash = blake2b(key, digest_size=16)
        self._seed = seed
        self.settings = settings
        self._api = api
        self._symbols = tuple(settings.symbols)
        self._stretches: list[Stretch] = []
        self._firsts: list[int] = []
        self._ranges: list[tuple[int, int]] = []
        self._changed: dict[int, dict[str, Any]] = {}
        self._next_serial = 0
        self._next_growth: float | None = None
        self._running = False
        self._ended_at: float | None = None
        self._snapshot: View | None = None
        self._next_snapshot: float | None = None

    # --- what happens to the list -------------------------------------------------------------------

    def begin(self, now: float, fresh: bool = True) -> None:
        """Let the list grow from `now` on, when the algorithm runs; a `fresh` one emits some at once."""
        growth = self.settings.growth
        self._ended_at = None
        if fresh and growth.immediate:
            self.add(growth.immediate, now, period=growth.period_seconds)
        self._next_growth = now + growth.every_seconds if growth.every_seconds > 0 else None
        self._running = True
        if self._api.refresh_seconds > 0:
            self._snapshot = self._snapshot or View((), {}, now)
            self._next_snapshot = now + self._api.refresh_seconds

    def end(self, now: float) -> None:
        """Let the list stand, when the algorithm is over; a last snapshot follows.

        Nothing grows, closes or is scored any more.
        """
        self.settle(now)
        self._next_growth = None
        self._running = False
        self._ended_at = now
        if self._api.refresh_seconds > 0:
            self._next_snapshot = now + self.settings.flush_seconds

    def pause(self, now: float) -> None:
        """Emit no more insights, while the algorithm runs on."""
        self.settle(now)
        self._next_growth = None

    def add(self, count: int, now: float, *, every: float = 0.0, period: float | None = None,
            position: int | None = None) -> range:  # fmt: skip
        """Emit `count` insights, the first at `now`, at the end of the list or at `position`."""
        self.settle(now)
        period = self.settings.growth.period_seconds if period is None else period
        first, stop = self._next_serial, self._next_serial + count
        self._emit(Stretch(first, count, now, every, period), position)
        return range(first, stop)

    def _emit(self, stretch: Stretch, position: int | None = None) -> None:
        if not stretch.size:
            return
        first, stop = stretch.first, stretch.first + stretch.size
        if self._stretches and _continues(self._stretches[-1], stretch):
            last = self._stretches[-1]
            self._stretches[-1] = last._replace(size=last.size + stretch.size)
        else:
            self._stretches.append(stretch)
            self._firsts.append(first)
        self._next_serial = stop
        view = self.view(stretch.start)
        if position is not None and position < view.length:
            self._ranges = [*view.serials(0, position), (first, stop), *view.serials(position, view.length)]
        elif self._ranges and self._ranges[-1][1] == first:
            self._ranges[-1] = (self._ranges[-1][0], stop)
        else:
            self._ranges.append((first, stop))

    def remove(self, start: int, end: int, now: float) -> int:
        """Take positions `start` to `end` (exclusive) out of the list; later ones move down."""
        self.settle(now)
        view = self.view(now)
        self._ranges = [*view.serials(0, start), *view.serials(end, view.length)]
        return view.length - self.view(now).length

    def reset(self, now: float) -> None:
        """Empty the list, as an engine that starts anew may."""
        self.settle(now)
        self._ranges = []

    def change(self, positions: Iterable[int], now: float, fields: dict[str, Any]) -> int:
        """Set fields of the rows at these positions, whatever time would make of them."""
        self.settle(now)
        view = self.view(now)
        serials = [first for position in positions for first, _ in view.serials(position, position + 1)]
        self.change_serials(serials, fields)
        return len(serials)

    def change_serials(self, serials: Iterable[int], fields: dict[str, Any]) -> None:
        """Set fields of these insights, wherever they stand; earlier views keep the old ones."""
        self._changed = {**self._changed, **{s: {**self._changed.get(s, {}), **fields} for s in serials}}

    def identity(self, serial: int) -> str:
        """Return 32 hex digits: the id of an insight."""
        state = self._hash.copy()  # a third of the cost of hashing key and serial anew
        state.update(serial.to_bytes(8, "little"))
        return state.hexdigest()

    def settle(self, now: float) -> None:
        """Let the list grow to `now`, taking the snapshots that fell due on the way."""
        every = self._api.refresh_seconds
        if every <= 0:
            self._next_snapshot = None
        elif self._next_snapshot is None and self._running:  # snapshots were switched on just now
            self._next_snapshot = now
        while self._next_snapshot is not None and self._next_snapshot <= now:
            due = self._next_snapshot
            self._grow(due)
            self._snapshot = self.view(due)
            # Every change of the list settles it first, so that of several due snapshots the last will do.
            skipped = int((now - due) / every) * every
            self._next_snapshot = due + (skipped or every) if self._running else None
        self._grow(now)

    def refresh(self, now: float) -> None:
        """Take a snapshot now, between the regular ones."""
        self.settle(now)
        self._snapshot = self.view(now)

    def _grow(self, now: float) -> None:
        if self._next_growth is None or self._next_growth > now:
            return
        growth = self.settings.growth
        every, due = growth.every_seconds, self._next_growth
        count = int((now - due) / every) + 1
        self._emit(Stretch(self._next_serial, count, due, every, growth.period_seconds))
        self._next_growth = due + count * every

    # --- what can be seen of it ----------------------------------------------------------------------

    def view(self, now: float) -> View:
        """Return the true list; it stands still at the time at which the algorithm ended."""
        at = now if self._ended_at is None else min(now, self._ended_at)
        return View(tuple(self._ranges), self._changed, at)

    def shown(self, now: float) -> View:
        """Return the list that the API shows: the truth, or the last snapshot of it."""
        self.settle(now)
        return self._snapshot if self._snapshot and self._api.refresh_seconds > 0 else self.view(now)

    @property
    def emitted(self) -> int:
        """How many insights were ever emitted, removed ones included."""
        return self._next_serial

    def everything(self, now: float) -> View:
        """Return all that was ever emitted, in the order of emission, removed ones included."""
        return self.view(now)._replace(ranges=((0, self._next_serial),) if self._next_serial else ())

    def rows(self, view: View, start: int, end: int) -> Iterator[Row]:
        """Make the insights at positions `start` to `end` (exclusive)."""
        kinds = insight_rows.variants(self._seed, self._symbols, self.settings.model)
        for serial, state, generated, closes, period in self._facts(view, start, end):
            row = kinds[variant_of(serial)][state]._replace(
                insight_id=self.identity(serial),
                generated_at=generated,
                closes_at=closes,
                period_seconds=period,
            )
            yield row._replace(**view.changed[serial]) if serial in view.changed else row

    def encoded(self, view: View, start: int, end: int, speller: Speller) -> Iterator[tuple[float, str]]:
        """Write the same rows as JSON, each with its generated time, without making an object for each."""
        changed, identity, head = view.changed, self.identity, speller.head
        tails = speller.tails(self._seed, self._symbols, self.settings.model)
        for serial, state, generated, closes, period in self._facts(view, start, end):
            if serial in changed:
                row = next(self.rows(view._replace(ranges=((serial, serial + 1),)), 0, 1))
                yield row.generated_at, msgspec.json.encode(speller.fields(row)).decode()
            else:
                text = head(identity(serial), generated, closes, period) + tails[state][variant_of(serial)]
                yield generated, text

    def _facts(self, view: View, start: int, end: int) -> Iterator[tuple[int, int, float, float, float]]:
        """Return serial, state, generated, closes and period of each position."""
        never, at, changed = self.settings.never_expiring_every, view.at, view.changed
        final_after = self.settings.score_seconds if self.settings.scored else NEVER
        for low, high in view.serials(start, end):
            for stretch in self._stretches_of(low, high):
                first, stop = max(low, stretch.first), min(high, stretch.first + stretch.size)
                for serial in range(first, stop):
                    generated = int(stretch.start + (serial - stretch.first) * stretch.every)
                    period: float = int(stretch.period)
                    closes = generated + period
                    if serial in changed and "closes_at" in changed[serial]:
                        closes = changed[serial]["closes_at"]
                        period = closes - generated
                    elif never and (serial + 1) % never == 0:
                        closes, period = NEVER, NEVER - generated
                    state = OPEN if at < closes else FINAL if at >= closes + final_after else CLOSED
                    yield serial, state, generated, closes, period

    def _stretches_of(self, low: int, high: int) -> Iterator[Stretch]:
        for stretch in self._stretches[bisect_right(self._firsts, low) - 1 :]:
            if stretch.first >= high:
                return
            yield stretch


def _continues(last: Stretch, new: Stretch) -> bool:
    """Return whether `new` is simply more of `last`, which keeps a list that is polled often short."""
    same_pace = new.every == last.every > 0 and new.period == last.period
    return same_pace and abs(last.start + last.size * last.every - new.start) < 1e-6
