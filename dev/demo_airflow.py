"""Airflow as `make demo` uses it: runs a DAG to its end, and lists the runs that guards triggered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.dag_processing.dagbag import DagBag
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.utils.db import upgradedb
from airflow.utils.session import create_session
from sqlalchemy import delete, select, update

from dev.console import fail, step, tail
from dev.quiet import output_to
from dev.venv import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_GUARDS = DagRun.run_id.startswith("guard__")


@dataclass(frozen=True)
class Triggered:
    """A run that a guard asked for."""

    run_id: str
    dag_id: str
    conf: dict[str, Any]


class Runner:
    """Runs the repository's DAGs, one after the other, each task by Airflow's task runner in this process."""

    def __init__(self, log: Path) -> None:
        self._log = log
        with step("Preparing Airflow's database"), output_to(log):
            upgradedb()
            self._bag = DagBag(ROOT / "dags")
        if self._bag.import_errors:
            fail(f"DAG files that cannot be loaded: {self._bag.import_errors}")

    def run(self, dag_id: str, **params: Any) -> None:
        """Run a DAG to its end; ends the program when it is not a success."""
        with step(f"Running {dag_id}"), output_to(self._log):
            dag = self._bag.dags[dag_id]
            run = dag.test(run_conf=params)
        if run.state != "success":
            fail(f"{dag_id} ended as {run.state}. The end of {self._log}:\n\n{tail(self._log, 40)}")

    def admit_guards(self) -> None:
        """Let guards trigger the DAGs that ran already, and forget what those of the last demo triggered."""
        with create_session() as session:
            session.execute(update(DagModel).values(is_paused=False))
            session.execute(delete(DagRun).where(_GUARDS))

    def triggered(self) -> list[Triggered]:
        """List the runs that guards asked for; there is no scheduler here that starts them."""
        with create_session() as session:
            found = session.scalars(select(DagRun).where(_GUARDS).order_by(DagRun.run_id))
            return [Triggered(run.run_id, run.dag_id, dict(run.conf or {})) for run in found]
