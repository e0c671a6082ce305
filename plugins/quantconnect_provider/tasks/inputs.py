"""Checks what users type, before anything is sent; every message names the field."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quantconnect_provider.client.errors import InvalidSettingError


def project_id_of(value: Any, field: str = "project_id") -> int:
    """Return a project id; text is taken if it is a whole number, as templates and forms give text.

    :raises InvalidSettingError: naming the field.
    """
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise _wrong(
        f"{field} is {value!r}.",
        "It must be the project's number, as in the address quantconnect.com/project/12345678.",
    )


def project_ids_of(value: Any, field: str = "project_ids") -> list[int]:
    """Return a list of project ids, each once.

    :raises InvalidSettingError: naming the field and the entry: not a list, empty, twice the same.
    """
    if not isinstance(value, (list, tuple)):
        raise _wrong(f"{field} is {value!r}.", "It must be a list of project ids, like [12345678].")
    if not value:
        raise _wrong(f"{field} is empty.", "Name at least one project.")
    ids = [project_id_of(entry, f"{field}[{index}]") for index, entry in enumerate(value)]
    twice = sorted({entry for entry in ids if ids.count(entry) > 1})
    if twice:
        raise _wrong(f"{field} names {', '.join(map(str, twice))} more than once.", "Name each project once.")
    return ids


def one_of(value: Any, choices: Collection[str], field: str) -> str:
    """Return *value*, which must be one of *choices*.

    :raises InvalidSettingError: naming the field.
    """
    if value in choices:
        return str(value)
    raise _wrong(f"{field} is {value!r}.", f"It must be one of: {', '.join(choices)}.")


def check_names(given: Iterable[str], known: Collection[str]) -> None:
    """Refuse params that do not exist: one that is misspelt would silently have no effect.

    :raises InvalidSettingError: naming them.
    """
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise _wrong(f"There is no param {', '.join(unknown)}.", f"The params are: {', '.join(known)}.")


def text_or_none(value: Any) -> str | None:
    """Return *value* as text; what stands for nothing in a form or a template is None."""
    text = "" if value is None else str(value).strip()
    return None if text in ("", "None", "null") else text


def flag_of(value: Any, field: str) -> bool:
    """Return a yes or no, also from the text that a template gives.

    :raises InvalidSettingError: naming the field.
    """
    text = str(value).strip().lower()
    if text in ("true", "1", "yes"):
        return True
    if text in ("false", "0", "no", "none", ""):
        return False
    raise _wrong(f"{field} is {value!r}.", "It must be true or false.")


def mapping_of(value: Any, field: str) -> dict[str, Any] | None:
    """Return an object, also from JSON text; empty is None.

    :raises InvalidSettingError: naming the field.
    """
    found = _from_json(value)
    if found in (None, "", {}, [], "None"):
        return None
    if not isinstance(found, dict):
        raise _wrong(f"{field} is not an object.", 'Write it like {"name": "value"}.')
    return found


def texts_of(value: Any, field: str) -> list[str] | None:
    """Return a list of texts, also from JSON text or a single text; empty is None.

    :raises InvalidSettingError: naming the field: not a list of texts, or one text twice.
    """
    found = _from_json(value)
    if found in (None, "", [], {}, "None"):
        return None
    texts = [found] if isinstance(found, str) else found
    if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) and text for text in texts):
        raise _wrong(f"{field} is {value!r}.", 'It must be a list of texts, like ["first", "second"].')
    twice = sorted({text for text in texts if texts.count(text) > 1})
    if twice:
        raise _wrong(f"{field} names {', '.join(twice)} more than once.", "Name each once.")
    return list(texts)


def _from_json(value: Any) -> Any:
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _wrong(what: str, advice: str) -> InvalidSettingError:
    from quantconnect_provider.client.errors import InvalidSettingError

    return InvalidSettingError(what, advice=advice)
