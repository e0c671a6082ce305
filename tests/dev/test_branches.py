"""Too few branches fail `make coverage`, whatever the lines are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dev.branches import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "report.json"


def write(report: Path, taken: int) -> None:
    totals = {"covered_branches": taken, "num_branches": 1000, "percent_covered": 99.0}
    report.write_text(json.dumps({"totals": totals}))


def test_enough_branches_are_told(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(report, 950)
    main(report)
    assert "950 of 1,000 taken, 95.0 %" in capsys.readouterr().out


def test_too_few_branches_are_a_failure(report: Path) -> None:
    write(report, 949)
    with pytest.raises(SystemExit):
        main(report)
