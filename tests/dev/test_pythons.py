"""`make pythons` counts what each Python did, says which are not here, and fails for what failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dev import pythons

# Stands for an interpreter, and for the one of the environment that it makes: a copy of itself.
INTERPRETER = """#!/bin/sh
case "$*" in
    *python_version*) echo "{version}" ;;
    *"-m venv"*) for folder; do :; done; mkdir -p "$folder/bin" && cp "$0" "$folder/bin/python" ;;
    *airflow.__version__*) echo "version {airflow}" ;;
    *"-m pip"*) {pip} ;;
    *"-m pytest"*) {suite} ;;
esac
"""
PASSED = "echo '8 passed, 1 skipped in 2.5s'"
FAILED = "printf 'FAILED tests/test_a.py::test_b\\n2 failed, 6 passed in 2.5s\\n'; exit 1"


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts interpreters into the folder of a pyenv; there is no other one, and no wheel to build."""
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(pythons.shutil, "which", lambda _: None)
    monkeypatch.setattr(pythons, "build", lambda _: tmp_path / "our.whl")
    monkeypatch.setattr(pythons, "FOLDER", tmp_path / "pythons")
    monkeypatch.setattr(pythons, "OURS", "3.11")

    def put(version: str, *, airflow: str = "3.3.2", pip: str = ":", suite: str = PASSED) -> None:
        path = tmp_path / "pyenv" / "versions" / version / "bin" / "python"
        path.parent.mkdir(parents=True)
        path.write_text(INTERPRETER.format(version=version, airflow=airflow, pip=pip, suite=suite))
        path.chmod(0o755)

    return put


def run(monkeypatch: pytest.MonkeyPatch, names: str) -> None:
    """Run the program for the environments of these names."""
    monkeypatch.setenv("PYTHONS", names)
    pythons.main()


def rows(said: str) -> dict[str, list[str]]:
    """Read the table: the cells of each environment."""
    lines = said.partition("-----\n")[2].partition("\n\n")[0].splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines}


def test_all_that_passed_is_counted(
    python: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python("3.10.9")
    python("3.10.13")
    python("3.13.0", suite="echo '1 passed in 1.0s'")

    run(monkeypatch, "3.10 3.13")

    said = capsys.readouterr().out
    assert rows(said)["3.10"][:-1] == ["3.10.13", "3.3.2", "yes", "yes", "8", "0", "1", "yes"]
    assert rows(said)["3.13"][:-1] == ["3.13.0", "3.3.2", "yes", "yes", "1", "0", "0", "yes"]
    assert said.endswith("2 of 2 good, 0 not here; 9 tests passed\n")


def test_a_missing_python_is_named(
    python: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python("3.10.13")

    run(monkeypatch, "3.10 3.12")

    said = capsys.readouterr().out
    assert rows(said)["3.12"][:2] == ["not", "here"]
    assert said.endswith("1 of 1 good, 1 not here; 8 tests passed\n")


def test_a_name_on_path_that_does_not_start_is_no_python(
    python: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    python("3.10.13")
    shim = tmp_path / "shim"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setattr(pythons.shutil, "which", lambda _: str(shim))

    run(monkeypatch, "3.10")

    assert rows(capsys.readouterr().out)["3.10"][0] == "3.10.13"


@pytest.mark.parametrize(
    ("interpreter", "row"),
    [
        ({"suite": FAILED}, ["3.3.2", "yes", "yes", "6", "2", "0", "NO"]),
        ({"suite": "echo '8 passed in 2.5s'; exit 3"}, ["3.3.2", "yes", "yes", "8", "0", "0", "NO"]),
        ({"suite": "echo Killed; exit 137"}, ["3.3.2", "yes", "yes", "0", "0", "0", "NO"]),
        ({"pip": "exit 1"}, ["-", "NO", "NO", "0", "0", "0", "NO"]),
    ],
    ids=["failed tests", "pytest itself", "killed", "not installed"],
)
def test_what_failed_ends_it_with_1(
    interpreter: dict[str, str],
    row: list[str],
    python: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    python("3.10.13", **interpreter)
    python("3.12.1")

    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "3.10 3.12")

    said = capsys.readouterr().out
    assert ended.value.code == 1
    assert rows(said)["3.10"][1:-1] == row
    assert "1 of 2 good" in said


def test_the_oldest_airflow_must_be_the_one_that_is_installed(
    python: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python("3.11.7", airflow="3.3.2")

    with pytest.raises(SystemExit):
        run(monkeypatch, "airflow-3.3.0")

    assert rows(capsys.readouterr().out)["airflow-3.3.0"][:4] == ["3.11.7", "3.3.2", "yes", "NO"]


def test_without_another_python_it_fails(
    python: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "3.10")

    assert ended.value.code == 1
    assert "no other Python is here" in capsys.readouterr().err


def test_an_unknown_name_is_refused(
    python: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, "3.9")

    said = capsys.readouterr().err
    assert "3.9" in said
    assert "3.10, 3.12, 3.13, airflow-3.3.0" in said
