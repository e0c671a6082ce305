"""Computing how good the predictions were."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from quantconnect_provider import scorecard
from quantconnect_provider.hooks.store import QuantConnectStoreHook
from quantconnect_provider.plain_text import log_table
from quantconnect_provider.retry import QuantConnectRetryPolicy
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import flag_of, is_nothing, project_ids_of

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

log = logging.getLogger(__name__)

_SHOWN = 25
_HEADS = (
    "Project",
    "Model",
    "Ticker",
    "Horizon",
    "Insights",
    "Open",
    "Scored",
    "Hit rate",
    "95 %",
    "Return",
    "IC",
)
_NUMBERS = ("Insights", "Open", "Scored", "Hit rate", "95 %", "Return", "IC")
_LONGEST_MODEL = 30


class QuantConnectScorecardOperator(BaseOperator):
    """Brings the table ``quantconnect_scorecards`` up to date with the insights in the store.

    Only series (a model of a project and a ticker) with changed insights are computed. Returns counts, and
    logs the new scorecards with the most scored insights. Asks QuantConnect nothing.

    :param project_ids: only these projects; None is all.
    :param full: compute everything again.
    :param store_conn_id: id of the database connection of the store; when it is not defined, the store is
        the SQLite file ``quantconnect.db`` in ``AIRFLOW_HOME``.
    """

    template_fields: Sequence[str] = ("project_ids", "full", "store_conn_id")
    ui_color = "#f5ae29"
    ui_fgcolor = "#000000"

    def __init__(
        self,
        *,
        project_ids: Sequence[int | str] | str | XComArg | None = None,
        full: bool | str = False,
        store_conn_id: str = "quantconnect_store",
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("retry_policy", QuantConnectRetryPolicy())
        super().__init__(**kwargs)
        self.project_ids = project_ids
        self.full = full
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, int]:
        """Compute and store them."""
        with plain_errors():
            asked = None if is_nothing(self.project_ids) else project_ids_of(self.project_ids)
            full = flag_of(self.full, "full")
            with scorecard.Store.open(QuantConnectStoreHook(self.store_conn_id).get_conn()) as store:
                report = scorecard.compute_scorecards(store, asked, full=full)
        cards = sorted(report.cards, key=lambda card: -card["scored"])
        log_table(log, _HEADS, [_cells(card) for card in cards[:_SHOWN]], numbers=_NUMBERS)
        if len(cards) > _SHOWN:
            log.info("... and %s more with fewer scored insights.", f"{len(cards) - _SHOWN:,}")
        counts = report.counts()
        log.info(
            "%s of %s projects have changed insights: %s scorecards computed from %s insights in %.1f s.",
            *(f"{counts[name]:,}" for name in ("changed_projects", "projects", "scorecards", "insights")),
            report.seconds,
        )
        return counts


def _cells(card: dict[str, Any]) -> tuple[object, ...]:
    low, high = card["hit_rate_low"], card["hit_rate_high"]
    model = card["source_model"]
    return (
        card["project_id"],
        model if len(model) <= _LONGEST_MODEL else f"{model[: _LONGEST_MODEL - 3]}...",
        card["ticker"],
        card["horizon"],
        f"{card['insights']:,}",
        f"{card['open']:,}",
        f"{card['scored']:,}",
        _shown(card["hit_rate"], ".1%"),
        "" if low is None else f"{low:.1%} to {high:.1%}",
        _shown(card["mean_signed_return"], "+.3%"),
        _shown(card["information_coefficient"], "+.3f"),
    )


def _shown(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
