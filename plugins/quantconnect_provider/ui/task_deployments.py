"""Which deployments a task instance is about, from what it and its run left in Airflow's database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import select

_MOST = 100


@dataclass
class Named:
    """What a task names: deployments where it knows them, else projects."""

    deploy_ids: list[str] = field(default_factory=list)
    project_ids: list[int] = field(default_factory=list)

    def add(self, value: dict[str, Any]) -> None:
        """Add what one JSON object names."""
        deploy_id, project_id = value.get("deploy_id"), value.get("project_id")
        if isinstance(deploy_id, str) and deploy_id and deploy_id not in self.deploy_ids[:_MOST]:
            self.deploy_ids.append(deploy_id)
        listed = value.get("project_ids")
        for number in [project_id, *(listed if isinstance(listed, list) else [])]:
            if isinstance(number, int) and number not in self.project_ids[:_MOST]:
                self.project_ids.append(number)


def named_by_task(dag_id: str, run_id: str, task_id: str, map_index: int) -> Named:
    """Return what the task instance's XComs name; if nothing, what its run was asked for.

    Also while the task runs and when it failed: the run's configuration is there from the beginning.
    """
    named = Named()
    with create_session() as session:
        values = session.scalars(
            select(XComModel.value).where(
                XComModel.dag_id == dag_id,
                XComModel.run_id == run_id,
                XComModel.task_id == task_id,
                XComModel.map_index == map_index,
            )
        )
        for value in values:
            for found in _objects(value):
                named.add(found)
        if not named.deploy_ids and not named.project_ids:
            conf = session.scalar(select(DagRun.conf).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
            named.add(conf if isinstance(conf, dict) else {})
    return named


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Give the JSON objects at the top of an XCom, or in a list there."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return
    for found in value if isinstance(value, list) else [value]:
        if isinstance(found, dict):
            yield found
