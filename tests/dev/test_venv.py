"""The environment of the make targets: made on a bare python3, and only when something changed."""

from __future__ import annotations

import ensurepip
import hashlib
import json
import stat
import subprocess
import sys
import venv as stdlib_venv
import zipfile
from pathlib import Path

import pytest

from dev import venv
from dev.venv import Environment

BUNDLED = Path(ensurepip.__file__).parent / "_bundled"
NAME = "nothing_at_all"


def write_wheel(folder: Path) -> str:
    """Write the wheel of a package with one module; returns its hash."""
    info = f"{NAME}-1.0.dist-info"
    content = {
        f"{NAME}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    path = folder / f"{NAME}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in content.items():
            wheel.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment with one package, which needs no index."""
    locks, wheels = tmp_path / "requirements", tmp_path / "wheels"
    locks.mkdir()
    wheels.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", f"{wheels} {BUNDLED}")
    digest = write_wheel(wheels)
    (locks / "base.txt").write_text(f"{NAME}==1.0 --hash=sha256:{digest}\n", encoding="utf-8")
    for extra in ("dev", "postgres"):
        (locks / f"{extra}.txt").write_text("# nothing more\n", encoding="utf-8")
    return Environment(tmp_path / "env", base="base", locks=locks)


@pytest.fixture
def made(environment: Environment) -> Environment:
    """An environment that counts as installed, quick to make."""
    stdlib_venv.create(environment.path, with_pip=False, system_site_packages=True, symlinks=True)
    inputs = venv.digest(environment.inputs(["dev"]))
    stamp = {"path": str(environment.path), "inputs": inputs, "extras": ["dev"]}
    environment.stamp.write_text(json.dumps(stamp), encoding="utf-8")
    return environment


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Record the extras of each installation instead of installing."""
    calls: list[set[str]] = []
    monkeypatch.setattr(venv, "install", lambda _environment, extras: calls.append(extras))
    return calls


def test_a_new_environment_has_the_package_and_its_bytecode(environment: Environment, capsys) -> None:
    venv.ensure(environment, set(), "a package")

    cached = list(environment.path.glob(f"lib/python*/site-packages/__pycache__/{NAME}.*.pyc"))
    assert cached
    assert "Making env with a package" in capsys.readouterr().out


def test_without_ensurepip_the_systems_pip_puts_pip_in(
    environment: Environment, tmp_path, monkeypatch
) -> None:
    crippled = tmp_path / "python3"
    crippled.write_text(
        f"""#!/bin/sh
case "$*" in
    *--without-pip*) ;;
    *"-m venv"*) echo "ensurepip is not available"; exit 1 ;;
esac
exec {sys.executable} "$@"
""",
        encoding="utf-8",
    )
    crippled.chmod(crippled.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr(sys, "executable", str(crippled))

    venv.create(environment)

    assert venv.usable(environment)


def test_without_venv_and_pip_the_message_says_what_to_install(environment, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(SystemExit):
        venv.create(environment)

    assert "apt install python3-venv python3-pip" in capsys.readouterr().err


def test_a_second_run_installs_nothing(made: Environment, installs: list[set[str]]) -> None:
    venv.ensure(made, {"dev"}, "all")

    assert installs == []


def test_another_extra_is_added_to_those_that_are_there(made: Environment, installs: list[set[str]]) -> None:
    venv.ensure(made, {"postgres"}, "all")

    assert installs == [{"dev", "postgres"}]


@pytest.mark.parametrize("name", ["base", "dev"])
def test_a_changed_lock_file_installs_again_with_the_extras_that_are_there(made, installs, name) -> None:
    (made.locks / f"{name}.txt").write_text("# changed\n", encoding="utf-8")

    venv.ensure(made, set(), "all")

    assert installs == [{"dev"}]


def test_the_lock_file_of_another_extra_changes_nothing(made: Environment, installs: list[set[str]]) -> None:
    (made.locks / "postgres.txt").write_text("# changed\n", encoding="utf-8")

    venv.ensure(made, set(), "all")

    assert installs == []


def test_a_failed_installation_is_tried_again_by_the_next_run(made, monkeypatch) -> None:
    def failing(_environment: Environment, _extras: set[str]) -> None:
        raise SystemExit(1)

    monkeypatch.setattr(venv, "install", failing)
    with pytest.raises(SystemExit):
        venv.ensure(made, {"postgres"}, "all")

    assert venv.read_stamp(made) == {}


def test_a_copied_environment_counts_as_nothing_installed(made: Environment, tmp_path: Path) -> None:
    copy = Environment(tmp_path / "copy", base="base", locks=made.locks)
    copy.path.mkdir()
    copy.stamp.write_bytes(made.stamp.read_bytes())

    assert venv.read_stamp(copy) == {}


def test_pips_words_are_shown_when_it_fails(environment: Environment, capsys) -> None:
    lock = environment.locks / "base.txt"
    lock.write_text(f"no-such-package-anywhere==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")

    with pytest.raises(SystemExit):
        venv.ensure(environment, set(), "nothing")

    assert "no-such-package-anywhere" in capsys.readouterr().err


def test_a_package_with_another_hash_is_refused(environment: Environment, capsys) -> None:
    lock = environment.locks / "base.txt"
    lock.write_text(f"{NAME}==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")

    with pytest.raises(SystemExit):
        venv.ensure(environment, set(), "nothing")

    assert "a package is not the one that was tested: its hash is not in requirements/" in (
        capsys.readouterr().err
    )
    assert not list(environment.path.rglob(f"{NAME}.py"))


def test_a_package_without_a_hash_is_refused(environment: Environment, capsys) -> None:
    (environment.locks / "base.txt").write_text(f"{NAME}==1.0\n", encoding="utf-8")

    with pytest.raises(SystemExit):
        venv.ensure(environment, set(), "nothing")

    assert not list(environment.path.rglob(f"{NAME}.py"))


def test_a_python_that_airflow_does_not_support_is_named(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(SystemExit):
        venv.choose_python()

    assert "python3 is 3.9, and Airflow needs 3.10 to 3.13" in capsys.readouterr().err


def test_child_processes_may_write_bytecode(monkeypatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    assert "PYTHONDONTWRITEBYTECODE" not in venv.child_environment()


def test_the_programs_for_a_bare_python_import_nothing_else() -> None:
    program = "import sys, dev.venv, dev.constraints; print('psutil' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=venv.ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
