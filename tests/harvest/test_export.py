from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.insights import ExportedInsight
from quantconnect_provider.harvest import Store
from tests.harvest.fake_api import FakeApi
from tests.harvest.looking import assert_holds
from tests.harvest.nights import night

Change = Callable[[list[ExportedInsight]], Iterator[ExportedInsight]]


def export_asked_for(api: FakeApi) -> bool:
    return any(start == -1 for _, start, _ in api.requests)


def test_a_long_first_read_is_one_download(api: FakeApi, store: Store) -> None:
    other, deployment = api.deploy(), api.deploy()
    api.emit(other, 700)
    api.emit(deployment, 2500)
    report = night(api, store, first_fill="export")
    for one in (other, deployment):
        assert_holds(store, one)
    # For each: the first page, the download, the page at its end.
    assert len(api.requests) == 6
    assert report.inserted == 3200


def test_what_came_after_the_download_is_read_by_pages(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 1500)

    def grow(number: int) -> None:
        if number == 2:
            api.emit(deployment, 250)

    api.before_answer = grow
    night(api, store, first_fill="export")
    assert_holds(store, deployment)


def test_a_short_list_needs_no_download(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 60)
    night(api, store, first_fill="export")
    assert not export_asked_for(api)
    assert_holds(store, deployment)


def test_later_nights_use_no_download(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 600)
    night(api, store, first_fill="export")
    api.emit(deployment, 600)
    night(api, store, first_fill="export")
    assert not export_asked_for(api)
    assert_holds(store, deployment)


def without_direction(rows: list[ExportedInsight]) -> Iterator[ExportedInsight]:
    for row in rows:
        row.insight = msgspec.structs.replace(row.insight, direction=None)
        yield row


def other_times(rows: list[ExportedInsight]) -> Iterator[ExportedInsight]:
    for row in rows:
        assert row.insight.generated_at is not None
        later = row.insight.generated_at + timedelta(hours=5)
        row.insight = msgspec.structs.replace(row.insight, generated_at=later)
        yield row


def backwards(rows: list[ExportedInsight]) -> Iterator[ExportedInsight]:
    yield from reversed(rows)


def without_deployment(rows: list[ExportedInsight]) -> Iterator[ExportedInsight]:
    for row in rows:
        row.internal_deploy_id = None
        yield row


def of_another_project(rows: list[ExportedInsight]) -> Iterator[ExportedInsight]:
    for row in rows:
        row.project_id = 999
        yield row


def empty(rows: list[ExportedInsight]) -> Iterator[ExportedInsight]:
    yield from ()


def cut_off_at_once(rows: list[ExportedInsight]) -> Iterator[ExportedInsight]:
    yield from rows[:40]
    raise UnreadableAnswerError("live/export/insights cannot be read: it ends before its list does.")


def cut_off_late(rows: list[ExportedInsight]) -> Iterator[ExportedInsight]:
    yield from rows[:1300]
    raise UnreadableAnswerError("live/export/insights cannot be read: it ends before its list does.")


def shortened(rows: list[ExportedInsight]) -> Iterator[ExportedInsight]:
    yield from rows[:1300]


def with_a_gap(rows: list[ExportedInsight]) -> Iterator[ExportedInsight]:
    yield from rows[:700] + rows[900:]


@pytest.mark.parametrize(
    "change",
    [
        without_direction,
        other_times,
        backwards,
        without_deployment,
        of_another_project,
        empty,
        cut_off_at_once,
        cut_off_late,
        with_a_gap,
    ],
)
def test_a_doubtful_download_is_replaced_by_pages_with_a_warning(
    api: FakeApi, store: Store, change: Change, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    deployment = api.deploy()
    api.emit(deployment, 1500)
    whole = api.export_insights
    monkeypatch.setattr(api, "export_insights", lambda deploy_id: change(list(whole(deploy_id))))
    report = night(api, store, first_fill="export")
    assert_holds(store, deployment)
    assert report.inserted == 1500
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


def test_a_shortened_download_is_completed_by_pages(
    api: FakeApi, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = api.deploy()
    api.emit(deployment, 1500)
    whole = api.export_insights
    monkeypatch.setattr(api, "export_insights", lambda deploy_id: shortened(list(whole(deploy_id))))
    night(api, store, first_fill="export")
    assert_holds(store, deployment)
