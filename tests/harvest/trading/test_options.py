from __future__ import annotations

from typing import Any

import pytest

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.harvest.trading.options import TradingOptions


@pytest.mark.parametrize(
    "wrong",
    [
        {"loading_seconds": -1},
        {"loading_seconds": 3601},
        {"loading_seconds": float("nan")},
        {"narrow_window": 1},
        {"narrow_window": 101, "window": 100},
    ],
)
def test_options_that_cannot_be_right_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettingError, match=next(iter(wrong))):
        TradingOptions(**wrong)
