"""The sandbox as a process of its own, controlled over HTTP: it takes no CPU time from the tests."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import requests

from quantconnect_provider.sandbox.control import ControlVerbs, VerbError
from quantconnect_provider.sandbox.scenario import load_scenario
from quantconnect_provider.sandbox.scenario_spec import Scenario
from quantconnect_provider.sandbox.server import Addressed


class RemoteSandbox(Addressed, ControlVerbs):
    """The control verbs of a sandbox that runs already, found by its port."""

    def __init__(self, port: int, user_id: int = 1, api_token: str = "sandbox") -> None:  # noqa: S107 - meant to be known
        super().__init__(port, user_id, api_token)
        self._session = requests.Session()

    def _call(self, verb: str, /, **arguments: Any) -> Any:
        body = msgspec.json.encode(arguments, enc_hook=list)  # a range, say
        headers = {"Content-Type": "application/json"}
        response = self._session.post(f"{self.url}/sandbox/{verb}", data=body, headers=headers, timeout=60)
        answer = response.json()
        if response.status_code != 200:
            raise VerbError(answer["error"])
        return answer["result"]


class SandboxProcess(RemoteSandbox):
    """A sandbox in a child process on a free port; a context manager with the same verbs as `Sandbox`.

    :param scenario: as for :class:`.server.Sandbox`
    :raises ScenarioError: the scenario is not valid
    """

    def __init__(
        self,
        scenario: Scenario | dict[str, Any] | str | Path | None = None,
        *,
        port: int = 0,
        user_id: int = 1,
        api_token: str = "sandbox",  # noqa: S107 - a default that is meant to be known
        seed: int | None = None,
    ) -> None:
        super().__init__(port, user_id, api_token)
        self._scenario = load_scenario(scenario)
        self._seed = seed
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """The process id; raises RuntimeError when it is not running."""
        if self._process is None:
            raise RuntimeError("the sandbox is not running")
        return self._process.pid

    def start(self) -> SandboxProcess:
        """Start the process and wait until it serves; raises RuntimeError when it cannot."""
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            file.write(msgspec.json.encode(self._scenario))
            file.flush()
            command = [sys.executable, "-m", "quantconnect_provider.sandbox", "--port", str(self.port),
                       "--user-id", str(self.user_id), "--api-token", self.api_token,
                       "--scenario", file.name, "--quiet"]  # fmt: skip
            command += [] if self._seed is None else ["--seed", str(self._seed)]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
            stdout = self._process.stdout
            line = stdout.readline() if stdout is not None else ""
        if "http://" not in line:
            self.stop()
            raise RuntimeError(f"the sandbox did not start: {line.strip() or 'see its error output'}")
        self.port = int(line.split("http://")[1].split("/")[0].split(":")[1])
        return self

    def stop(self) -> None:
        """End the process."""
        self._session.close()
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def __enter__(self) -> SandboxProcess:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
