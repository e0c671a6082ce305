"""Checks what users and templates give, before anything is sent; every message names the field."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pendulum
from pendulum import DateTime

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.times import read_time
from quantconnect_provider.live.text_values import read_structure

_NOTHING = (None, "", "None", "null")
_LONGEST_ID = 18  # digits


def project_id_of(value: Any, field: str = "project_id") -> int:
    """Return a project id; text is taken if it is a whole number, as templates and forms give text.

    :raises InvalidSettingError: naming the field.
    """
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID and int(text) > 0:
        return int(text)
    raise InvalidSettingError(
        f"{field} is {_short(value)}.",
        advice="It must be the project's number, as in the address quantconnect.com/project/12345678.",
    )


def project_ids_of(value: Any, field: str = "project_ids") -> list[int]:
    """Return a list of project ids, each once; blank entries, as of an empty line in a form, do not count.

    :param value: a list, its text as JSON or Python, or ids separated by commas, spaces or line ends.
    :raises InvalidSettingError: naming the field and the entry: not a list, empty, twice the same.
    """
    found = read_structure(value, field)
    if isinstance(found, int) and not isinstance(found, bool):
        found = [found]
    if isinstance(found, str) and not found.lstrip().startswith(("[", "{", "(")):
        found = [] if found.strip() in _NOTHING else re.split(r"[,\s]+", found.strip().strip(","))
    if not _is_list(found):
        raise InvalidSettingError(
            f"{field} is {_short(value)}.", advice="It must be a list of project ids, like [12345678]."
        )
    found = [entry for entry in found if not isinstance(entry, str) or entry.strip()]
    if not found:
        raise InvalidSettingError(f"{field} is empty.", advice="Name at least one project.")
    ids = [project_id_of(entry, f"{field}[{index}]") for index, entry in enumerate(found)]
    _check_each_once(ids, field)
    return ids


def whole_number_of(value: Any, field: str, *, minimum: int) -> int:
    """Return a whole number; text is taken, as templates give text.

    :raises InvalidSettingError: naming the field.
    """
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID and int(text) >= minimum:
        return int(text)
    raise InvalidSettingError(
        f"{field} is {_short(value)}.", advice=f"It must be a whole number from {minimum} on."
    )


def one_of(value: Any, choices: Collection[str], field: str) -> str:
    """Return *value*, which must be one of *choices*.

    :raises InvalidSettingError: naming the field.
    """
    if isinstance(value, str) and value in choices:
        return str(value)
    raise InvalidSettingError(
        f"{field} is {_short(value)}.", advice=f"It must be one of: {', '.join(choices)}."
    )


def check_names(given: Iterable[str], known: Collection[str]) -> None:
    """Refuse params that do not exist: one that is misspelt would silently have no effect.

    :raises InvalidSettingError: naming them.
    """
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InvalidSettingError(
            f"There is no param {', '.join(unknown)}.", advice=f"The params are: {', '.join(known)}."
        )


def is_nothing(value: Any) -> bool:
    """Return whether *value* stands for nothing in a form or a template: null, or its text."""
    return value is None or (isinstance(value, str) and value.strip() in _NOTHING)


def text_or_none(value: Any) -> str | None:
    """Return *value* as text; what stands for nothing in a form or a template is None."""
    return None if is_nothing(value) else str(value).strip()


def time_or_none(value: Any, field: str) -> DateTime | None:
    """Return a moment in UTC, from ISO 8601 or unix seconds; what stands for nothing is None.

    :raises InvalidSettingError: naming the field.
    """
    if is_nothing(value):
        return None
    try:
        return pendulum.instance(value) if isinstance(value, datetime) else read_time(value)
    except ValueError:
        raise InvalidSettingError(
            f"{field} is {_short(value)}.", advice="It must be a time like 2026-01-31T16:00:00Z."
        ) from None


def flag_of(value: Any, field: str) -> bool:
    """Return a yes or no, also from the text that a template gives.

    :raises InvalidSettingError: naming the field.
    """
    text = str(value).strip().lower()
    if text in ("true", "1", "yes"):
        return True
    if text in ("false", "0", "no", "none", "null", ""):
        return False
    raise InvalidSettingError(f"{field} is {_short(value)}.", advice="It must be true or false.")


def mapping_of(value: Any, field: str) -> dict[str, Any] | None:
    """Return an object, also from its text as JSON or Python; empty is None.

    :raises InvalidSettingError: naming the field.
    """
    found = read_structure(value, field)
    if is_nothing(found) or found in ({}, [], ()):
        return None
    if not isinstance(found, Mapping):
        raise InvalidSettingError(f"{field} is not an object.", advice='Write it like {"name": "value"}.')
    for name in found:
        if not isinstance(name, str):
            raise InvalidSettingError(
                f"{field} has the name {name!r}, which is not text.",
                advice='Write it like {"name": "value"}.',
            )
    return dict(found)


def texts_of(value: Any, field: str) -> list[str] | None:
    """Return a list of texts, each once; empty is None.

    :param value: a list, its text as JSON or Python, or texts separated by commas or line ends.
    :raises InvalidSettingError: naming the field: not a list of texts, or one text twice.
    """
    found = read_structure(value, field)
    if is_nothing(found) or found in ({}, [], ()):
        return None
    if isinstance(found, str) and not found.lstrip().startswith(("[", "{", "(")):
        found = [part.strip() for part in re.split(r"[,\n]", found) if part.strip()]
    if not _is_list(found) or not all(isinstance(text, str) and text.strip() for text in found):
        raise InvalidSettingError(
            f"{field} is {_short(value)}.", advice='It must be a list of texts, like ["first", "second"].'
        )
    texts = [text.strip() for text in found]
    _check_each_once(texts, field)
    return texts


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _check_each_once(values: Sequence[Any], field: str) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise InvalidSettingError(
            f"{field} names {', '.join(map(str, twice))} more than once.", advice="Name each once."
        )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
