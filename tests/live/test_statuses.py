from __future__ import annotations

from datetime import datetime, timezone

import pytest

from quantconnect_provider.client.status import Phase, is_known, phase_of

STOPPED = datetime(2026, 11, 22, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("InQueue", Phase.STARTING),
        ("LoggingIn", Phase.STARTING),
        ("PendingInput", Phase.STARTING),
        ("Initializing", Phase.STARTING),
        ("History", Phase.STARTING),
        ("Running", Phase.RUNNING),
        ("Stopped", Phase.OVER_WELL),
        ("Liquidated", Phase.OVER_WELL),
        ("Completed", Phase.OVER_WELL),
        ("Deleted", Phase.OVER_WELL),
        ("DeployError", Phase.OVER_BADLY),
        ("RuntimeError", Phase.OVER_BADLY),
        ("Invalid", Phase.OVER_BADLY),
    ],
)
def test_each_known_status_has_one_meaning(status: str, phase: Phase) -> None:
    assert (phase_of(status), is_known(status)) == (phase, True)


@pytest.mark.parametrize("status", ["Hibernating", "", "running", "Undefined"])
def test_what_is_not_in_the_table_is_unknown_and_may_trade(status: str) -> None:
    assert phase_of(status) is Phase.UNKNOWN
    assert phase_of(status).may_trade


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("Running", Phase.OVER_WELL),
        ("Initializing", Phase.OVER_BADLY),
        ("Hibernating", Phase.OVER_BADLY),
        ("Stopped", Phase.OVER_WELL),
        ("RuntimeError", Phase.OVER_BADLY),
    ],
)
def test_a_stop_time_means_over_whatever_the_status_still_says(status: str, phase: Phase) -> None:
    assert phase_of(status, STOPPED) is phase
