"""Whatever people do to a task in Airflow: the deployment is the same one, and nothing ends it."""

from __future__ import annotations

import pytest

from tests.chaos.cases import Case
from tests.chaos.people import CASES
from tests.chaos.stage import Stage


@pytest.mark.parametrize("case", CASES, ids=str)
def test_task_cleared_or_marked(case: Case, stage: Stage) -> None:
    assert stage.outcome_of(case).wrong(case) == []
