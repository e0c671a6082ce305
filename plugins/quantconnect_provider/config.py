"""Reads the section `[quantconnect]` of Airflow's configuration; `options` declares what is in it.

Only operators and DAGs read it; everything below them takes plain arguments.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import conf

from quantconnect_provider.options import OPTIONS, SECTION, Settings

__all__ = [
    "SECTION",
    "Settings",
    "default_deferrable",
    "harvest_max_active_tasks",
    "harvests_trading",
    "load",
    "pool",
    "publish_path",
]


def load() -> Settings:
    """Read the section.

    :raises ValueError: when a value is out of its range; the text names the option and what it takes.
    """
    values: dict[str, Any] = {
        name: option.parse(conf.get(SECTION, name, fallback=option.default))
        for name, option in OPTIONS.items()
    }
    return Settings(**values)


def pool() -> str:
    """Name of the pool that the shipped DAGs' tasks run in; read while a DAG file is parsed."""
    return conf.get(SECTION, "pool", fallback="") or OPTIONS["pool"].default


def harvests_trading() -> bool:
    """Whether the nightly harvest has the task `trading`; read while the DAG file is parsed.

    :raises ValueError: when the value is neither true nor false.
    """
    option = OPTIONS["harvest_trading"]
    return bool(option.parse(conf.get(SECTION, option.name, fallback=option.default)))


def publish_path() -> str:
    """Return where the nightly harvest publishes to, empty if nowhere; read while the DAG file is parsed."""
    return conf.get(SECTION, "publish_path", fallback="").strip()


def harvest_max_active_tasks() -> int:
    """How many mapped tasks of the harvest may be queued or run at once; read while the DAG file is parsed.

    :raises ValueError: when the value is no whole number of at least 1.
    """
    option = OPTIONS["harvest_max_active_tasks"]
    return int(option.parse(conf.get(SECTION, option.name, fallback=option.default)))


def default_deferrable() -> bool:
    """Whether operators wait in the triggerer unless their `deferrable` says otherwise."""
    return conf.getboolean("operators", "default_deferrable", fallback=False)
