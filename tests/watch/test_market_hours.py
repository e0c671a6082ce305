from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone

import pytest

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.watch.market_hours import MarketHours

HOUR = 3600.0


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (at(24, 14, 30), at(24, 21), 6.5),  # a whole session
        (at(24, 20), at(25, 15, 30), 2.0),  # one hour before the close, one after the opening
        (at(21, 0), at(23, 0), 0.0),  # a weekend
        (at(26, 0), at(26, 23), 0.0),  # Thanksgiving
        (at(27, 14, 30), at(27, 22), 3.5),  # the short day after
        (at(24, 15), at(24, 15), 0.0),
        (at(24, 16), at(24, 15), 0.0),  # a clock that was set back
    ],
)
def test_us_stocks(start: datetime, end: datetime, hours: float) -> None:
    assert MarketHours().open_seconds({"XNYS"}, start, end) == pytest.approx(hours * HOUR)


def test_currencies_trade_on_weekdays_and_crypto_always() -> None:
    hours = MarketHours()
    assert hours.open_seconds({"24/5"}, at(21, 0), at(23, 1)) == HOUR
    assert hours.open_seconds({"24/7"}, at(21, 0), at(23, 1)) == 49 * HOUR
    assert hours.open_seconds({"24/5", "24/7"}, at(21, 0), at(22, 0)) == 24 * HOUR


def test_what_is_long_ago_does_not_count() -> None:
    assert MarketHours().open_seconds({"24/7"}, at(1, 0, month=1), at(24, 0)) == 30 * 24 * HOUR


def test_the_last_session_before_a_long_holiday_counts() -> None:
    found = MarketHours().open_seconds({"XSHG"}, at(30, 6, month=9), at(30, 12, month=9))
    assert found == HOUR  # it closes at 7, and opens again on 8 October


def test_hours_are_known_also_long_after_the_first_question() -> None:
    hours = MarketHours()
    hours.open_seconds({"XNYS"}, at(1, 0, month=6), at(2, 0, month=6))
    assert hours.open_seconds({"XNYS"}, at(24, 14, 30), at(24, 21)) == 6.5 * HOUR


def test_the_calendar_follows_what_is_traded() -> None:
    hours = MarketHours("XLON", {7: "24/7"})
    assert hours.calendars_of(1, "Equity, Crypto,Forex") == {"XLON", "24/7", "24/5"}
    assert hours.calendars_of(1, None) == hours.calendars_of(1, "") == {"XLON"}
    assert hours.calendars_of(7, "Equity") == {"24/7"}


def test_a_calendar_that_does_not_exist_is_named() -> None:
    with pytest.raises(InvalidSettingError, match="no calendar 'Wall Street'"):
        MarketHours().open_seconds({"Wall Street"}, at(24, 0), at(25, 0))


def test_without_the_library_only_markets_that_never_close_are_known(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    hours = MarketHours()
    for _ in range(2):
        assert hours.open_seconds({"XNYS"}, at(24, 0), at(25, 0)) is None
    assert hours.open_seconds({"24/7"}, at(24, 0), at(24, 0) + timedelta(seconds=5)) == 5.0
    assert len(caplog.records) == 1
    assert "airflow-provider-quantconnect[watch]" in caplog.text
