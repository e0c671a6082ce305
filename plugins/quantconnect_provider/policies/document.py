"""Reads YAML (and so JSON) into lists, objects and plain values, and knows on which line each one is.

Only PyYAML's safe loader sees the text, and no value is made by it: ``on`` and ``22:00:00`` stay the texts
that they are in JSON, and no tag makes an object.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from quantconnect_provider.client.errors import InvalidSettingError

LARGEST_BYTES = 65_536
_LONGEST_PROBLEM = 250

_CONSTANTS = {"": None, "~": None, "null": None, "true": True, "false": False}
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,29})")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TAGS = ("str", "int", "float", "bool", "null", "timestamp", "seq", "map", "merge", "value")
_KNOWN_TAGS = {f"tag:yaml.org,2002:{name}" for name in _TAGS}


class Document:
    """A text that was read.

    :param value: what it holds.
    """

    def __init__(self, text: str, source: str) -> None:
        """Read *text*.

        :param source: what to call it in errors.
        :raises InvalidSettingError: naming the line: no YAML, a key twice, an anchor, too long or too deep.
        """
        self.source = source
        self._lines: dict[str, int] = {}
        self._nodes: set[int] = set()
        if len(text.encode("utf-8", "surrogatepass")) > LARGEST_BYTES:
            raise self.error(f"it is longer than {LARGEST_BYTES // 1024} KiB", advice="Shorten it.")
        self.value = self._read(text)

    def error(
        self, problem: str, path: str = "", advice: str = "See docs/policies.md."
    ) -> InvalidSettingError:
        """Return an error that names the line of *path*, which is written like ``[0].projects``."""
        return self._error(problem, self.line(path), advice)

    def line(self, path: str) -> int | None:
        """Return the line of a value, or of the nearest one around it that is there."""
        while path and path not in self._lines:
            path = path[: max(path.rfind("."), path.rfind("["))]
        return self._lines.get(path)

    def _error(self, problem: str, line: int | None, advice: str) -> InvalidSettingError:
        where = self.source if line is None else f"{self.source}, line {line}"
        shown = problem if len(problem) <= _LONGEST_PROBLEM else f"{problem[:_LONGEST_PROBLEM]}..."
        return InvalidSettingError(f"{where}: {shown}.", advice=advice)

    def _read(self, text: str) -> Any:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)  # makes nodes, no objects
            return None if root is None else self._plain(root, "")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            problem = f"this is no YAML: {error.problem}"
            raise self._error(problem, mark.line + 1 if mark else None, "Correct it.") from None
        except yaml.YAMLError:
            raise self.error("it holds a character that YAML does not take", advice="Remove it.") from None
        except RecursionError:
            raise self.error("it is nested too deeply") from None

    def _plain(self, node: yaml.Node, path: str) -> Any:
        line = node.start_mark.line + 1
        if path:
            self._lines.setdefault(path, line)
        if id(node) in self._nodes:
            raise self._error("an alias (*name) is not taken", line, "Write the value again.")
        self._nodes.add(id(node))
        if node.tag not in _KNOWN_TAGS:
            raise self._error("a tag (!name) is not taken", line, "Take it out.")
        if isinstance(node, yaml.MappingNode):
            return self._object(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(entry, f"{path}[{index}]") for index, entry in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)  # noqa: S101 - there are three kinds of nodes
        return _scalar(self._text(node), quoted=node.style is not None)

    def _text(self, node: yaml.ScalarNode) -> str:
        # JSON may escape a character as two halves, which YAML takes for two characters.
        try:
            return str(node.value).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            problem = "half of a character (a surrogate) is not taken"
            raise self._error(problem, node.start_mark.line + 1, "Write the character itself.") from None

    def _object(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self._error("a key is not text", line, "Write it like name: value.")
            name = self._text(key)
            if name in found:
                raise self._error(f"{name[:40]} is there twice", line, "Keep one of them.")
            self._lines[f"{path}.{name}"] = line
            found[name] = self._plain(value, f"{path}.{name}")
        return found


def _scalar(text: str, *, quoted: bool) -> Any:
    """Return the value of JSON that a scalar spells; what is quoted, and all else, is text."""
    if quoted:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    return number if math.isfinite(number) else text
