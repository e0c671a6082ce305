"""What the harvest survives: a long queue of tasks, and a worker that dies at any of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.timezone import utcnow
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import delete

from tests.airflow.guarding import pause
from tests.docs.pages import ROOT

HARVEST, DEPLOY = "quantconnect_harvest_insights", "quantconnect_deploy"
RUN, BATCHES = "queue", 20


@pytest.fixture
def queued(database: None) -> Iterator[Callable[[], Counter[str]]]:
    """Let the scheduler queue a harvest of many batches and a deployment, and count what it queues by DAG."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

    def queue() -> Counter[str]:
        DagBundlesManager().sync_bundles_to_db()
        sync_bag_to_db(DagBag(str(ROOT / "dags")), "shipped", None)
        schedule(HARVEST, "extract", BATCHES)
        schedule(DEPLOY, "plan", 1, project_id=1)
        runner = SchedulerJobRunner(Job())
        with create_session() as session:
            tasks = runner._executable_task_instances_to_queued(max_tis=100, session=session)
            return Counter(task.dag_id for task in tasks)

    yield queue
    with create_session() as session:
        session.execute(delete(DagRun).where(DagRun.run_id == RUN))


def schedule(dag_id: str, task_id: str, count: int, **conf: Any) -> None:
    """Make a run in which nothing keeps a task, mapped so many times, from being queued."""
    from airflow.models.serialized_dag import SerializedDagModel

    pause(dag_id, False)
    dag = SerializedDagModel.get_dag(dag_id)
    run = dag.create_dagrun(
        run_id=RUN, run_after=utcnow(), conf=conf, run_type=DagRunType.MANUAL,
        triggered_by=DagRunTriggeredByType.TEST, state=DagRunState.RUNNING,
    )  # fmt: skip
    mine = (TaskInstance.run_id == RUN, TaskInstance.dag_id == dag_id)
    with create_session() as session:
        session.execute(delete(TaskInstance).where(*mine))
        for number in range(count):
            task = TaskInstance(
                dag.get_task(task_id), run_id=RUN, map_index=number, dag_version_id=run.created_dag_version_id
            )
            task.state = TaskInstanceState.SCHEDULED
            session.add(task)


def test_the_harvest_leaves_slots_to_other_dags(queued: Callable[[], Counter[str]]) -> None:
    assert queued() == {HARVEST: 8, DEPLOY: 1}


def test_how_much_of_it_is_queued_can_be_set(
    queued: Callable[[], Counter[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__QUANTCONNECT__HARVEST_MAX_ACTIVE_TASKS", "3")
    assert queued() == {HARVEST: 3, DEPLOY: 1}


def test_every_task_is_tried_again_when_its_worker_dies() -> None:
    from airflow.dag_processing.dagbag import DagBag

    dag = DagBag(str(ROOT / "dags")).dags[HARVEST]
    assert {task.task_id: task.retries for task in dag.tasks if task.retries < 1} == {}
