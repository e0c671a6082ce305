from __future__ import annotations

from typing import Any

import pytest

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.harvest import HarvestOptions


@pytest.mark.parametrize(
    "wrong",
    [
        {"in_flight": 0},
        {"commit_rows": 0},
        {"rescore_days": -1},
        {"full_pass_days": -1},
    ],
)
def test_options_that_cannot_be_right_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettingError, match=next(iter(wrong))):
        HarvestOptions(**wrong)
