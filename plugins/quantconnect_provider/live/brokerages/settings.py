"""Turns a brokerage connection into what live/create is sent, checked before anything is sent.

No error text here shows a value from a connection's password.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.redaction import SECRET_KEY
from quantconnect_provider.live.brokerages.brokerage import Brokerage
from quantconnect_provider.live.brokerages.table import BROKERAGES, DATA_ONLY, PAPER_ID

log = logging.getLogger(__name__)

_PORTFOLIO_KEYS = ("cash", "holdings")
_SHORTEST_LINE = 8  # shorter lines of a key file (its armour's dashes) are no secret
_ACCOUNT_TAIL = 3


@dataclass(frozen=True)
class BrokerageSettings:
    """What a brokerage connection comes to.

    :param id: the brokerage's id in live/create.
    :param settings: the ``brokerage`` object of live/create, ``id`` included. Holds secrets.
    :param is_paper: whether it is proven that no real money moves.
    :param allow_unattended: whether the connection allows a real-money deployment without approval.
    :param secrets: every value to mask in logs.
    :param conn_id: the connection; empty for paper trading without one.
    :param account: the end of the account's number, for a person to recognize; empty if it has none.
    """

    id: str
    settings: dict[str, Any] = field(repr=False)
    is_paper: bool
    allow_unattended: bool = False
    secrets: list[str] = field(default_factory=list, repr=False)
    conn_id: str = ""
    account: str = ""

    @property
    def label(self) -> str:
        """The brokerage's name for people."""
        known = BROKERAGES.get(self.id)
        return known.label if known else self.id


@dataclass(frozen=True)
class DataProviderSettings:
    """The ``dataProviders`` object of live/create, in order of precedence, and what to mask of it."""

    settings: dict[str, dict[str, Any]] = field(repr=False)
    secrets: list[str] = field(default_factory=list, repr=False)


def paper_settings() -> BrokerageSettings:
    """Return QuantConnect's own paper trading: what no connection means."""
    return BrokerageSettings(id=PAPER_ID, settings={"id": PAPER_ID}, is_paper=True)


def brokerage_settings(
    login: str | None,
    password_json_text: str | None,
    extra: Mapping[str, Any] | None,
    *,
    conn_id: str = "",
) -> BrokerageSettings:
    """Check a ``quantconnect_brokerage`` connection and return what it comes to.

    :param login: the brokerage id.
    :param password_json_text: the secret settings, a JSON object.
    :param extra: the other settings, and ``allow_unattended``.
    :param conn_id: named in errors.
    :raises InvalidSettingError: naming the connection and the key, never a value of the password.
    """
    where = _where(conn_id)
    brokerage_id = _brokerage_id(login, where)
    others = dict(extra or {})
    allow_unattended = _flag(others.pop("allow_unattended", False), "allow_unattended", where)
    settings, secrets = _merge(password_json_text, others, where)
    _refuse_portfolio(settings, where)
    brokerage = BROKERAGES.get(brokerage_id)
    if brokerage is None:
        log.warning(
            "Brokerage %s %s is not known to this version: its settings are sent unchecked, and it counts "
            "as real money.",
            brokerage_id,
            where,
        )
    else:
        _check(brokerage, settings, where)
    return BrokerageSettings(
        id=brokerage_id,
        settings={"id": brokerage_id, **settings},
        is_paper=is_paper(brokerage_id, settings),
        allow_unattended=allow_unattended,
        secrets=_to_mask(secrets),
        conn_id=conn_id,
        account=_account_tail(brokerage, settings),
    )


def data_provider_settings(
    connections: Iterable[tuple[str | None, str | None, Mapping[str, Any] | None, str]],
) -> DataProviderSettings:
    """Check data providers, given as (login, password JSON, extra, connection id), first one first.

    QuantConnect's own data needs no connection: give ``(PAPER_ID, None, None, "")``.

    :raises InvalidSettingError: naming the connection and the key, or a provider that comes twice.
    """
    providers: dict[str, dict[str, Any]] = {}
    secrets: list[str] = []
    for login, password, extra, conn_id in connections:
        where = _where(conn_id)
        provider_id = _brokerage_id(login, where)
        if provider_id in providers:
            raise InvalidSettingError(
                f"Data provider {provider_id} is given twice.", advice="Name each provider once."
            )
        others = dict(extra or {})
        others.pop("allow_unattended", None)
        settings, found = _merge(password, others, where)
        _require(settings, _data_keys(provider_id), f"Data provider {provider_id}", where)
        providers[provider_id] = {"id": provider_id, **settings}
        secrets += found
    return DataProviderSettings(settings=providers, secrets=_to_mask(secrets))


def is_paper(brokerage_id: str, settings: Mapping[str, Any]) -> bool:
    """Whether *settings* prove that no real money moves; what cannot be shown counts as real money."""
    brokerage = BROKERAGES.get(brokerage_id)
    return brokerage is not None and brokerage.paper(settings)


def _data_keys(provider_id: str) -> tuple[str, ...]:
    brokerage = BROKERAGES.get(provider_id)
    if brokerage is None:
        return DATA_ONLY.get(provider_id, ())
    return brokerage.required if brokerage.data_keys is None else brokerage.data_keys


def _account_tail(brokerage: Brokerage | None, settings: Mapping[str, Any]) -> str:
    """Return e.g. ``***567``: enough to recognize the account, too little to use it."""
    account = str(settings.get(brokerage.account, "")) if brokerage else ""
    return f"***{account[-_ACCOUNT_TAIL:]}" if len(account) > 2 * _ACCOUNT_TAIL else "***" if account else ""


def _where(conn_id: str) -> str:
    return f"(connection {conn_id})" if conn_id else "(brokerage connection)"


def _brokerage_id(login: str | None, where: str) -> str:
    brokerage_id = (login or "").strip()
    if not brokerage_id:
        raise InvalidSettingError(
            f"The login {where} is empty.",
            advice="Set it to the brokerage id, e.g. InteractiveBrokersBrokerage.",
        )
    wanted = brokerage_id.lower().removesuffix("brokerage")
    for known in BROKERAGES:
        if brokerage_id != known and known.lower().removesuffix("brokerage") == wanted:
            raise InvalidSettingError(
                f"The login {where} is {brokerage_id!r}.", advice=f"Did you mean {known!r}?"
            )
    return brokerage_id


def _merge(password: str | None, others: Mapping[str, Any], where: str) -> tuple[dict[str, Any], list[str]]:
    """Join the two halves of a connection; every leaf of the password is a secret."""
    hidden = _json_object(password, where)
    both = sorted(key for key in hidden if key in others and others[key] not in ("", hidden[key]))
    if both:
        raise InvalidSettingError(
            f"{', '.join(both)} {where} has one value in the password and another in the extra.",
            advice="Keep one of them.",
        )
    settings = {**others, **hidden}
    settings.pop("id", None)
    settings = {key: _text(value) for key, value in settings.items() if value not in ("", None)}
    secrets = [leaf for value in hidden.values() for leaf in _leaves(value)]
    for key, value in others.items():
        if SECRET_KEY.search(key) and value:
            secrets += _leaves(value)
            if re.search("password|secret|token|private|api-key", key):
                log.warning("%s %s belongs in the password: the extra is shown to people.", key, where)
    return settings, secrets


def _json_object(password: str | None, where: str) -> dict[str, Any]:
    if not (password or "").strip():
        return {}
    try:
        value = json.loads(password or "")
    except ValueError:
        value = None  # the decoder's message would quote the password
    if not isinstance(value, dict):
        raise InvalidSettingError(
            f"The password {where} is not a JSON object.",
            advice='Write the secret settings as one, e.g. {"ib-password": "..."}.',
        )
    return value


def _text(value: Any) -> Any:
    """Write a setting as QuantConnect's own command line does: all plain values as text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


def _leaves(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [leaf for entry in value.values() for leaf in _leaves(entry)]
    if isinstance(value, (list, tuple)):
        return [leaf for entry in value for leaf in _leaves(entry)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


def _to_mask(secrets: list[str]) -> list[str]:
    """Add the shapes in which a secret of several lines could show: unescaped, escaped, line by line."""
    shapes: list[str] = []
    for secret in secrets:
        real = secret.replace("\\n", "\n")
        shapes += [secret, real, real.replace("\n", "\\n")]
        if "\n" in real:
            shapes += [line for line in real.splitlines() if len(line) >= _SHORTEST_LINE and line[0] != "-"]
    return list(dict.fromkeys(shape for shape in shapes if shape))


def _flag(value: Any, name: str, where: str) -> bool:
    text = str(value).strip().lower()
    if text in ("true", "1", "yes"):
        return True
    if text in ("false", "0", "no", "none", ""):
        return False
    raise InvalidSettingError(
        f"{name} {where} is neither true nor false.", advice=f"Set {name} in the extra to true or false."
    )


def _refuse_portfolio(settings: Mapping[str, Any], where: str) -> None:
    for key in _PORTFOLIO_KEYS:
        if key in settings:
            raise InvalidSettingError(
                f"{key} is not a setting of a connection {where}.",
                advice=f"Give {key} in the form of the run.",
            )


def _check(brokerage: Brokerage, settings: dict[str, Any], where: str) -> None:
    required = brokerage.required + brokerage.also_required(settings)
    _require(settings, required, brokerage.label, where)
    known = {*required, *brokerage.optional}
    for key in sorted(set(settings) - known):
        log.warning("%s %s is not a setting of %s that this version knows.", key, where, brokerage.label)
    for key, allowed in brokerage.choices.items():
        _check_choice(key, settings.get(key), allowed, where)
    for check in brokerage.checks:
        problem = check(settings)
        if problem is not None:
            raise InvalidSettingError(f"{problem.key} {where} {problem.what}.", advice=problem.advice)
    for key in brokerage.unescape & set(settings):
        settings[key] = str(settings[key]).replace("\\n", "\n")


def _require(settings: Mapping[str, Any], required: Iterable[str], whose: str, where: str) -> None:
    missing = [key for key in required if key not in settings]
    if missing:
        raise InvalidSettingError(
            f"{whose} {where} is missing {', '.join(missing)}.",
            advice="Add them to the connection: secret settings to the password's JSON, others to the extra.",
        )


def _check_choice(key: str, value: Any, allowed: tuple[str, ...], where: str) -> None:
    if value is None or value in allowed:
        return
    if str(value).lower() in (choice.lower() for choice in allowed):
        raise InvalidSettingError(f"{key} {where} is misspelled.", advice=f"Write it as {_either(allowed)}.")
    log.warning("%s %s is not %s; it is sent as it is.", key, where, _either(allowed))


def _either(choices: tuple[str, ...]) -> str:
    return " or ".join(repr(choice) for choice in choices)
