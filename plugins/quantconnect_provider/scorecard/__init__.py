"""How good the predictions were: hit rates, returns, rank correlations and calibration, computed in SQL.

>>> with Store.open("sqlite:////path/quantconnect.db") as store:  # doctest: +SKIP
...     compute_scorecards(store)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantconnect_provider._lazy import lazy_names

if TYPE_CHECKING:
    from quantconnect_provider.scorecard.compute import ScorecardReport, compute_scorecards
    from quantconnect_provider.store.store import Store

__all__ = ["ScorecardReport", "Store", "compute_scorecards"]

__getattr__ = lazy_names(
    __name__, {"compute": ("ScorecardReport", "compute_scorecards"), ".store": ("Store",)}
)
