"""`make up`: Airflow's components and, without an account, the sandbox, in the background on loopback."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from dev import processes
from dev.api import AirflowApi, answers
from dev.console import fail, say, step, tail
from dev.ports import LOOPBACK, free_port, is_free
from dev.settings import (
    LOGS,
    PASSWORDS,
    PYTHON,
    RECORDS,
    SANDBOX_PORT,
    SANDBOX_TOKEN,
    SANDBOX_USER,
    USER,
    home_must_be_writable,
    login_environment,
    login_required,
    stored_password,
    up_environment,
)
from dev.tables import table
from dev.venv import ROOT
from quantconnect_provider.sandbox.process import RemoteSandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

HEALTHY_WITHIN_SECONDS = 180
COMPONENTS = {
    "api-server": ["--host", LOOPBACK],
    "scheduler": ["--skip-serve-logs"],  # its log server would listen on every address
    "dag-processor": [],
    "triggerer": ["--skip-serve-logs"],
}


def is_complete(records: Sequence[processes.Record]) -> bool:
    """Whether every component was started, and all that was started, the sandbox too, still runs."""
    started = {record.name for record in records}
    return set(COMPONENTS) <= started and all(processes.is_running(record) for record in records)


def already_up(address: str) -> bool:
    """Whether an earlier `make up` is still complete and well; the rest of a broken one is ended."""
    records = processes.read(RECORDS)
    if is_complete(records) and AirflowApi(address).is_healthy():
        return True
    if processes.all_members(records):
        with step("Ending what is left of an earlier run"):
            end_all()
    return False


def end_all() -> None:
    """End every process of ours and forget the records."""
    records = processes.read(RECORDS)
    left = processes.stop(records)
    if left:
        fail(f"these processes could not be ended: {', '.join(str(process.pid) for process in left)}")
    for record in records:
        (RECORDS / f"{record.name}.json").unlink(missing_ok=True)


def metadata(environment: Mapping[str, str], *arguments: str) -> str:
    """Run `dev.metadata` and return its last line; if it fails, print its last lines and end the program."""
    done = subprocess.run(
        [PYTHON, "-m", "dev.metadata", *arguments],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        fail(f"Airflow's database could not be prepared.\n\n{(done.stdout + done.stderr)[-3000:]}")
    return (done.stdout.splitlines() or [""])[-1]


def start_sandbox(environment: Mapping[str, str]) -> RemoteSandbox:
    """Start the local QuantConnect and store the connection to it."""
    port = free_port(SANDBOX_PORT)
    command: list[str | Path] = [PYTHON, "-m", "quantconnect_provider.sandbox", "--port", str(port)]
    command += ["--user-id", SANDBOX_USER, "--api-token", SANDBOX_TOKEN]
    sandbox = RemoteSandbox(port, int(SANDBOX_USER), SANDBOX_TOKEN)
    record = processes.start("sandbox", command, LOGS / "sandbox.log", RECORDS, environment)
    wait_for([record], lambda: answers(sandbox.base_url), HEALTHY_WITHIN_SECONDS, "The sandbox")
    metadata(environment, "connect-sandbox", str(port))
    return sandbox


def wait_for(
    records: Sequence[processes.Record], ready: Callable[[], bool], seconds: float, what: str
) -> None:
    """Wait until `ready()`; ends everything when time is over or one of the processes is gone."""
    gone: list[processes.Record] = []

    def settled() -> bool:
        gone[:] = [record for record in records if not processes.is_running(record)]
        return bool(gone) or ready()

    good = processes.wait_until(settled, seconds, every=0.5) and not gone
    if good:
        return
    end_all()
    blamed = gone[0].name if gone else records[0].name
    reason = "stopped" if gone else f"was not ready after {seconds:.0f} s"
    fail(f"{what} {reason}. The end of {LOGS / blamed}.log:\n\n{tail(LOGS / f'{blamed}.log')}")


def start_airflow(environment: Mapping[str, str], address: str, password: str | None) -> None:
    """Start the components and wait until all are well and every file in dags/ is loaded or refused."""
    api = AirflowApi(address, USER, password)
    with step("Starting Airflow"):
        records = [
            processes.start(
                name, [PYTHON, "-m", "airflow", name, *options], LOGS / f"{name}.log", RECORDS, environment
            )
            for name, options in COMPONENTS.items()
        ]
        wait_for(records, api.is_healthy, HEALTHY_WITHIN_SECONDS, "Airflow")
    with step("Loading the DAGs"):
        files = len(list((ROOT / "dags").glob("*.py")))
        wait_for(
            records, lambda: sum(api.loaded_dags()) >= files, HEALTHY_WITHIN_SECONDS, "The DAG processor"
        )


def refuse_foreign_listeners() -> None:
    """End everything when anything of ours can be reached from another machine."""
    records = processes.read(RECORDS)
    outside = {
        (ip, port) for ip, port in processes.listening_addresses(records) if ip not in (LOOPBACK, "::1")
    }
    if outside:
        end_all()
        fail(f"something listened beyond loopback, and was ended: {sorted(outside)}")


def main() -> None:
    """Bring everything up, wait until it is well, and print where it is."""
    home_must_be_writable("up")
    environment = up_environment()
    port = int(environment["AIRFLOW__API__PORT"])
    address = f"http://{LOOPBACK}:{port}"
    if already_up(address):
        say(f"Airflow is already up: {address}")
        return
    if not is_free(port):
        fail(f"port {port} is taken by another program. Another one:  AIRFLOW__API__PORT=8081 make up")
    try:
        bring_up(environment, address)
    except KeyboardInterrupt:
        end_all()
        fail("interrupted; everything was ended")


def bring_up(environment: dict[str, str], address: str) -> None:
    """Prepare the database, start every process, check them, and print the result."""
    with step("Preparing Airflow's database"):
        account = bool(json.loads(metadata(environment, "prepare"))["account"])
    login = login_required(account)
    settings, new_password = login_environment(login)
    environment.update(settings)
    sandbox = None
    if not account:
        with step("Starting the sandbox, a local QuantConnect"):
            sandbox = start_sandbox(environment)
    start_airflow(environment, address, stored_password() if login else None)
    refuse_foreign_listeners()
    say(f"\nAirflow is up: {address}")
    say(login_hint(login, new_password))
    say(sandbox_hint(sandbox) if sandbox else "It uses your QuantConnect account.")
    say("\nThe DAGs are not paused: the harvest of last night runs now, the next one tonight.")
    say("Stop it with: make down")


def login_hint(login: bool, new_password: str | None) -> str:
    """Say how to log in; a password is shown only when it was made just now."""
    if not login:
        return "No login is needed."
    known = f"with the password {new_password}" if new_password else f"; the password is in {PASSWORDS}"
    return f"Log in as {USER} {known}".replace(" ;", ";")


def sandbox_hint(sandbox: RemoteSandbox) -> str:
    """Say where the sandbox is and which projects it has."""
    rows = [(project["project_id"], project["name"]) for project in sandbox.projects()]
    return f"It uses the sandbox at {sandbox.base_url}, with these projects:\n\n{table(rows, ('id', 'name'))}"


if __name__ == "__main__":
    main()
