"""The sandbox as a child process of a make target, ended with it."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dev.api import answers
from dev.console import fail, tail
from dev.ports import LOOPBACK
from dev.processes import wait_until
from dev.settings import PYTHON, SANDBOX_TOKEN, SANDBOX_USER
from dev.venv import ROOT, child_environment
from quantconnect_provider.sandbox.control.verbs import ControlVerbs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READY_WITHIN_SECONDS = 60.0


def sandbox_command(port: int) -> list[str | Path]:
    """Return the command that serves the local QuantConnect on a loopback port."""
    account = ["--user-id", SANDBOX_USER, "--api-token", SANDBOX_TOKEN]
    return [PYTHON, "-m", "quantconnect_provider.sandbox", "--port", str(port), *account]


def sandbox_address(port: int) -> str:
    """Return the API's base URL of the sandbox on a port."""
    return f"http://{LOOPBACK}:{port}/api/v2"


@contextmanager
def running_sandbox(port: int, log: Path) -> Iterator[str]:
    """Run the sandbox for the length of a block; gives its base URL. What it prints goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            sandbox_command(port),
            cwd=ROOT,
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        address = sandbox_address(port)
        wait_until(lambda: process.poll() is not None or answers(address), READY_WITHIN_SECONDS)
        if process.poll() is not None or not answers(address):
            fail(f"the sandbox did not start. The end of {log}:\n\n{tail(log)}")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Controls(ControlVerbs):
    """The sandbox's own controls over HTTP: what an account's owner could neither see nor change."""

    def __init__(self, address: str) -> None:
        """Take the API's base URL; the controls lie beside it."""
        self._url = address.removesuffix("/api/v2") + "/sandbox"

    def _call(self, verb: str, /, **arguments: Any) -> Any:
        body = json.dumps(arguments).encode()
        request = urllib.request.Request(f"{self._url}/{verb}", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["result"]
