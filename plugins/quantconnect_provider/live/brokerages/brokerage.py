"""What a row of the brokerage table declares, and the small rules that rows are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Settings = Mapping[str, Any]
"""The settings of a brokerage connection, password and extra together."""

PaperTest = Callable[[Settings], bool]
"""Says whether settings prove that no real money moves."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a setting; never shows its value.

    :param what: completes a sentence that begins with the setting's name, e.g. ``is not a time``.
    :param advice: what to do next.
    """

    key: str
    what: str
    advice: str


Check = Callable[[Settings], "Problem | None"]
"""Finds what is wrong with settings whose required keys are all there."""


def no_extra_keys(settings: Settings) -> tuple[str, ...]:
    """Return the keys that settings require beyond those always required: none."""
    return ()


def never(settings: Settings) -> bool:
    """Return False: nothing proves that it is paper."""
    return False


def always(settings: Settings) -> bool:
    """Return True: it is paper whatever the settings say."""
    return True


def setting_is(key: str, *values: str) -> PaperTest:
    """Return the test that a setting has one of *values*."""
    return lambda settings: settings.get(key) in values


def setting_is_not(key: str, value: str) -> PaperTest:
    """Return the test that a setting does not have *value*."""
    return lambda settings: settings.get(key) != value


def setting_matches(key: str, pattern: str) -> PaperTest:
    """Return the test that a whole setting matches a regular expression."""
    compiled = re.compile(pattern)
    return lambda settings: bool(compiled.fullmatch(str(settings.get(key, ""))))


def all_of(*tests: PaperTest) -> PaperTest:
    """Return the test that all of *tests* hold."""
    return lambda settings: all(test(settings) for test in tests)


def time_of_day(key: str, latest: str) -> Check:
    """Return the check that a setting is a time of day, ``hh:mm:ss``, not later than *latest*."""
    pattern = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d")

    def check(settings: Settings) -> Problem | None:
        value = settings.get(key)
        if value is None:
            return None
        if not pattern.fullmatch(str(value)):
            return Problem(key, "is not a time", "Write it as hh:mm:ss in UTC, e.g. 22:00:00.")
        if str(value) > latest:
            return Problem(key, f"is later than {latest}", f"Set it to {latest} UTC or earlier.")
        return None

    return check


@dataclass(frozen=True)
class Brokerage:
    """One brokerage of live/create.

    :param label: its name for people.
    :param required: keys without which live/create is refused.
    :param also_required: the further keys that it requires because of what other settings say.
    :param optional: keys that it knows besides.
    :param secret: which of the keys belong in the connection's password.
    :param account: the key that identifies the account for a person; empty if only an API key does.
    :param choices: the values that a key may have.
    :param checks: what else must hold.
    :param paper: proves that no real money moves.
    :param cash: whether live/create takes ``cash`` for it, or must have it (``needs_cash``).
    :param holdings: whether live/create takes ``holdings`` for it.
    :param unescape: keys of several lines that are often pasted with backslash-n in place of line breaks.
    :param data_keys: keys that it requires as a data provider; None means the same as for trading.
    """

    label: str
    required: tuple[str, ...] = ()
    also_required: Callable[[Settings], tuple[str, ...]] = no_extra_keys
    optional: tuple[str, ...] = ()
    secret: frozenset[str] = frozenset()
    account: str = ""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    paper: PaperTest = never
    cash: bool = False
    needs_cash: bool = False
    holdings: bool = False
    unescape: frozenset[str] = frozenset()
    data_keys: tuple[str, ...] | None = None
