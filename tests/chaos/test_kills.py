"""Wherever a process is killed: the next attempt goes on, and sends nothing a second time."""

from __future__ import annotations

import pytest

from tests.chaos.cases import Case
from tests.chaos.kills import CASES
from tests.chaos.stage import Stage


@pytest.mark.parametrize("case", CASES, ids=str)
def test_process_killed(case: Case, stage: Stage) -> None:
    assert stage.outcome_of(case).wrong(case) == []
