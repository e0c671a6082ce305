"""Reads and checks what a user writes about policies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.policies.document import LARGEST_BYTES, Document
from quantconnect_provider.policies.policy import ACTIONS, AnyPolicy, Policies, Redeploy

_MSGSPEC = re.compile(r"(?P<problem>.*?)(?: - at `(?P<path>[^`]*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(.+)`")
_MISSING = re.compile(r"missing required field `(.+)`")
_MISSING_WORDS = {
    "projects": "the policy names no project",
    "deploy": "the policy does not say how to deploy: deploy is missing",
}
_OWN_PARAMS = ("project_id", "if_running", "approval")
_TAKEN = "; ".join(f"about {event}: {', '.join(actions)}" for event, actions in ACTIONS.items())
_ADVICE = {
    ".projects": "Give projects as a list of their numbers, like [12345678], or all.",
    ".action": f"The actions are, {_TAKEN}.",
    ".event": f"The actions are, {_TAKEN}.",
    ".limit": "The limit is a fraction of the highest equity: 0.2 is 20 %.",
    ".deploy": "Give params of the DAG quantconnect_deploy; {} deploys to paper trading.",
}


CheckDeploy = Callable[[Mapping[str, Any]], None]
"""Takes the ``deploy`` of a policy, and raises ``InvalidSettingError`` if no deployment can be made of it."""


def read_policies(text: str, source: str = "policies", check_deploy: CheckDeploy | None = None) -> Policies:
    """Read policies from YAML or JSON: a list with one object for each.

    :param source: what to call the text in errors.
    :param check_deploy: also checks what each redeploy deploys.
    :raises InvalidSettingError: naming the line: an action, event or key that does not exist, no project,
        a number out of its range, two policies for the same event of a project, a redeploy that does not say
        what to deploy.
    """
    document = Document(text, source)
    if document.value is None:
        return Policies()
    try:
        entries = msgspec.convert(document.value, list[AnyPolicy])
    except msgspec.ValidationError as error:
        raise _explain(document, str(error)) from None
    _check_each_project_once(document, entries)
    for index, entry in enumerate(entries):
        if isinstance(entry, Redeploy):
            _check_deploy(document, f"[{index}].deploy", entry.deploy, check_deploy)
    return Policies(tuple(entries))


def read_policies_file(path: str, check_deploy: CheckDeploy | None = None) -> Policies:
    """Read policies from a file; see :func:`read_policies`.

    :raises InvalidSettingError: also when the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        return read_policies(content.decode("utf-8-sig"), path, check_deploy)
    except UnicodeDecodeError:
        raise InvalidSettingError(f"{path} is not UTF-8 text.", advice="Save it as UTF-8.") from None
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or error
        raise InvalidSettingError(
            f"The file of policies {path!r} cannot be read: {problem}.",
            advice="Every worker needs it: check [quantconnect] policies_file.",
        ) from None


def _explain(document: Document, message: str) -> InvalidSettingError:
    """Say where msgspec's message is about, and what can be written there."""
    match = _MSGSPEC.fullmatch(message)
    problem, path = (match["problem"], match["path"] or "$") if match else (message, "$")
    path = path.removeprefix("$")
    if unknown := _UNKNOWN.search(problem):
        return document.error(f"there is no {unknown[1][:40]}", f"{path}.{unknown[1]}", _advice(path))
    if missing := _MISSING.search(problem):
        path = f"{path}.{missing[1]}"
        problem = _MISSING_WORDS.get(missing[1], f"{missing[1]} is missing")
    elif path.endswith(".projects") and "length" in problem:
        problem = _MISSING_WORDS["projects"]
    else:
        name = path.rpartition(".")[2]
        problem = f"{problem[:1].lower()}{problem[1:]}"
        problem = problem if name.startswith("[") or not name else f"{name}: {problem}"
    return document.error(problem, path, _advice(path))


def _advice(path: str) -> str:
    if not path:
        return "Write a list of policies, see docs/policies.md."
    for ending, advice in _ADVICE.items():
        if ending in path:
            return advice
    return "See docs/policies.md for what a policy takes."


def _check_each_project_once(document: Document, entries: Sequence[AnyPolicy]) -> None:
    first: dict[tuple[str, int | str], int | None] = {}
    for index, entry in enumerate(entries):
        projects: Sequence[int | str] = ["all"] if entry.projects == "all" else entry.projects
        path = f"[{index}].projects"
        for project in projects:
            key = (entry.event, project)
            if key in first:
                who = "all projects have" if project == "all" else f"project {project} has"
                raise document.error(
                    f"{who} a policy for {entry.event} already, on line {first[key]}",
                    path,
                    "Give each project one policy for an event.",
                )
            first[key] = document.line(path)


def _check_deploy(
    document: Document, path: str, deploy: Mapping[str, Any], check: CheckDeploy | None
) -> None:
    for name in _OWN_PARAMS:
        if name in deploy:
            raise document.error(
                f"deploy has {name}, which the guard sets",
                f"{path}.{name}",
                "Take it out; approval is a key of the policy itself.",
            )
    try:
        if check is not None:
            check(deploy)
    except InvalidSettingError as error:
        problem = f"deploy: {error.args[0]}".rstrip(".")
        raise document.error(problem, path, error.advice) from None
