"""The settings of an installation: one field of `Settings` is all that there is to one.

Airflow's metadata (`get_provider_info`), what `config.load` reads and checks, and the page docs/settings.md
follow from the fields. Airflow asks for the metadata in every process, so this module imports the standard
library only.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

SECTION = "quantconnect"
AIRFLOW_TYPES: dict[type, str] = {int: "integer", float: "float", str: "string", bool: "boolean"}


_TRUTH = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


@dataclass(frozen=True)
class Rule:
    """What a setting means and accepts, besides its type and default.

    :param description: one line for `airflow config list`, the UI and the docs; names the unit.
    :param example: a value other than the default.
    :param minimum: the smallest number allowed.
    :param above: the number must be larger than this.
    :param version_added: the provider's version that has it first.
    :param sensitive: Airflow shows no value of it, and takes it from a command or a secrets backend too.
    """

    description: str
    example: str | None = None
    minimum: float | None = None
    above: float | None = None
    version_added: str = "0.1.0"
    sensitive: bool = False


def _setting(default: float | str | bool, description: str, **rule: Any) -> Any:
    return dataclasses.field(default=default, metadata={"rule": Rule(description, **rule)})


@dataclass(frozen=True)
class Settings:
    """Section `[quantconnect]` of Airflow's configuration."""

    poll_interval_seconds: float = _setting(
        10.0, "Seconds between two polls of the API while a task waits.", above=0
    )
    deploy_timeout_seconds: float = _setting(
        1200.0, "Seconds that a build, or a deployment's start, may take.", above=0
    )
    wind_down_timeout_seconds: float = _setting(
        900.0, "Seconds that a deployment may take to end after a stop or a liquidation.", above=0
    )
    flat_timeout_seconds: float = _setting(
        900.0, "Seconds to wait after a liquidation until no holdings are left.", above=0
    )
    certainty_seconds: float = _setting(
        300.0, "Seconds to search for the deployment after an unclear answer to its creation.", above=0
    )
    approval_timeout_seconds: float = _setting(
        86400.0, "Seconds that a run waits for a person's approval; after that it sends nothing.", above=0
    )
    harvest_batch_size: int = _setting(
        25,
        "Projects in one mapped task of the harvest, once there are more than that.",
        example="50",
        minimum=1,
    )
    harvest_max_active_tasks: int = _setting(
        8,
        "Mapped tasks of the harvest that are queued or run at once; no more than the workers have slots.",
        example="16",
        minimum=1,
        version_added="0.2.0",
    )
    full_pass_days: float = _setting(
        30.0, "Days after which a harvest reads a deployment in full again; 0: never.", example="7", minimum=0
    )
    rescore_days: float = _setting(
        7.0, "Days after its close in which an insight without a final score is read again.", minimum=0
    )
    harvest_trading: bool = _setting(
        True, "Whether the nightly harvest also keeps orders, fills, closed trades and positions."
    )
    publish_path: str = _setting(
        "",
        "Folder to which the nightly harvest publishes the store as Parquet files: an absolute path or an "
        "address of an object store; empty: it does not.",
        example="s3://aws_default@bucket/quantconnect",
        version_added="0.2.0",
    )
    orders_loading_seconds: float = _setting(
        75.0,
        "Seconds that a harvest waits for orders that QuantConnect is loading; it shows none meanwhile.",
        minimum=0,
    )
    stale_minutes: float = _setting(
        120.0,
        "Minutes of an open market without a change of equity, log or insights, after which a deployment is "
        "stale; 0: never.",
        example="30",
        minimum=0,
        version_added="0.2.0",
    )
    drawdown_limit: float = _setting(
        0.2,
        "Loss from the highest equity that is an event, as a fraction; 0: none is.",
        example="0.1",
        minimum=0,
        version_added="0.2.0",
    )
    market_calendar: str = _setting(
        "XNYS",
        "Market of what is not crypto, forex or a future: a calendar of exchange_calendars, or a JSON object "
        "of calendars by project id and `default`.",
        example='{"default": "XNYS", "12345678": "24/7"}',
        version_added="0.2.0",
    )
    watch_log_minutes: float = _setting(
        30.0,
        "Minutes between two reads of a running deployment's log by the watch.",
        minimum=0,
        version_added="0.2.0",
    )
    notifiers: str = _setting(
        "",
        "Who delivers events: a JSON list of Airflow notifiers, each with `class` and `kwargs`; empty: none.",
        example='[{"class": "airflow.providers.smtp.notifications.smtp.SmtpNotifier", '
        '"kwargs": {"to": "desk@example.com"}}]',
        sensitive=True,
        version_added="0.2.0",
    )
    notifications_per_hour: int = _setting(
        20,
        "Messages an hour that are about one event each; what is more comes in one message a cycle.",
        example="5",
        minimum=1,
        version_added="0.2.0",
    )
    daily_report_hour: int = _setting(
        -1,
        "Hour of the day (UTC, 0 to 23) from which the daily report is delivered; -1: no report.",
        example="21",
        minimum=-1,
        version_added="0.2.0",
    )
    pool: str = _setting(
        "default_pool",
        "Airflow pool of the shipped DAGs' tasks; it must exist.",
        example="quantconnect_api",
    )
    policies: str = _setting(
        "",
        "What guards do about events, as YAML or JSON; empty: nothing. See docs/policies.md.",
        example="[{event: drawdown, projects: all, action: stop, limit: 0.2}]",
    )
    policies_file: str = _setting(
        "",
        "Absolute path of a file with the policies instead, on every worker.",
        example="/opt/airflow/policies.yaml",
    )


@dataclass(frozen=True)
class Option:
    """One setting, complete."""

    name: str
    kind: type
    choices: tuple[str, ...]
    default: str
    rule: Rule

    def parse(self, text: str) -> int | float | str | bool:
        """Convert a configured value.

        :raises ValueError: when it is out of range; the text names the option and what it takes.
        """
        try:
            value = _TRUTH.get(text.strip().lower()) if self.kind is bool else self.kind(text)
        except ValueError:
            value = None
        if value is None or not self._accepts(value):
            raise ValueError(f"[{SECTION}] {self.name} is {text!r}: it must be {self.accepted}.")
        return value

    def _accepts(self, value: Any) -> bool:
        if self.kind is str:
            return not self.choices or value in self.choices
        if self.kind is bool:
            return True
        low = self.rule.minimum if self.rule.minimum is not None else float("-inf")
        return low <= value < float("inf") and (self.rule.above is None or value > self.rule.above)

    @property
    def accepted(self) -> str:
        """What the option takes, in words."""
        if self.kind is str:
            return " or ".join(f"`{choice}`" for choice in self.choices) or "text"
        if self.kind is bool:
            return "`True` or `False`"
        number = "a whole number" if self.kind is int else "a number"
        if self.rule.above is not None:
            return f"{number} above {self.rule.above:g}"
        return number if self.rule.minimum is None else f"{number} of at least {self.rule.minimum:g}"


def _options() -> dict[str, Option]:
    hints = get_type_hints(Settings)
    found = {}
    for field in dataclasses.fields(Settings):
        choices = get_args(hints[field.name])
        kind = str if choices else hints[field.name]
        default = f"{field.default:g}" if kind is float else str(field.default)
        found[field.name] = Option(field.name, kind, choices, default, field.metadata["rule"])
    return found


OPTIONS: dict[str, Option] = _options()
"""Every setting by its name, in the order of the fields."""
