from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from quantconnect_provider.store.change_rule import FLUSH_LAG, ChangeRule

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
NEVER = datetime(2050, 12, 31, tzinfo=timezone.utc)
WEEK = timedelta(days=7)


@pytest.mark.parametrize("generated_at", [None, NEVER])
@pytest.mark.parametrize("closes_at", [None, NEVER])
def test_an_insight_without_any_time_is_not_read_again_for_ever(
    generated_at: datetime | None, closes_at: datetime | None
) -> None:
    assert ChangeRule(WEEK).settles_at(generated_at, closes_at, final=False) < NOON


def test_an_insight_that_never_expires_settles_at_an_age() -> None:
    assert ChangeRule(WEEK).settles_at(NOON, NEVER, final=False) == NOON + WEEK


@pytest.mark.parametrize(("final", "after"), [(True, FLUSH_LAG), (False, WEEK)])
def test_after_the_end_of_its_deployment_an_insight_settles_as_if_it_had_closed_then(
    final: bool, after: timedelta
) -> None:
    rule = ChangeRule(WEEK, ended_at=NOON)
    assert rule.settles_at(NOON - WEEK, NOON + WEEK, final=final) == NOON + after
