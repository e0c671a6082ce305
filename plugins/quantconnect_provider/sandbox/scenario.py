"""Reading a scenario file, and laying one part of a scenario over another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from quantconnect_provider.sandbox.scenario_spec import Scenario

DEFAULT_SCENARIO = Path(__file__).with_name("default_scenario.yaml")


class ScenarioError(ValueError):
    """The scenario cannot be used; the message names the file and the field."""


def load_scenario(source: Scenario | dict[str, Any] | str | Path | None) -> Scenario:
    """Read and check a scenario: a YAML or JSON file, a mapping of the same shape, or the default one.

    :raises ScenarioError: the file cannot be read, or something in it is unknown or of the wrong type
    """
    if isinstance(source, Scenario):
        return source
    if isinstance(source, dict):
        return _check(source, "the scenario")
    path = DEFAULT_SCENARIO if source is None else Path(source)
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"cannot read the scenario {path}: {error}") from error
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path} is neither YAML nor JSON: {error}") from error
    return _check(document, str(path))


def _check(document: Any, name: str) -> Scenario:
    if not isinstance(document, dict):
        raise ScenarioError(f"{name} must be a mapping with keys such as projects and nodes")
    try:
        merged = _with_defaults(document)
        return msgspec.convert(merged, Scenario)
    except (msgspec.ValidationError, TypeError) as error:
        raise ScenarioError(f"{name}: {error}") from error


def _with_defaults(document: dict[str, Any]) -> dict[str, Any]:
    """Lay each project over `defaults`, and each deployment's insights and orders over its project's."""
    defaults = document.get("defaults") or {}
    projects = document.get("projects")
    if not isinstance(projects, list) or not isinstance(defaults, dict):
        return document
    merged = [merge(defaults, project) for project in projects]
    for project in merged:
        for deployment in project.get("deployments") or [] if isinstance(project, dict) else []:
            for part in ("insights", "orders") if isinstance(deployment, dict) else ():
                if part in deployment:
                    deployment[part] = merge(project.get(part) or {}, deployment[part])
    return {**document, "projects": merged}


def merge(below: Any, above: Any) -> Any:
    """`above` laid over `below`: mappings field by field, everything else as a whole; neither is changed."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {
            key: merge(below.get(key), above[key]) if key in above else below[key] for key in [*below, *above]
        }
    if isinstance(above, list):
        return [merge(None, item) for item in above]
    if isinstance(above, dict):
        return {key: merge(None, item) for key, item in above.items()}
    return above


def overwrite(part: msgspec.Struct, fields: dict[str, Any]) -> None:
    """Lay `fields` over a part of a scenario, in place, if the result is valid; raises ValidationError."""
    whole = msgspec.convert(merge(msgspec.to_builtins(part), fields), type(part))
    for name in part.__struct_fields__:
        old, new = getattr(part, name), getattr(whole, name)
        if isinstance(old, msgspec.Struct) and isinstance(new, type(old)):
            overwrite(old, fields.get(name, {}))
        else:
            setattr(part, name, new)
