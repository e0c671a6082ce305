"""`make audit` fails for what its tools find, and says so when one of them had nothing to go by."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dev import audit
from dev.venv import Environment

CODE = {"metrics": {"_totals": {"loc": 10}}, "results": []}
WEAK_CODE = CODE | {
    "results": [{"filename": "a.py", "line_number": 3, "test_id": "B602", "issue_text": "a shell"}]
}
SECRET = {"results": {"a.py": [{"hashed_secret": "5e", "line_number": 7, "type": "Private Key"}]}}
SKIPPED = {"dependencies": [{"name": "airflow", "skip_reason": "not found"}]}
SOUND = {"dependencies": [{"name": "airflow", "version": "3.3.2", "vulns": []}]}
WEAK = {
    "dependencies": [
        {"name": "airflow", "version": "3.3.2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.3.3"]}]}
    ]
}


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts programs in place of the tools that print what is given, and finds nothing where nothing is."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(audit, "TOOLS", Environment(tmp_path, base="audit"))
    monkeypatch.setattr(audit, "ensure", lambda *_: None)
    monkeypatch.setattr(audit, "ALLOWED", tmp_path / "allowed")

    def say(code: Any = CODE, secrets: Any = None, packages: Any = SOUND, allowed: Any = None) -> None:
        nothing = {"results": {}}
        answers = {"bandit": code, "detect-secrets": secrets or nothing, "pip-audit": packages}
        for name, answer in answers.items():
            path = tmp_path / "bin" / name
            path.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(answer)}\nEND\nexit 1\n", encoding="utf-8")
            path.chmod(0o700)
        (tmp_path / "allowed").write_text(json.dumps(allowed or nothing), encoding="utf-8")

    return say


def test_nothing_found_is_success(tools: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    tools()
    audit.main()
    assert "1 of 1 packages, 0 known weaknesses" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("found", "named"),
    [
        ({"code": WEAK_CODE}, "a.py:3: B602 a shell"),
        ({"secrets": SECRET}, "a.py:7: Private Key"),
        ({"packages": WEAK}, "airflow 3.3.2: PYSEC-1, fixed in ['3.3.3']"),
    ],
)
def test_what_a_tool_finds_fails_the_audit(
    tools: Callable[..., None], capsys: pytest.CaptureFixture[str], found: dict[str, Any], named: str
) -> None:
    tools(**found)
    with pytest.raises(SystemExit):
        audit.main()
    assert named in capsys.readouterr().err


def test_an_example_that_is_known_is_no_finding(tools: Callable[..., None]) -> None:
    tools(secrets=SECRET, allowed=SECRET)
    audit.main()


def test_the_same_file_with_another_secret_is_a_finding(tools: Callable[..., None]) -> None:
    other = {"results": {"a.py": [{"hashed_secret": "6f", "line_number": 7, "type": "Private Key"}]}}
    tools(secrets=SECRET, allowed=other)
    with pytest.raises(SystemExit):
        audit.main()


def test_without_advisories_it_says_that_the_packages_were_not_audited(
    tools: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    tools(packages=SKIPPED)
    audit.main()
    assert "pip-audit        NOT RUN: no advisory data for any of 1 packages" in capsys.readouterr().out


def test_a_tool_that_breaks_fails_the_audit(tools: Callable[..., None], tmp_path: Path) -> None:
    tools()
    (tmp_path / "bin" / "bandit").write_text("#!/bin/sh\necho broken >&2\nexit 2\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        audit.main()
