"""Verbs about projects and nodes."""

from __future__ import annotations

from typing import Any

import msgspec

from quantconnect_provider.sandbox.control.verb import Controlled, verb
from quantconnect_provider.sandbox.node_rows import node_lists
from quantconnect_provider.sandbox.scenario import merge, overwrite
from quantconnect_provider.sandbox.scenario_spec import Project


class ProjectVerbs(Controlled):
    """Projects and nodes."""

    @verb
    def projects(self) -> list[dict[str, Any]]:
        """List `project_id`, `name` and `deploy_ids` of every project."""
        return [
            {
                "project_id": project.project_id,
                "name": project.name,
                "deploy_ids": [d.deploy_id for d in project.deployments],
            }
            for project in self.world.projects.values()
        ]

    @verb
    def add_project(self, name: str, project_id: int | None = None, **fields: Any) -> int:
        """Create a project from the scenario's defaults and these fields; returns its id."""
        settings = msgspec.convert(merge(self.world.scenario.defaults, {**fields, "name": name}), Project)
        return self.world.add_project(name, settings, project_id).project_id

    @verb
    def configure_project(self, project_id: int, **fields: Any) -> None:
        """Change a project's part of the scenario, for example ``build={"result": "BuildError"}``."""
        overwrite(self._project(project_id).settings, fields)

    @verb
    def nodes(self) -> list[dict[str, Any]]:
        """List the live nodes as the API shows them."""
        return node_lists(self.world)["live"]

    @verb
    def set_node_busy(self, node_id: str, busy: bool = True, used_by: str = "") -> None:
        """Have another user occupy a live node, or leave it."""
        if node_id not in self.world.nodes["live"]:
            raise ValueError(f"no live node {node_id}")
        self.world.nodes["live"][node_id].busy = busy
        self.world.nodes["live"][node_id].used_by = used_by
