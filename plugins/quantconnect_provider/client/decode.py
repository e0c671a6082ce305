"""Reads the API's JSON objects into models, field by field, so that one drifted field costs only itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, get_type_hints

import msgspec
from pendulum import DateTime

from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.times import read_time

log = logging.getLogger(__name__)

ModelT = TypeVar("ModelT", bound="Model")


class Model(msgspec.Struct, kw_only=True):
    """Base of the models: a field is named as the API names it, in snake_case, or as ``wire`` says."""

    extra: dict[str, Any] = msgspec.field(default_factory=dict)


def wire(*names: str, default: Any = msgspec.NODEFAULT) -> Any:
    """Declare a field that the API spells in one of *names*; without *default*, an answer must have it."""
    name = "|".join(names)
    if default is msgspec.NODEFAULT:
        return msgspec.field(name=name)
    return msgspec.field(name=name, default=default)


def decode(
    model: type[ModelT], payload: Any, *, endpoint: str, ignored: frozenset[str] = frozenset()
) -> ModelT:
    """Read *payload* into *model*; keys that the model does not know go to ``extra``, except *ignored*.

    :raises UnreadableAnswerError: if *payload* is no object or a field without a default is missing.
    """
    if not isinstance(payload, dict):
        raise UnreadableAnswerError(
            f"{endpoint} was answered with {type(payload).__name__} where an object was expected.",
            endpoint=endpoint,
        )
    values: dict[str, Any] = {}
    known: set[str] = set()
    for attribute, names, convert, required in _plan(model):
        known.update(names)
        raw = next((payload[name] for name in names if payload.get(name) is not None), None)
        if raw is None:
            if required:
                raise UnreadableAnswerError(
                    f"{endpoint} was answered without {names[0]!r}; it has {sorted(payload)}.",
                    endpoint=endpoint,
                )
            continue
        try:
            values[attribute] = convert(raw)
        except (ValueError, TypeError, ArithmeticError) as error:
            if required:
                raise UnreadableAnswerError(
                    f"{endpoint} was answered with a {names[0]!r} that cannot be read ({error}).",
                    endpoint=endpoint,
                ) from error
            log.warning("%s: field %r cannot be read and is left empty (%s).", endpoint, names[0], error)
    drop = known | ignored
    values["extra"] = {key: value for key, value in payload.items() if key not in drop}
    return model(**values)


def decode_list(model: type[ModelT], payload: Any, *, endpoint: str) -> list[ModelT]:
    """Read a list of objects; an object keyed by index, as PHP writes sparse lists, is one too."""
    if isinstance(payload, dict):
        payload = list(payload.values())
    return [decode(model, entry, endpoint=endpoint) for entry in payload or []]


@cache
def _plan(model: type[Model]) -> list[tuple[str, tuple[str, ...], Callable[[Any], Any], bool]]:
    hints = get_type_hints(model)
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
    """Choose how a value is read by the field's type; ``X | None`` is read as X."""
    for kind, convert in _CONVERTERS.items():
        if hint in (kind, kind | None):
            return convert
    return lambda value: msgspec.convert(value, hint, strict=False)


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise ValueError(f"not a text: {type(value).__name__}")
    return str(value)


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))


def _object(value: Any) -> dict[str, Any]:
    """Read an object; PHP writes an empty one as ``[]``."""
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"not an object: {type(value).__name__}")
    return value


def _text_object(value: Any) -> dict[str, str]:
    return {key: _text(entry) for key, entry in _object(value).items() if entry is not None}


def _texts(value: Any) -> list[str]:
    return [str(entry) for entry in (value if isinstance(value, list) else [value])]


def _flag(value: Any) -> bool:
    return bool(msgspec.convert(value, bool, strict=False))


def _whole(value: Any) -> int:
    number = float(value) if not isinstance(value, int) else value
    if number != int(number):
        raise ValueError(f"not a whole number: {value!r}")
    return int(number)


_CONVERTERS: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    int: _whole,
    float: float,
    bool: _flag,
    Decimal: _decimal,
    DateTime: read_time,
    dict[str, Any]: _object,
    dict[str, str]: _text_object,
    list[str]: _texts,
}
