"""One odd value or row costs only itself: all others are stored, where they stand."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from quantconnect_provider.client.insights import InsightPage, read_page
from quantconnect_provider.client.models import LiveSummary
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.harvest import HarvestReport, Store, harvest
from quantconnect_provider.store.schema import harvests
from tests.harvest.contents import deployment_row, rows_of, stored_insights
from tests.store import postgres
from tests.store.fixtures import new_database

NUMBERS = {
    "period": ("period_seconds", 86400.0),
    "magnitude": ("magnitude", 0.5),
    "confidence": ("confidence", 0.75),
    "weight": ("weight", 0.1),
    "reference": ("reference_value", 400.25),
    "referenceValueFinal": ("reference_value_final", 401.5),
    "scoreDirection": ("score_direction", 1.0),
    "scoreMagnitude": ("score_magnitude", 0.125),
    "estimatedValue": ("estimated_value", 2.5),
}
TEXTS = {
    "symbol": ("symbol", "SPY R735QTJ8XC9X"),
    "ticker": ("ticker", "SPY"),
    "type": ("insight_type", "price"),
    "direction": ("direction", "up"),
    "sourceModel": ("source_model", "Momentum"),
    "groupId": ("group_id", "0123456789abcdef0123456789abcdef"),
    "tag": ("tag", "ünïcode"),
}
TIMES = {"generatedTime": ("generated_at", 1753714506), "closeTime": ("closes_at", 1753800906)}
COLUMNS = {**NUMBERS, **TEXTS, **TIMES, "scoreIsFinal": ("score_is_final", False)}
FIELDS = ["id", *COLUMNS]

ODD_VALUES = st.one_of(
    st.sampled_from(
        [
            None, True, False, 0, -1, 2**63, 10**400, -(10**30), 1e308, -1e308, 1753714506250, 9e15,
            float("nan"), float("inf"), float("-inf"), "", " ", "NaN", "Infinity", "-3.20 %", "$-1,234.50",
            "null", "true", "\x00", "a\x00b", "\\u0000", "\ud800", "a\udfffb", "\ufeff",
            "0001-01-01T00:00:00", "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00", "2025-02-30",
            "12:30", "x" * 100_000, [], {}, [None], {"value": "SPY"}, {"a\x00": "b\ud800"}, [[[[]]]],
            {"t": float("nan")},
        ]
    ),
    st.text(max_size=20),
    st.characters(categories=["Cs", "Cc"]),
    st.floats(),
    st.integers(),
    st.recursive(st.none() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=2), max_leaves=4),
)  # fmt: skip
UTC = timezone.utc
READ_AS = [
    ("generatedTime", 1753714506250, datetime(2025, 7, 28, 14, 55, 6, 250_000, UTC)),
    ("closeTime", 1753800906000, datetime(2025, 7, 29, 14, 55, 6, tzinfo=UTC)),
    ("generatedTime", "NaN", None),
    ("generatedTime", 10**400, None),
    ("generatedTime", "0001-01-01T00:00:00+05:00", None),
    ("closeTime", "9999-12-31T23:59:59-05:00", None),
    ("closeTime", 10**20, None),
    ("magnitude", 10**400, None),
    ("confidence", True, None),
    ("symbol", {"value": "SPY", "id": "SPY R735QTJ8XC9X", "permtick": "SPY"}, "SPY R735QTJ8XC9X"),
    ("symbol", {"value": "SPY"}, None),
    ("sourceModel", ["Momentum"], None),
]
ODD_ROWS = st.sampled_from([None, 5, "x", [], {}, {"ticker": "SPY"}, True])
CASES = st.lists(st.tuples(st.sampled_from(FIELDS), ODD_VALUES), min_size=30, max_size=40)
ids = count(1)


def wire_row(insight_id: str, **changed: Any) -> dict[str, Any]:
    return {"id": insight_id, **{key: value for key, (_, value) in COLUMNS.items()}, **changed}


def stored_value(column: str, value: Any) -> Any:
    return datetime.fromtimestamp(value, timezone.utc) if column.endswith("_at") else value


@dataclass
class WireApi:
    """Serves rows as an answer's JSON gives them."""

    rows: list[Any]

    def read_insights(
        self, project_id: int, start: int, end: int, deploy_id: str | None = None
    ) -> InsightPage:
        payload = {"insights": self.rows[start:end], "length": len(self.rows)}
        return read_page(payload, utc_now(), endpoint="live/insights/read")


def deployment() -> LiveSummary:
    number = next(ids)
    return LiveSummary(project_id=number, deploy_id=f"L-{number:032x}", status="Running")


def harvest_rows(store: Store, target: LiveSummary, rows: list[Any]) -> HarvestReport:
    report = harvest(WireApi(rows), store, [target])
    report.raise_if_failed()
    return report


def assert_all_good_rows_are_stored(store: Store, target: LiveSummary, rows: list[Any]) -> None:
    stored = stored_insights(store, target.deploy_id)
    for position, row in enumerate(rows):
        if isinstance(row, dict) and "good" in row:
            kept = stored[row["id"]]
            assert kept["position"] == position
            assert {column: kept[column] for column, _ in COLUMNS.values()} == {
                column: stored_value(column, value) for column, value in COLUMNS.values()
            }


def good_row() -> dict[str, Any]:
    return wire_row(f"{next(ids):032x}", good=True)


def check_odd_values(store: Store, cases: list[tuple[str, Any]], lead: int) -> None:
    """Harvest a list in which every other row has one odd value; *lead* good rows begin it."""
    target = deployment()
    rows: list[Any] = [good_row() for _ in range(lead)]
    odd: list[tuple[int, str, dict[str, Any]]] = []
    for field, value in cases:
        odd.append((len(rows), field, wire_row(f"{next(ids):032x}", **{field: value})))
        rows += [odd[-1][2], good_row()]
    harvest_rows(store, target, rows)
    assert_all_good_rows_are_stored(store, target, rows)
    stored = stored_insights(store, target.deploy_id)
    for position, field, row in odd:
        if field == "id":
            continue
        kept = stored[row["id"]]
        assert kept["position"] == position
        for key, (column, value) in COLUMNS.items():
            if key != field:
                assert kept[column] == stored_value(column, value)
            elif row[field] not in (None, 0, "", False):
                assert kept[column] is not None or field in kept["extra"]
    again = harvest_rows(store, target, rows)
    assert (again.inserted, again.updated) == (0, 0)


@pytest.fixture(scope="module")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('odd')}/store.db") as store:
        yield store


@given(cases=CASES, lead=st.sampled_from([0, 1, 60, 97]))
@settings(max_examples=70, suppress_health_check=list(HealthCheck))
def test_two_thousand_odd_values_cost_no_other_value(
    sqlite_store: Store, cases: list[tuple[str, Any]], lead: int
) -> None:
    check_odd_values(sqlite_store, cases, lead)


@pytest.mark.skipif(not postgres.is_available(), reason="no PostgreSQL on this machine")
def test_odd_values_cost_no_other_value_on_postgresql(postgres_server: str) -> None:
    @given(cases=CASES, lead=st.sampled_from([0, 97]))
    @settings(max_examples=10)
    def check(cases: list[tuple[str, Any]], lead: int) -> None:
        check_odd_values(store, cases, lead)

    with new_database(make_url(postgres_server)) as address, Store.open(address) as store:
        check()


@given(
    odd=st.dictionaries(st.integers(0, 320), ODD_ROWS, max_size=60),
    block=st.tuples(st.integers(0, 320), st.sampled_from([0, 1, 99, 150])),
    length=st.integers(1, 320),
    grown=st.integers(0, 150),
)
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_rows_that_cannot_be_read_keep_their_positions(
    sqlite_store: Store, odd: dict[int, Any], block: tuple[int, int], length: int, grown: int
) -> None:
    target = deployment()
    rows: list[Any] = [good_row() for _ in range(length + grown)]
    for position in range(block[0], min(block[0] + block[1], len(rows))):
        rows[position] = None
    for position, row in odd.items():
        if position < len(rows):
            rows[position] = row
    harvest_rows(sqlite_store, target, rows[:length])
    harvest_rows(sqlite_store, target, rows)
    assert_all_good_rows_are_stored(sqlite_store, target, rows)


@pytest.mark.parametrize(("field", "value", "read_as"), READ_AS)
def test_no_column_gets_a_value_that_cannot_be_right(
    sqlite_store: Store, field: str, value: Any, read_as: Any
) -> None:
    target = deployment()
    row = wire_row(f"{next(ids):032x}", **{field: value})
    harvest_rows(sqlite_store, target, [row])
    kept = stored_insights(sqlite_store, target.deploy_id)[row["id"]]
    assert kept[COLUMNS[field][0]] == read_as
    assert (field in kept["extra"]) == (read_as is None)


def test_a_row_that_becomes_readable_is_stored_by_the_next_harvest_of_it(store: Store) -> None:
    target = deployment()
    rows: list[Any] = [good_row(), None]
    harvest_rows(store, target, rows)
    rows[1] = good_row()
    assert harvest_rows(store, target, rows).inserted == 1
    assert_all_good_rows_are_stored(store, target, rows)


def test_pages_that_are_full_of_what_is_no_insight_come_to_an_end(store: Store) -> None:
    class Endless(WireApi):
        def read_insights(self, *args: Any) -> InsightPage:
            return read_page({"insights": [None] * 5_000}, utc_now(), endpoint="live/insights/read")

    good, endless = deployment(), deployment()
    report = harvest(Endless([]), store, [endless])
    assert "rows in a row that are no insights" in str(report.results[0].error)
    rows = [good_row()]
    assert harvest_rows(store, good, rows).inserted == 1
    assert harvest_rows(store, endless, [good_row() for _ in range(150)]).inserted == 150


def test_a_deployment_does_not_settle_on_a_row_that_cannot_be_read(store: Store) -> None:
    target = deployment()
    target.status = "Stopped"
    target.stopped_at = utc_now().subtract(years=2)
    harvest_rows(store, target, [good_row(), None])
    assert deployment_row(store, target.deploy_id)["settled_at"] is None


def test_the_log_names_position_field_and_value(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    target = deployment()
    rows = [good_row() for _ in range(120)]
    rows[110]["magnitude"] = "n/a" * 100
    rows[115] = None  # type: ignore[call-overload]
    report = harvest_rows(store, target, rows)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    where = f"Project {target.project_id}, deployment {target.deploy_id}: position"
    assert [line[: line.index("n/an/a") if "n/an/a" in line else None] for line in warnings] == [
        f"{where} 110: magnitude cannot be read and is kept in extra: '",
        f"{where} 115: the row cannot be read and is not stored: None",
    ]
    assert max(map(len, warnings)) < 250
    assert "1 row could not be read" in report.table()


def test_the_log_is_not_flooded(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    harvest_rows(store, deployment(), [wire_row(f"{next(ids):032x}", magnitude="n/a") for _ in range(500)])
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 11
    assert warnings[-1].endswith("490 more values cannot be read.")


@pytest.mark.parametrize("name", ["Al\x00pha", "Al\ud800pha"], ids=["NUL", "surrogate"])
def test_a_name_that_a_database_cannot_hold_stops_no_harvest(store: Store, name: str) -> None:
    odd, good = deployment(), deployment()
    odd.project_name, good.project_name = name, "Good"
    report = harvest(WireApi([good_row()]), store, [odd])
    report = harvest(WireApi([good_row()]), store, [odd, good], run_id=name)
    assert [result.status for result in report.results] == ["complete", "complete"]
    assert deployment_row(store, odd.deploy_id)["project_name"].startswith("Al")


def test_an_error_that_a_database_cannot_hold_is_stored(store: Store) -> None:
    class Failing(WireApi):
        def read_insights(self, *args: Any) -> InsightPage:
            raise ValueError("a\x00b\ud800")

    target = deployment()
    harvest(Failing([]), store, [target])
    (row,) = rows_of(store, harvests, deploy_id=target.deploy_id)
    assert row["error"].startswith("ab")
