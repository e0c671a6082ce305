"""The phases of ``client.status`` in SQL, so that the database can filter and sort by them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_

from quantconnect_provider.client.status import PHASES, Phase
from quantconnect_provider.store.schema import deployments

# NULL would be neither running nor broken nor over.
_status, _stopped_at = func.coalesce(deployments.c.status, ""), deployments.c.stopped_at


def _statuses(*phases: Phase) -> list[str]:
    return [status for status, phase in PHASES.items() if phase in phases]


_ended_well = or_(
    _status.in_(_statuses(Phase.OVER_WELL)),
    and_(_stopped_at.is_not(None), _status.in_(_statuses(Phase.RUNNING))),
)
_may_trade = and_(_stopped_at.is_(None), _status.not_in(_statuses(Phase.OVER_WELL, Phase.OVER_BADLY)))

IS_RUNNING: ColumnElement[bool] = _may_trade
"""Trades, is about to, or cannot be shown not to."""
IS_BROKEN: ColumnElement[bool] = and_(~_ended_well, ~_may_trade)
"""Is over, and ended badly."""

URGENCY: ColumnElement[Any] = case((IS_BROKEN, 0), (IS_RUNNING, 1), else_=2)
"""Broken ones first, then those that run, then those that ended well."""
