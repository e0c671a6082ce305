"""A project, and a build of it."""

from __future__ import annotations

from quantconnect_provider.sandbox.deployment import Deployment
from quantconnect_provider.sandbox.scenario_spec import Build, Project


class LiveProject:
    """A project with its files, parameters and deployments."""

    def __init__(self, project_id: int, name: str, settings: Project, created: float) -> None:
        self.project_id = project_id
        self.name = name
        self.settings = settings
        self.created = created
        self.modified = created
        self.files: dict[str, str] = {"main.py" if settings.language == "Py" else "Main.cs": settings.source}
        self.description = ""
        self.selected_nodes: set[str] = set()
        self.auto_select_node = True
        self.parameters: dict[str, str] = {}
        self.deployments: list[Deployment] = []

    def current(self, now: float) -> Deployment | None:
        """Return the latest deployment that can be seen yet."""
        return next((d for d in reversed(self.deployments) if d.listed_from <= now), None)


class BuildJob:
    """A build, which is done after the scenario's number of reads."""

    def __init__(self, compile_id: str, project_id: int, settings: Build) -> None:
        self.compile_id = compile_id
        self.project_id = project_id
        self.settings = settings
        self.reads = 0

    @property
    def state(self) -> str:
        """InQueue until it was read often enough, then the scenario's result."""
        return "InQueue" if self.reads <= self.settings.polls else self.settings.result
