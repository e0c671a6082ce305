"""Changes to the JSON of an answer: any field missing, null, of another type, huge, twice, endless."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.fuzz.answer import Answer

MARK = "the mutated value"
MEGABYTE = 1_000_000
Path = tuple[str | int, ...]


def paths_of(value: Any, here: Path = ()) -> list[Path]:
    """The place of every value below *value*, in order."""
    found: list[Path] = []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in inner:
        found += [(*here, key), *paths_of(entry, (*here, key))]
    return found


def _parent(document: Any, path: Path) -> Any:
    for step in path[:-1]:
        document = document[step]
    return document


def _drop(parent: Any, key: Any, value: str) -> None:
    del parent[key]


def _put(parent: Any, key: Any, value: str) -> None:
    parent[key] = MARK  # replaced by the text of the value, byte for byte


def _rename(parent: Any, key: Any, value: str) -> None:
    if isinstance(parent, dict):
        parent[f"{key}{value}"] = parent.pop(key)


def _twice(parent: Any, key: Any, value: str) -> None:
    if isinstance(parent, list):
        parent.insert(key, parent[key])
    else:
        parent[f"{key} again"] = parent[key]


def _wrap(parent: Any, key: Any, value: str) -> None:
    parent[key] = [parent[key]]


def _as_text(parent: Any, key: Any, value: str) -> None:
    parent[key] = json.dumps(parent[key])


def _same_ids(parent: Any, key: Any, value: str) -> None:
    """Give every row of the list the ids of the first."""
    rows = parent[key]
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        for row in rows[1:]:
            if isinstance(row, dict):
                row.update({name: rows[0][name] for name in ("id", "deployId") if name in rows[0]})


def _longer(parent: Any, key: Any, value: str) -> None:
    rows = parent[key]
    if isinstance(rows, list) and rows:
        parent[key] = (rows * (500 // len(rows) + 1))[:500]


def _shorter(parent: Any, key: Any, value: str) -> None:
    if isinstance(parent[key], list):
        parent[key] = parent[key][: len(parent[key]) // 2]


def _reverse(parent: Any, key: Any, value: str) -> None:
    if isinstance(parent[key], list):
        parent[key] = parent[key][::-1]


CHANGES: dict[str, Callable[[Any, Any, str], None]] = {
    "drop": _drop,
    "put": _put,
    "rename": _rename,
    "twice": _twice,
    "wrap": _wrap,
    "as_text": _as_text,
    "same_ids": _same_ids,
    "longer": _longer,
    "shorter": _shorter,
    "reverse": _reverse,
}

VALUES: dict[str, Callable[[str], bytes]] = {
    "json": lambda text: text.encode("utf-8", "surrogatepass"),
    "megabytes": lambda text: json.dumps("x" * MEGABYTE * int(text)).encode(),
    "deep_list": lambda text: b"[" * int(text) + b"]" * int(text),
    "deep_object": lambda text: b'{"a":' * int(text) + b"1" + b"}" * int(text),
    "wide_object": lambda text: json.dumps(dict.fromkeys(map(str, range(int(text))), 1)).encode(),
    "wide_list": lambda text: json.dumps([None] * int(text)).encode(),
    "digits": lambda text: b"9" * int(text),
}
"""How a value that is put somewhere is written, from a short text."""


def change_content(answer: Answer, kind: str, at: int, value: str, secrets: str) -> Path | None:
    """Change the value at place *at* (counted through the document) and return its path.

    :param value: ``kind of value:text``; ``secrets:`` is the request itself.
    """
    try:
        document = json.loads(answer.body)
    except ValueError:
        return None
    paths = paths_of(document)
    if not paths:
        return None
    path = paths[at % len(paths)]
    CHANGES[kind](_parent(document, path), path[-1], value)
    name, _, text = value.partition(":")
    raw = json.dumps(secrets).encode() if name == "secrets" else VALUES[name](text) if kind == "put" else b""
    answer.body = json.dumps(document).encode().replace(json.dumps(MARK).encode(), raw)
    return path
