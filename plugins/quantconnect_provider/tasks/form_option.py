"""Declares one input of a task once: how a form shows it, how it is read, and what an operator calls it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from airflow.sdk import Param

WHAT, HOW, PORTFOLIO, SAFETY = "What", "How", "Algorithm and portfolio", "Safety"
"""The sections of the forms."""

REQUIRED: Any = object()
"""The default of an option that must be given."""


@dataclass(frozen=True)
class FormOption:
    """How one field of a request is shown, read and printed.

    :param read: takes what a form or template gives and the field's name; returns the typed value, or raises
        ``InvalidSettingError`` naming the field.
    :param title: the label in the form.
    :param schema: JSON schema of the form's value.
    :param default: the form's value when nothing is filled in.
    :param argument: what the operator calls it, where that is not the field's name.
    :param show: writes the typed value for a person; empty text leaves it out.
    """

    read: Callable[[Any, str], Any]
    title: str
    section: str
    description: str
    schema: Mapping[str, Any]
    default: Any = REQUIRED
    argument: str = ""
    show: Callable[[Any], str] | None = None

    def param(self) -> Param:
        """Return the field of the form."""
        declared = {"title": self.title, "section": self.section, **self.schema}
        if self.default is REQUIRED:
            return Param(description=self.description, **declared)
        return Param(self.default, description=self.description, **declared)


def option(read: Callable[[Any, str], Any], **declared: Any) -> Any:
    """Declare a dataclass field that is a :class:`FormOption`; its default is the form's."""
    made = FormOption(read, **declared)
    default = {} if made.default is REQUIRED else {"default": made.default}
    return field(**default, metadata={"option": made})


def options_of(request: type) -> dict[str, FormOption]:
    """Return the options of a dataclass by the names of its fields."""
    return {each.name: each.metadata["option"] for each in fields(request)}


def read_options(request: type, source: Mapping[str, Any]) -> dict[str, Any]:
    """Return the typed values of all options that *source* has, by the names of their fields."""
    found = options_of(request)
    return {name: each.read(source[name], name) for name, each in found.items() if name in source}


def takes(request: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate an operator's ``__init__``: it takes the options of *request* too and keeps them.

    They are in its signature, by which Airflow applies ``default_args`` and checks mapped arguments.
    """
    found = {each.argument or name: each for name, each in options_of(request).items()}
    required = {argument for argument, each in found.items() if each.default is REQUIRED}

    def decorate(init: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(init)
        def wrapper(self: Any, **kwargs: Any) -> None:
            given = {name: kwargs.pop(name, each.default) for name, each in found.items()}
            init(self, **kwargs)
            for name, value in given.items():
                setattr(self, name, value)

        own = inspect.signature(init)
        added = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if name in required else each.default,
            )
            for name, each in found.items()
        ]
        *first, rest = own.parameters.values()
        wrapper.__signature__ = own.replace(parameters=[*first, *added, rest])  # type: ignore[attr-defined]
        return wrapper

    return decorate
