"""What the forms of the shipped DAGs share: sections, and params that more than one of them has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Param

from quantconnect_provider.live.approval.rules import APPROVALS
from quantconnect_provider.tasks.form_option import HOW, SAFETY, WHAT

__all__ = ["HOW", "PROJECT_IDS", "SAFETY", "WHAT", "approval", "choice"]

# Without "type" in "items" the form shows a text field with one entry a line; with a type other than
# "string" it would ask for JSON. The API takes numbers as well.
PROJECT_IDS: dict[str, Any] = {
    "type": ["null", "array"],
    "items": {
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^\s*([1-9][0-9]*)?\s*$"}]
    },
    "uniqueItems": True,
}


def choice(default: str, choices: Sequence[str], **kwargs: Any) -> Param:
    """Return a param that is one of *choices*, shown as a list to select from."""
    return Param(default, type="string", enum=list(choices), **kwargs)


def approval(description: str) -> Param:
    """Return the param that says when a person is asked."""
    return choice("auto", APPROVALS, title="Approval", section=SAFETY, description=description)
