"""Verbs about insights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quantconnect_provider.sandbox.control.verb import Controlled, verb
from quantconnect_provider.sandbox.insight_rows import Row


class InsightVerbs(Controlled):
    """Insights."""

    @verb
    def insights(
        self, deploy_id: str, start: int = 0, end: int | None = None, removed: bool = False
    ) -> dict[str, Any]:
        """Return `total` and `rows` of the list as it really is now, whatever snapshot the API shows.

        With `removed`, every insight ever emitted, in the order of emission, as it is now.
        """
        now, book = self.world.tick(), self._deployment(deploy_id).book
        book.settle(now)
        view = book.everything(now) if removed else book.view(now)
        found = book.rows(view, start, view.length if end is None else end)
        return {"total": view.length, "rows": [row._asdict() for row in found]}

    @verb
    def add_insights(
        self,
        deploy_id: str,
        count: int = 1,
        *,
        every_seconds: float = 0.0,
        period_seconds: float | None = None,
        position: int | None = None,
        fields: dict[str, Any] | None = None,
    ) -> list[str]:
        """Emit insights now, at the end of the list or at `position`; returns (the first 1,000) ids.

        :param every_seconds: how far their generated times are apart, the first being now
        :param period_seconds: how long they are open; None is the scenario's
        :param fields: what to set in each, by the names of :class:`.insight_rows.Row`
        """
        now, book = self.world.tick(), self._deployment(deploy_id).book
        serials = book.add(count, now, every=every_seconds, period=period_seconds, position=position)
        if fields:
            book.change_serials(serials, _checked(fields))
        return [book.identity(serial) for serial in serials[:1000]]

    @verb
    def change_insights(self, deploy_id: str, positions: Sequence[int], fields: dict[str, Any]) -> int:
        """Set fields (of :class:`.insight_rows.Row`) of the rows at these positions; returns how many."""
        return self._deployment(deploy_id).book.change(positions, self.world.tick(), _checked(fields))

    @verb
    def close_insights(self, deploy_id: str, positions: Sequence[int]) -> int:
        """Cancel insights: they closed a second ago, and are scored from then on."""
        now = self.world.tick()
        return self._deployment(deploy_id).book.change(positions, now, {"closes_at": float(int(now)) - 1})

    @verb
    def remove_insights(self, deploy_id: str, start: int, end: int) -> int:
        """Take positions `start` to `end` (exclusive) out of the list, so that later ones move down."""
        return self._deployment(deploy_id).book.remove(start, end, self.world.tick())

    @verb
    def clear_insights(self, deploy_id: str) -> None:
        """Empty the list."""
        self._deployment(deploy_id).book.reset(self.world.tick())

    @verb
    def refresh_insights(self, deploy_id: str) -> None:
        """Take the snapshot that the API answers from now, before it is due."""
        self._deployment(deploy_id).book.refresh(self.world.tick())


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(fields) - set(Row._fields))
    if unknown:
        raise ValueError(f"insights have no {', '.join(unknown)}; they have {', '.join(Row._fields)}")
    return fields
