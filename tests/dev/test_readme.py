"""What README names exists: tests, pages, make targets, and the example that the operators' page proves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("file", "test"), sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", README))))
def test_each_named_test_exists(file: str, test: str) -> None:
    assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")


def test_each_row_of_what_happens_if_names_a_test() -> None:
    rows = README.split("| What happens if")[1].split("\n\n")[0].splitlines()[2:]
    assert rows
    assert [row for row in rows if "::test_" not in row] == []


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([\w./-]+)", README))))
def test_each_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"(?m)^\s*\$ make ([\w-]+)|`make ([\w-]+)`", README)))
)
def test_each_make_target_exists(target: tuple[str, str]) -> None:
    assert re.search(rf"(?m)^{target[0] or target[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"))


def test_the_example_is_the_one_that_is_run() -> None:
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    [dag] = [example for example in examples if "with DAG(" in example]
    assert dag in (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
