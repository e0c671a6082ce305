"""`make conformance`: QuantConnect's own command-line client (PyPI `lean`) works against the sandbox.

The client is the judge: its commands and, where there is no command, its API classes parse every answer.
It runs in an environment of its own, .venv-lean, with a home folder of its own, and reaches only the sandbox.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from dev.console import fail, say
from dev.ports import is_free
from dev.processes import wait_until
from dev.settings import SANDBOX_PORT, SANDBOX_TOKEN, SANDBOX_USER
from dev.venv import ROOT, Environment, child_environment, ensure
from quantconnect_provider.sandbox.process import SandboxProcess

CONFORMANCE = ROOT / "conformance"
LEAN = Environment(path=ROOT / ".venv-lean", base="lean")
PROJECT, ORGANIZATION = "23456002", "5cad178b20a1d52567b534553413b691"  # of the sandbox's default scenario
# Which brokerages there are the client reads from a file that it downloads when there is none beside its
# package. Paper trading is all that is needed here.
PAPER_MODULE = {
    "id": "QuantConnectBrokerage",
    "display-id": "Paper Trading",
    "type": ["brokerage", "data-queue-handler"],
    "platform": ["cloud"],
    "configurations": [],
    "live-cash-balance-state": "optional",
    "live-holdings-state": "optional",
}
SETTLED_WITHIN_SECONDS = 60


class LeanClient:
    """Runs the installed client in a folder and with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            **child_environment(),
            "HOME": str(folder),
            "QC_API": "local",
            "NO_PROXY": "localhost,127.0.0.1",
            "COLUMNS": "200",
        }
        now = time.time()
        checked = {"last-update-check-cli": now, "last-update-check-announcements": now}
        self._write(".lean/cache", checked)  # it would otherwise look for news on the web
        self._write(".lean/config", {"database-update-frequency": "1.00:00:00"})
        self._write(
            "lean.json",
            {
                "organization-id": ORGANIZATION,
                "data-folder": "data",
                "file-database-last-update": time.strftime("%m/%d/%Y %H:%M:%S"),
            },
        )

    def _write(self, name: str, content: dict[str, Any]) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")

    def use_modules(self, modules: list[dict[str, Any]]) -> None:
        """Place the list of brokerage modules beside the client's package, as fresh as a downloaded one."""
        packages = next((LEAN.path / "lib").glob("python*/site-packages/lean"))
        (packages / "modules-1.14.json").write_text(json.dumps({"modules": modules}), encoding="utf-8")

    def run(self, *command: str | Path) -> tuple[int, str]:
        """Run a program of the client's environment; its exit status and all that it said."""
        done = subprocess.run(
            [LEAN.path / "bin" / command[0], *command[1:]],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout

    def command(self, *arguments: str) -> str:
        """Run `lean ...`, which must succeed, and return what it said."""
        status, said = self.run("lean", *arguments)
        if status != 0:
            fail(f"`lean {' '.join(arguments)}` ended with status {status}:\n\n{said}")
        return said

    def ask(self, *arguments: str) -> dict[str, Any]:
        """Run one action of lean_session.py and return its result."""
        status, said = self.run("python", CONFORMANCE / "lean_session.py", *arguments)
        if status != 0:
            fail(f"lean's API classes could not `{' '.join(arguments)}`:\n\n{said}")
        result: dict[str, Any] = json.loads(said.splitlines()[-1])
        return result


class Check:
    """The steps, each printed; the first one that is not as it must be ends the program with status 1."""

    def __init__(self, client: LeanClient) -> None:
        self._lean = client
        self._step = 0

    def report(self, what: str, saw: object) -> None:
        """Print one step that went well."""
        self._step += 1
        say(f"  {self._step:2}. {what:<44} {saw}")

    def expect(self, what: str, saw: object, *wanted: object) -> None:
        """Print one step, and fail unless what was seen is one of the wanted."""
        if saw not in wanted:
            fail(f"{what}: lean saw {saw!r}, and it should be {' or '.join(map(repr, wanted))}")
        self.report(what, "yes" if saw is True else saw)

    def authenticate(self) -> None:
        """Log in with the right token, and be refused with a wrong one."""
        status, said = self._lean.run("lean", "login", "--user-id", SANDBOX_USER, "--api-token", "wrong")
        refused = status != 0 and "Credentials are invalid" in said
        self.expect("lean login with a wrong token", "refused" if refused else said, "refused")
        said = self._lean.command("login", "--user-id", SANDBOX_USER, "--api-token", SANDBOX_TOKEN)
        self.expect("lean login", said.strip().splitlines()[-1], "Successfully logged in")

    def look_around(self) -> None:
        """Read the project and the nodes."""
        project = self._lean.ask("project", PROJECT, ORGANIZATION)
        self.expect("projects/read", project["id"], int(PROJECT))
        nodes = self._lean.ask("nodes", ORGANIZATION)
        self.expect("nodes/read: a node is free", "free" in nodes.values(), True)

    def start_by_classes(self) -> str:
        """Compile and start with the API classes; returns the deployment's id."""
        started = self._lean.ask("start", PROJECT, ORGANIZATION)
        self.expect("compile/create, compile/read", started["build"], "BuildSuccess")
        self.report("live/create", started["deploy_id"])
        return str(started["deploy_id"])

    def start_by_command(self) -> str:
        """Compile and start with `lean cloud live deploy`; returns the deployment's id."""
        node = next(name for name, state in self._lean.ask("nodes", ORGANIZATION).items() if state == "free")
        options = {
            "--brokerage": "Paper Trading",
            "--data-provider-live": "Paper Trading",
            "--node": node,
            "--auto-restart": "no",
            "--notify-order-events": "no",
            "--notify-insights": "no",
            "--live-cash-balance": "USD:50000",
        }
        pairs = [text for pair in options.items() for text in pair]
        said = self._lean.command("cloud", "live", "deploy", PROJECT, *pairs)
        self.expect("lean cloud live deploy", f"/{PROJECT}/live" in said, True)
        return str(self._lean.ask("live", PROJECT)["deploy_id"])

    def until(self, deploy_id: str, *wanted: str) -> None:
        """Read the deployment until it has a wanted status; `lean cloud status` must say the same."""
        ways: list[str] = []

        def settled() -> bool:
            live = self._lean.ask("live", PROJECT)
            if live["deploy_id"] != deploy_id:
                fail(f"live/read names {live['deploy_id']} instead of {deploy_id}")
            if live["status"] not in ways:
                ways.append(live["status"])
            return live["status"] in wanted

        wait_until(settled, SETTLED_WITHIN_SECONDS, every=0.2)
        self.expect(f"live/read until {' or '.join(wanted)}", ways[-1], *wanted)
        said = self._lean.command("cloud", "status", PROJECT)
        self.expect("lean cloud status says the same", f"Live status: {ways[-1]}" in said, True)

    def end(self, command: str, deploy_id: str, *wanted: str) -> None:
        """Stop or liquidate by command, and wait until it is over."""
        said = self._lean.command("cloud", "live", command, PROJECT)
        self.expect(f"lean cloud live {command}", "command executed successfully" in said, True)
        self.until(deploy_id, *wanted)


def main() -> None:
    """Run every step; ends with status 0 only when all went well."""
    ensure(LEAN, set(), "QuantConnect's command-line client")
    if not is_free(SANDBOX_PORT):
        fail(f"port {SANDBOX_PORT} is taken, and the client knows no other; is `make up` running?")
    with tempfile.TemporaryDirectory() as folder, SandboxProcess(port=SANDBOX_PORT) as sandbox:
        client = LeanClient(Path(folder))
        client.use_modules([])
        say(f"lean {client.command('--version').split()[-1]} against the sandbox at {sandbox.base_url}")
        check = Check(client)
        check.authenticate()
        check.look_around()
        first = check.start_by_classes()
        check.until(first, "Running")
        check.end("stop", first, "Stopped")
        client.use_modules([PAPER_MODULE])
        second = check.start_by_command()
        check.expect("a new deployment", second != first, True)
        check.until(second, "Running")
        check.report("live/portfolio/read", client.ask("portfolio", PROJECT))
        check.end("liquidate", second, "Liquidated", "Stopped")
    say("Conformance: every step was as QuantConnect's client expects.")


if __name__ == "__main__":
    main()
