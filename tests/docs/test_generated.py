"""The parts of the docs that follow from the code are up to date; `make generate` writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev import diagram, generate


@pytest.mark.parametrize("path", sorted(generate.generated()), ids=lambda path: path.name)
def test_generated_file_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generate.generated()[path], "run make generate"


def test_architecture_page_describes_each_package() -> None:
    page = (generate.ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = "".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))

    assert {name for name in diagram.imports() if f"`{name}`" not in table} == set()


def test_diagram_keeps_an_arrow_that_no_other_arrows_imply() -> None:
    edges = {"a": {"b", "c"}, "b": {"c"}, "c": set(), "d": {"c"}}

    assert diagram.reduced(edges) == [("a", "b"), ("b", "c"), ("d", "c")]
