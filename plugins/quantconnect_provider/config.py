"""The section `[quantconnect]` of Airflow's configuration, read and checked.

Only operators and DAGs read it; everything below them takes plain arguments. The defaults are declared in the
provider's metadata, which is where Airflow's own `config list` shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from airflow.sdk import conf

SECTION = "quantconnect"


@dataclass(frozen=True)
class Settings:
    """What an installation can set; times are in seconds unless the name says otherwise."""

    harvest_batch_size: int
    first_fill: Literal["pages", "export"]
    full_pass_days: float
    rescore_days: float
    poll_interval_seconds: float
    deploy_timeout_seconds: float
    wind_down_timeout_seconds: float
    flat_timeout_seconds: float
    certainty_seconds: float
    approval_timeout_seconds: float


def _positive(name: str) -> float:
    value = conf.getfloat(SECTION, name)
    if not 0 < value < float("inf"):
        raise ValueError(f"[{SECTION}] {name} is {value:g}: it must be a number above 0.")
    return value


def load() -> Settings:
    """Read the section.

    :raises ValueError: when a value is out of its range; the message names the option.
    """
    first_fill = conf.get(SECTION, "first_fill")
    if first_fill not in ("pages", "export"):
        raise ValueError(f"[{SECTION}] first_fill is {first_fill!r}: it must be `pages` or `export`.")
    batch_size = conf.getint(SECTION, "harvest_batch_size")
    if batch_size < 1:
        raise ValueError(f"[{SECTION}] harvest_batch_size is {batch_size}: it must be at least 1.")
    return Settings(
        harvest_batch_size=batch_size,
        first_fill=cast("Literal['pages', 'export']", first_fill),
        full_pass_days=conf.getfloat(SECTION, "full_pass_days"),
        rescore_days=conf.getfloat(SECTION, "rescore_days"),
        poll_interval_seconds=_positive("poll_interval_seconds"),
        deploy_timeout_seconds=_positive("deploy_timeout_seconds"),
        wind_down_timeout_seconds=_positive("wind_down_timeout_seconds"),
        flat_timeout_seconds=_positive("flat_timeout_seconds"),
        certainty_seconds=_positive("certainty_seconds"),
        approval_timeout_seconds=_positive("approval_timeout_seconds"),
    )


def pool() -> str:
    """Name of the pool that the shipped DAGs' tasks run in; read while a DAG file is parsed."""
    return conf.get(SECTION, "pool") or "default_pool"


def default_deferrable() -> bool:
    """Whether operators that are not told otherwise wait in the triggerer."""
    return conf.getboolean("operators", "default_deferrable", fallback=False)
