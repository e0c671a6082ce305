"""After everything: the count, which is also the suite's last word."""

from __future__ import annotations

from tests.chaos.stage import Stage


def test_nothing_was_made_twice_or_lost(stage: Stage) -> None:
    count = stage.count()
    assert (count.duplicates, count.orphans) == (0, 0)


def test_whoever_was_not_meant_was_not_touched(stage: Stage) -> None:
    assert stage.count().disturbed == 0


def test_everything_listened_on_loopback(stage: Stage) -> None:
    assert {address for address, _ in stage.airflow.listening()} <= {"127.0.0.1", "::1"}
