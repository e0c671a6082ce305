"""The delivery of events through a notifier of Airflow, with a store on each database."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from airflow.sdk import BaseNotifier

from quantconnect_provider.client.times import utc_now
from quantconnect_provider.dag_support.notify import deliver
from quantconnect_provider.store import Store
from quantconnect_provider.store.events import CRITICAL, DIED, Problem, open_events
from tests.airflow.conftest import FAST, Run
from tests.store.fixtures import (  # noqa: F401 - fixtures; this store_url replaces that of conftest.py
    postgres_server,
    postgres_template,
    sqlite_template,
    store,
    store_url,
)

COUNT = 30


@pytest.fixture
def quantconnect_scenario() -> Any:
    return FAST


class Recorder(BaseNotifier):
    """Keeps the subjects of its messages; ``meanwhile`` runs in the middle of sending."""

    template_fields = ("subject",)
    subjects: ClassVar[list[str]] = []
    meanwhile: ClassVar[Callable[[], object]]

    def __init__(self, subject: str) -> None:
        super().__init__()
        self.subject = subject

    def notify(self, context: Any) -> None:
        self.meanwhile()
        self.subjects.append(self.subject)


def nothing() -> None:
    """Replace what happens in the middle of sending."""


@pytest.fixture(autouse=True)
def recorder(
    store_url: str,  # noqa: F811
    connection: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Name the recorder as the only notifier, with the store of the test."""
    connection("quantconnect_store", store_url)
    for name, value in {
        "NOTIFIERS": json.dumps([{"class": f"{__name__}.Recorder"}]),
        "NOTIFICATIONS_PER_HOUR": str(10 * COUNT),
        "MARKET_CALENDAR": "24/7",
    }.items():
        monkeypatch.setenv(f"AIRFLOW__QUANTCONNECT__{name}", value)
    monkeypatch.setattr(Recorder, "meanwhile", staticmethod(nothing), raising=False)
    Recorder.subjects.clear()


@pytest.fixture
def expected(store: Store) -> list[str]:  # noqa: F811
    """The subjects of the messages about events that the store holds."""
    open_events(
        store, [Problem(each, f"L-{each}", DIED, CRITICAL, "It died.") for each in range(COUNT)], utc_now()
    )
    return sorted(f"QuantConnect: project {each} died" for each in range(COUNT))


def test_two_deliveries_at_the_same_time_send_each_event_once(expected: list[str]) -> None:
    begin = threading.Barrier(2)
    counts: list[dict[str, int]] = []

    def run() -> None:
        begin.wait()
        counts.append(deliver({}))  # type: ignore[typeddict-item]

    threads = [threading.Thread(target=run) for _ in range(begin.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(Recorder.subjects) == expected
    assert sum(each["events"] for each in counts) == COUNT


def test_a_delivery_that_begins_while_another_sends_sends_none_of_its_events(
    expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[dict[str, int]] = []

    def meanwhile() -> None:
        monkeypatch.setattr(Recorder, "meanwhile", staticmethod(nothing))
        others.append(deliver({}))  # type: ignore[typeddict-item]

    monkeypatch.setattr(Recorder, "meanwhile", staticmethod(meanwhile))
    deliver({})  # type: ignore[typeddict-item]

    assert others == [{"events": 0, "messages": 0}]
    assert sorted(Recorder.subjects) == expected


def test_the_dag_sends_an_event_once(run_dag: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    assert run_dag("quantconnect_watch").state == "success"
    quantconnect_sandbox.fail(quantconnect_sandbox.deployments(1002)[-1]["deploy_id"])
    for _ in range(2):
        assert run_dag("quantconnect_watch").state == "success"

    assert Recorder.subjects == ["QuantConnect: project 1002 died"]
