"""Reads the API's JSON objects into models, field by field, so that one drifted field costs only itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from pendulum import DateTime

from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.odd_values import OddValueReporter, shorten
from quantconnect_provider.client.times import read_time

UNREADABLE = (ValueError, TypeError, ArithmeticError)
"""What a converter raises for a value that it refuses (a refused Decimal is an ArithmeticError)."""

_LARGEST_WHOLE = 2**63 - 1
_LONGEST_WHOLE = 20
_LARGEST_EXPONENT = 100  # written out, 1e999999999 fills the memory

ModelT = TypeVar("ModelT", bound="Model")


class Model(msgspec.Struct, kw_only=True):
    """Base of the models: a field is named as the API names it, in snake_case, or as ``wire`` says."""

    extra: dict[str, Any] = msgspec.field(default_factory=dict)


def wire(*names: str, default: Any = msgspec.NODEFAULT) -> Any:
    """Declare a field that the API spells in one of *names*; without *default*, a response must have it."""
    name = "|".join(names)
    if default is msgspec.NODEFAULT:
        return msgspec.field(name=name)
    return msgspec.field(name=name, default=default)


def decode(
    model: type[ModelT],
    payload: Any,
    *,
    endpoint: str,
    odd: OddValueReporter,
    ignored: frozenset[str] = frozenset(),
    row: int | None = None,
) -> ModelT:
    """Read *payload* into *model*; what the model does not know goes to ``extra``, except *ignored*.

    A value that cannot be right leaves its field empty, goes to ``extra`` and is logged.

    :param odd: where odd values are logged.
    :param row: which row of a list *payload* is, for the log.
    :raises UnreadableAnswerError: if *payload* is no object, or a field without a default is missing or
        cannot be read.
    """
    if not isinstance(payload, dict):
        raise UnreadableAnswerError(
            f"{endpoint} was answered with {type(payload).__name__} where an object was expected.",
            endpoint=endpoint,
        )
    values: dict[str, Any] = {}
    set_aside: dict[str, Any] = {}
    known: set[str] = set()
    for attribute, names, convert, required in _plan(model):
        known.update(names)
        name = next((name for name in names if payload.get(name) is not None), None)
        if name is None or (required and str(payload[name]).strip() == ""):
            if required:
                raise UnreadableAnswerError(
                    f"{endpoint} was answered without {names[0]!r}; it has {shorten(sorted(payload), 200)}.",
                    endpoint=endpoint,
                )
            continue
        try:
            values[attribute] = convert(payload[name])
        except UNREADABLE as error:
            if required:
                raise UnreadableAnswerError(
                    f"{endpoint} was answered with a {name!r} that cannot be read: "
                    f"{shorten(payload[name])} ({reason_of(error)}).",
                    endpoint=endpoint,
                ) from error
            set_aside[name] = payload[name]
            odd.warn(endpoint, name, payload[name], reason_of(error), row=row)
    drop = known | ignored
    extra = {key: value for key, value in payload.items() if key not in drop}
    return model(**values, extra={**extra, **set_aside})


def rows_of(payload: Any, *, name: str, endpoint: str) -> list[Any]:
    """Return the rows of a list; an object keyed by index, as PHP writes sparse lists, is one too.

    :param name: the API's name of the list.
    :raises UnreadableAnswerError: if it is no list: that is not the same as an empty one.
    """
    if isinstance(payload, dict) and (not payload or any(isinstance(row, dict) for row in payload.values())):
        return list(payload.values())
    if not isinstance(payload, list):
        raise UnreadableAnswerError(
            f"{endpoint} was answered without a list of {name}: {shorten(payload)}.", endpoint=endpoint
        )
    return payload


def decode_rows(
    model: type[ModelT], payload: Any, *, name: str, endpoint: str, odd: OddValueReporter
) -> tuple[list[ModelT], list[Any]]:
    """Read a list of objects; return them, and the rows that cannot be read. Those are logged.

    :raises UnreadableAnswerError: if *payload* is no list.
    """
    read: list[ModelT] = []
    unread: list[Any] = []
    for place, entry in enumerate(rows_of(payload, name=name, endpoint=endpoint)):
        try:
            read.append(decode(model, entry, endpoint=endpoint, odd=odd, row=place))
        except UnreadableAnswerError as error:
            unread.append(entry)
            odd.warn(endpoint, "", entry, error.args[0], row=place)
    return read, unread


@cache
def _plan(model: type[Model]) -> list[tuple[str, tuple[str, ...], Callable[[Any], Any], bool]]:
    hints = get_type_hints(model, include_extras=True)
    plan = []
    for field in msgspec.structs.fields(model):
        if field.name == "extra":
            continue
        spelled = tuple(field.encode_name.split("|"))
        names = spelled if field.encode_name != field.name else (_camel(field.name),)
        plan.append((field.name, names, _converter(hints[field.name]), field.required))
    return plan


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _converter(hint: Any) -> Callable[[Any], Any]:
    """Choose how a value is read by the field's type; ``X | None`` is read as X, ``Annotated[X, f]`` by f."""
    if get_origin(hint) is Annotated:
        convert: Callable[[Any], Any] = get_args(hint)[1]
        return convert
    for kind, convert in _CONVERTERS.items():
        if hint in (kind, kind | None):
            return convert
    return lambda value: msgspec.convert(value, hint, strict=False)


def reason_of(error: Exception) -> str:
    """Return why a value cannot be read, in a few words."""
    return shorten(str(error) or type(error).__name__, 120).strip("'\"")


def read_text(value: Any) -> str:
    """Read text; a number is written as text, everything else is refused."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"not text but {type(value).__name__}")
    return str(value)


def read_number(value: Any) -> float:
    """Read a finite number, also written as text."""
    if type(value) is not float and type(value) is not int and type(value) is not str:
        raise ValueError(f"not a number but {type(value).__name__}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def read_flag(value: Any) -> bool:
    """Read true or false, also written as text or as 1 or 0."""
    return value if value is True or value is False else bool(msgspec.convert(value, bool, strict=False))


def read_lines(value: Any) -> list[str]:
    """Read lines of text from a list, an object keyed by index or one text; what is empty is left out."""
    if isinstance(value, dict):
        value = list(value.values())
    entries = value if isinstance(value, list) else str(value).splitlines() if value else []
    return [entry if isinstance(entry, str) else _as_json(entry) for entry in entries if entry]


def _as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"not a number but {type(value).__name__}")
    number = Decimal(str(value).strip())
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("not a number of a possible size")
    return number


def _object(value: Any) -> dict[str, Any]:
    """Read an object; PHP writes an empty one as ``[]``."""
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"not an object but {type(value).__name__}")
    return value


def _text_object(value: Any) -> dict[str, str]:
    return {
        key: entry if isinstance(entry, str) else _as_json(entry)
        for key, entry in _object(value).items()
        if entry is not None
    }


def read_whole(value: Any) -> int:
    """Read a whole number that a database can hold, also written as text."""
    if isinstance(value, str) and len(value) < _LONGEST_WHOLE and value.strip().isdecimal():
        value = int(value)
    number = value if type(value) is int else read_number(value)
    if number != int(number) or not -_LARGEST_WHOLE <= number <= _LARGEST_WHOLE:
        raise ValueError("not a whole number of 64 bits")
    return int(number)


def read_length(payload: dict[str, Any]) -> int | None:
    """Return the total that a page of rows names; None if it names none that can be right."""
    try:
        return max(0, read_whole(payload.get("length")))
    except UNREADABLE:
        return None


_CONVERTERS: dict[Any, Callable[[Any], Any]] = {
    str: read_text,
    int: read_whole,
    float: read_number,
    bool: read_flag,
    Decimal: _decimal,
    DateTime: read_time,
    dict[str, Any]: _object,
    dict[str, str]: _text_object,
    list[str]: read_lines,
}
