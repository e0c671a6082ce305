"""The lock files say every version and hash, agree with constraints.txt and cover pyproject.toml."""

from __future__ import annotations

import re
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dev import constraints
from dev.constraints import CONSTRAINTS, EXTRAS, TOOLS, entries
from dev.venv import LOCKS

PROJECT = metadata("airflow-provider-quantconnect")
PROVIDER = ("base", *EXTRAS)
FILES = sorted(LOCKS.glob("*.txt"))


def pins(text: str) -> dict[str, set[str]]:
    """The versions that a lock or constraints file gives each package, one for some Pythons perhaps."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([^\s#=]+)==([^\s;]+)", text, flags=re.MULTILINE):
        found.setdefault(canonicalize_name(name.partition("[")[0]), set()).add(version)
    return found


def locked(name: str) -> dict[str, set[str]]:
    return pins((LOCKS / f"{name}.txt").read_text(encoding="utf-8"))


def wanted(extra: str) -> list[Requirement]:
    asked = [Requirement(line) for line in PROJECT.get_all("Requires-Dist", [])]
    return [each for each in asked if each.marker is None or each.marker.evaluate({"extra": extra})]


def test_there_is_a_lock_file_for_everything_that_can_be_installed() -> None:
    assert set(EXTRAS) == set(PROJECT.get_all("Provides-Extra", []))
    assert {path.stem for path in FILES} == {*PROVIDER, *TOOLS}


@pytest.mark.parametrize("extra", PROVIDER)
def test_a_lock_file_covers_what_pyproject_asks_for(extra: str) -> None:
    versions = locked("base") | locked(extra)
    for requirement in wanted(extra):
        found = versions.get(canonicalize_name(requirement.name), set())
        assert found, f"{requirement.name}: run make lock"
        assert all(requirement.specifier.contains(version) for version in found), requirement


@pytest.mark.parametrize("extra", PROVIDER)
def test_a_lock_file_has_the_versions_of_the_constraints(extra: str) -> None:
    tested = pins(CONSTRAINTS.read_text(encoding="utf-8"))
    differing = {name: found for name, found in locked(extra).items() if not found <= tested.get(name, set())}
    assert differing == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_package_has_a_hash_and_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert entries(text)
    for entry in entries(text):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry
    assert "://" not in text + CONSTRAINTS.read_text(encoding="utf-8")
    assert "--index" not in text
    assert "--find-links" not in text


def test_an_extra_repeats_nothing_of_the_base() -> None:
    base = set(entries((LOCKS / "base.txt").read_text(encoding="utf-8")))
    for extra in EXTRAS:
        assert base.isdisjoint(entries((LOCKS / f"{extra}.txt").read_text(encoding="utf-8"))), extra


def test_a_version_that_does_not_exist_fails_with_the_resolvers_words(tmp_path: Path, capsys) -> None:
    resolver = tmp_path / "uv"
    resolver.write_text("#!/bin/sh\necho 'no version of nothing==9 is there' >&2\nexit 1\n", encoding="utf-8")
    resolver.chmod(0o700)

    with pytest.raises(SystemExit):
        constraints.resolve(resolver, "pyproject.toml")

    assert "no version of nothing==9 is there" in capsys.readouterr().err
