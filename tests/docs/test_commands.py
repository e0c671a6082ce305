"""Every command in README and the docs can be given as it stands there.

Most run: those of `airflow` in tests/airflow/test_docs.py, those to the sandbox here, the make targets in CI.
What needs an account, Docker, or a cluster is compared with the files that it names.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from fnmatch import fnmatch
from itertools import pairwise
from typing import Any

import pytest
import yaml
from airflow.sdk import Connection

from quantconnect_provider import __version__
from quantconnect_provider.sandbox import Sandbox
from tests.docs.pages import BLOCKS, ROOT, Block, blocks, commands

COMMANDS = [
    pytest.param(command, id=f"{block}: {command[:50]}")
    for block in blocks("console")
    for command in commands(block)
]
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
# Targets that CI does not run as such, and what runs them.
TARGETS_ELSEWHERE = {
    "up": "tests/dev/test_up.py",
    "down": "tests/dev/test_up.py",
    "compose-env": "tests/distributed/test_compose_env.py",
    "pythons": "tests/dev/test_pythons.py",
}
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))
RUN_AGAINST_THE_SANDBOX = ("curl ", "qc")


def _make(words: list[str]) -> None:
    targets_of_ci = re.findall(r"for target in (.*); do", CI)[0].split()
    for target in words[1:]:
        if target not in targets_of_ci:
            assert (ROOT / TARGETS_ELSEWHERE[target]).is_file()
        assert re.search(rf"(?m)^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"))


def _docker(words: list[str]) -> None:
    if words[1] in ("build", "push"):
        assert (ROOT / "Dockerfile").is_file()
        return
    profiles = {
        profile for service in COMPOSE["services"].values() for profile in service.get("profiles", [])
    }
    assert words[1] == "compose"
    assert "up" in words
    for option, value in pairwise(words):
        if option == "--profile":
            assert value in profiles
        if option == "--scale":
            assert value.partition("=")[0] in COMPOSE["services"]
    options = {word for word in words if word.startswith("-")}
    assert options <= {"--profile", "--scale", "-d", "--build"}


def _kubectl(words: list[str]) -> None:
    script = words[-1].removeprefix("/opt/airflow/")
    assert (ROOT / script).is_file()
    assert script.partition("/")[0] in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def _pip(words: list[str]) -> None:
    assert fnmatch(f"dist/airflow_provider_quantconnect-{__version__}-py3-none-any.whl", words[2])
    assert "wheel" in CI


def _copy(words: list[str]) -> None:
    assert list(ROOT.glob(words[1]))


def _python(words: list[str]) -> None:
    assert words[1] == "-m"
    assert importlib.util.find_spec(words[2]) is not None


def _paths(words: list[str]) -> None:
    assert [word for word in words if "/" in word and not (ROOT / word).exists()] == []


def _git(words: list[str]) -> None:
    assert words[1] in ("clone", "pull")


def _export(command: str) -> None:
    done = subprocess.run(
        ["bash", "-euc", f"{command}\nenv -0"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    variables = dict(line.split("=", 1) for line in done.stdout.split("\0") if line.startswith("AIRFLOW"))
    assert variables
    for name, value in variables.items():
        if name.startswith("AIRFLOW_CONN_"):
            assert Connection.from_json(value).conn_type in ("quantconnect", "quantconnect_brokerage")


def _runs_elsewhere(words: list[str]) -> None:
    """Nothing to do: tests/airflow/test_docs.py runs each `airflow` command of the same pages."""


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "airflow": _runs_elsewhere,
    "make": _make,
    "docker": _docker,
    "kubectl": _kubectl,
    "pip": _pip,
    "cp": _copy,
    "python": _python,
    "python3": _python,
    "cd": _runs_elsewhere,
    ".venv/bin/pytest": _paths,
    "bash": _paths,
    "git": _git,
}


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, quantconnect_sandbox: Sandbox) -> None:
    if command.startswith(RUN_AGAINST_THE_SANDBOX):
        return  # run below, as a whole block
    if command.startswith("export "):
        _export(command)
        return
    for part in command.split(" && "):
        words = shlex.split(part, comments=True)
        assert words[0] in CHECKS, "a new kind of command: say here what checks or runs it"
        CHECKS[words[0]](words)


@pytest.mark.parametrize(
    "block",
    [
        block
        for block in blocks("console")
        if any(command.startswith(RUN_AGAINST_THE_SANDBOX) for command in commands(block))
    ],
    ids=str,
)
def test_requests_to_the_sandbox_succeed(block: Block, quantconnect_sandbox: Sandbox) -> None:
    script = "\n".join(commands(block)).replace("5612", str(quantconnect_sandbox.port))
    script = script.replace("sandbox:%s", f"{quantconnect_sandbox.api_token}:%s")

    done = subprocess.run(
        ["bash", "-euo", "pipefail"], input=script, text=True, capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr
    answers = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert answers
    assert [answer for answer in answers if '"result"' not in answer and '"success":true' not in answer] == []


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    kinds = {"", "console", "python", "yaml", "sql"}

    assert [str(block) for block in BLOCKS if block.language not in kinds] == []
    hidden = [str(block) for block in blocks("") if re.search(r"(?m)^\$ ", block.text)]
    assert hidden == [], "commands belong into a console block"


def test_yaml_is_valid() -> None:
    loaded: list[Any] = [yaml.safe_load(block.text) for block in blocks("yaml")]

    assert loaded
    assert [value for value in loaded if not isinstance(value, (dict, list))] == []
