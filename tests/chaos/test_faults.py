"""Whatever happens to a request: one deployment, the task knows it, and nothing else was touched."""

from __future__ import annotations

import pytest

from tests.chaos.cases import Case
from tests.chaos.faults import CASES
from tests.chaos.stage import Stage


@pytest.mark.parametrize("case", CASES, ids=str)
def test_request_that_goes_wrong(case: Case, stage: Stage) -> None:
    assert stage.outcome_of(case).wrong(case) == []
