"""Laying fields of a scenario over an answer, so that it has a shape that the API is not known to give."""

from __future__ import annotations

from typing import Any

ABSENT = {"$absent": True}
"""As a field's value: the answer is without it."""


def lay_over(answer: Any, fields: Any) -> Any:
    """Return `answer` with `fields` over it; neither is changed.

    An object is laid over an object field by field, ``*`` standing for each of its fields, and over each row
    of a list; anything else takes the place of what was there.
    """
    if not isinstance(fields, dict) or not isinstance(answer, (dict, list)):
        return fields
    if isinstance(answer, list):
        return [lay_over(row, fields) for row in answer]
    laid = dict(answer)
    for name, value in fields.items():
        for each in list(laid) if name == "*" else [name]:
            if value == ABSENT:
                laid.pop(each, None)
            else:
                laid[each] = lay_over(laid.get(each), value)
    return laid
