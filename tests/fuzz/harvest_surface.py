"""Harvests through changed answers, and the store they leave, against what the sandbox knows."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.models import LiveSummary
from quantconnect_provider.harvest import HarvestOptions, Store, harvest
from quantconnect_provider.harvest.trading import TradingOptions, harvest_trading
from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.store.schema import insights
from quantconnect_provider.store.trading_tables import fills, orders, trades
from tests.fuzz.case import Case
from tests.fuzz.checks import TOKEN, assert_typed, checked_lines
from tests.fuzz.client_surface import new_client
from tests.fuzz.mutations import Mutation
from tests.fuzz.proxy import MutatingProxy, Replayed, SandboxUpstream

LONGEST_CASE_SECONDS = 60.0
KEPT_VALUES = ("twice", "longer", "shorter", "reverse", "drop", "rename", "wrap")
"""Changes to a document after which a value that can be read is still the right one."""
_SET_ASIDE: tuple[Any, ...] = (None, "", [])
"""What a column has where the value that came cannot be right."""
_VARYING = frozenset({"first_seen_at", "observed_at", "extra"})


def _history(count: int) -> dict[str, Any]:
    return {"history": {"count": count}}


SCENARIO: dict[str, Any] = {
    "clock": {"speed": 0},
    "nodes": {"live": [{"name": "one"}, {"name": "two"}]},
    "projects": [
        {
            "name": "Alpha",
            "id": 7,
            "deployments": [
                {"status": "Stopped", "insights": _history(5), "orders": _history(7)},
                {"status": "Running", "node": "one", "insights": _history(250), "orders": _history(9)},
            ],
        },
        {
            "name": "Beta",
            "id": 8,
            "deployments": [{"status": "Running", "node": "two", "insights": _history(3)}],
        },
    ],
}
Rows = dict[tuple[Any, ...], dict[str, Any]]


class HarvestSurface:
    """A harvest through changed answers into an empty store, then one through honest answers."""

    calls = ("insights", "trading")

    def __init__(self, proxy: MutatingProxy, template: Path, listing: Sequence[LiveSummary]) -> None:
        self.proxy = proxy
        self.template = template
        self.listing = listing
        self._truth = {call: self._harvest_honestly(call) for call in self.calls}

    def run(self, case: Case) -> str:
        """Run one case: see :class:`~tests.fuzz.case.Surface`."""
        truth = self._truth[case.call]
        may_be_false = not all(mutation.kind in TRANSPORT for mutation in case.mutations)
        began = time.monotonic()
        with checked_lines(), self._empty_store() as store:
            self.proxy.plan(case.mutations)
            errors = self._harvest(case.call, store, full=False)
            for error in errors:
                assert_typed(error)
            may_be_false = may_be_false and bool(self.proxy.changed)
            for name, table in TABLES[case.call].items():
                self._compare(truth[name], read_rows(store, table), case.mutations)
            self.proxy.plan([])
            # A field or row that could not be read, or was false, is read again by a full read only.
            again = self._harvest(case.call, store, full=may_be_false)
            assert not again, f"an honest API did not help: {again}"
            for name, table in TABLES[case.call].items():
                found = {key: row for key, row in read_rows(store, table).items() if _is_placed(row)}
                assert found == truth[name], (
                    f"{name} differ from the truth: {_difference(found, truth[name])}"
                )
        seconds = time.monotonic() - began
        assert seconds < LONGEST_CASE_SECONDS, f"it took {seconds:.1f} s"
        return type(errors[0]).__name__ if errors else "result"

    def _compare(self, truth: Rows, found: Rows, mutations: Sequence[Mutation]) -> None:
        """No row is wrong: each is the truth, with nothing in it but what the API sent."""
        if not all(mutation.kind in (*KEPT_VALUES, *TRANSPORT) for mutation in mutations):
            return  # the API itself sent another value; whether that is one is for the client to say
        for key, row in found.items():
            assert key in truth, f"a row that does not exist: {key}"
            differ = {
                name: value
                for name, value in row.items()
                if name != "position" and value not in _SET_ASIDE and value != truth[key][name]
            }
            assert not differ, f"{key} has {differ}, not { ({name: truth[key][name] for name in differ}) }"

    def _harvest(self, call: str, store: Store, *, full: bool) -> list[Exception]:
        with new_client(self.proxy.base_url) as client:
            return HARVESTS[call](client, store, self.listing, full)

    def _harvest_honestly(self, call: str) -> dict[str, Rows]:
        with self._empty_store() as store:
            self.proxy.plan([])
            assert not self._harvest(call, store, full=False)
            return {name: read_rows(store, table) for name, table in TABLES[call].items()}

    @contextmanager
    def _empty_store(self) -> Iterator[Store]:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            path = shutil.copy(self.template, folder)
            with Store.open(f"sqlite:///{path}") as store:
                yield store


def _harvest_insights(
    client: QuantConnectClient, store: Store, listing: Sequence[LiveSummary], full: bool
) -> list[Exception]:
    report = harvest(client, store, listing, HarvestOptions(full=full, in_flight=2))
    return [result.error for result in report.results if result.error is not None]


def _harvest_trading(
    client: QuantConnectClient, store: Store, listing: Sequence[LiveSummary], full: bool
) -> list[Exception]:
    report = harvest_trading(client, store, listing, TradingOptions(full=full, loading_seconds=0))
    return [result.error for result in report.results if result.error is not None]


HARVESTS: dict[str, Callable[[QuantConnectClient, Store, Sequence[LiveSummary], bool], list[Exception]]] = {
    "insights": _harvest_insights,
    "trading": _harvest_trading,
}
TABLES: dict[str, dict[str, Table]] = {
    "insights": {"insights": insights},
    "trading": {"orders": orders, "fills": fills, "trades": trades},
}
ENDPOINTS = {
    "insights": ("live/insights/read",),
    "trading": ("live/orders/read", "live/trades/read", "live/portfolio/read"),
}
TRANSPORT = frozenset(
    {"status", "header", "redirect", "content_type", "cut", "break_off", "length", "no_length", "no_answer",
     "chunked", "encoded", "cut_gzip", "bomb", "double_bomb", "page_of", "raw", "slow", "endless"}
)  # fmt: skip
"""Changes that leave the document as it is, or break it."""


def read_rows(store: Store, table: Table) -> Rows:
    """All rows of a table by primary key, without when they were seen."""
    names = [column.name for column in table.columns if column.name not in _VARYING]
    keys = [column.name for column in table.primary_key.columns]
    with store.read() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(*(table.c[name] for name in names)))]
    return {tuple(row[key] for key in keys): row for row in rows}


def _is_placed(row: dict[str, Any]) -> bool:
    """Whether the API still shows it: an id that a changed answer made up has no place any more."""
    return row.get("position", 0) is not None


def _difference(found: Rows, truth: Rows) -> str:
    missing, added = truth.keys() - found.keys(), found.keys() - truth.keys()
    changed = [key for key in truth.keys() & found.keys() if truth[key] != found[key]]
    cells = {
        name: (value, truth[key][name])
        for key in changed[:1]
        for name, value in found[key].items()
        if value != truth[key][name]
    }
    return f"missing {sorted(missing)[:2]}, added {sorted(added)[:2]}, {len(changed)} changed {cells}"


@contextmanager
def harvest_surface() -> Iterator[HarvestSurface]:
    """The surface, over a sandbox whose clock stands still."""
    with (
        tempfile.TemporaryDirectory(prefix="fuzz-") as folder,
        Sandbox(SCENARIO, api_token=TOKEN) as sandbox,
        closing(SandboxUpstream(sandbox)) as upstream,
        MutatingProxy(Replayed(upstream)) as proxy,
    ):
        template = Path(folder) / "store.db"
        Store.open(f"sqlite:///{template}").close()
        with new_client(proxy.base_url) as client:
            listing = client.list_live()
        surface = HarvestSurface(proxy, template, listing)
        _assert_complete(surface, sandbox)
        yield surface


def _assert_complete(surface: HarvestSurface, sandbox: Sandbox) -> None:
    """What an honest harvest stores is what the sandbox knows."""
    known = {
        (deployment["project_id"], row["insight_id"])
        for deployment in sandbox.deployments()
        for row in sandbox.insights(deployment["deploy_id"])["rows"]
    }
    stored = surface._truth["insights"]["insights"]
    assert known == stored.keys(), "an honest harvest does not store what the sandbox knows"
    traded = sum(len(sandbox.orders(deployment["deploy_id"])) for deployment in sandbox.deployments())
    assert len(surface._truth["trading"]["orders"]) == traded, "an honest harvest misses orders"
