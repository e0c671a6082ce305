"""Publishes the store's tables as Parquet files for analysts; only what has changed is written again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantconnect_provider._lazy import lazy_names

if TYPE_CHECKING:
    from quantconnect_provider.publish.data_sets import DATA_SETS, DataSet
    from quantconnect_provider.publish.publication import PublishReport, publish

__all__ = ["DATA_SETS", "DataSet", "PublishReport", "publish"]

__getattr__ = lazy_names(
    __name__,
    {
        "data_sets": ("DATA_SETS", "DataSet"),
        "publication": ("PublishReport", "publish"),
    },
)
