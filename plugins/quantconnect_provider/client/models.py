"""What the API's responses mean, as typed objects.

Every model keeps what it does not know, and values that cannot be right, in ``extra``.
Times are aware UTC. Sections named are those of
https://www.quantconnect.com/docs/v2/cloud-platform/api-reference
"""

from __future__ import annotations

from typing import Any

import msgspec
from pendulum import DateTime

from quantconnect_provider.client.decode import Model, wire
from quantconnect_provider.client.live_request import LiveSpec  # noqa: F401 - where 0.1.0 had it


class Project(Model):
    """A project (projects/read)."""

    project_id: int
    name: str = ""
    organization_id: str = ""
    language: str = ""
    lean_version_id: int | None = None
    code_running: bool = False


class Node(Model):
    """A machine that runs algorithms (projects/nodes/read), and who uses it."""

    id: str
    name: str = ""
    sku: str = ""
    busy: bool = False
    active: bool = True
    has_gpu: bool = False
    used_by: str = ""
    project_id: int | None = None
    project_name: str = ""


class Nodes(msgspec.Struct, kw_only=True):
    """The nodes that a project may use."""

    live: list[Node] = msgspec.field(default_factory=list)
    backtest: list[Node] = msgspec.field(default_factory=list)
    research: list[Node] = msgspec.field(default_factory=list)
    auto_select: bool = True


class Compile(Model):
    """A build (compile/create, compile/read): ``InQueue``, ``BuildSuccess`` or ``BuildError``.

    ``logs`` are the compiler's lines and the errors of the response, wherever it has them.
    """

    compile_id: str
    state: str = ""
    project_id: int | None = None
    logs: list[str] = msgspec.field(default_factory=list)


class CreatedLive(Model):
    """The response of live/create; ``deploy_id`` is empty where it was accepted without a readable id."""

    deploy_id: str = ""
    project_id: int | None = None
    version_id: str = ""
    source: str = ""
    brokerage: str = ""


class LiveDeployment(Model):
    """The newest deployment of a project (live/read), without its source files and charts."""

    deploy_id: str = ""
    project_id: int = 0
    project_name: str = ""
    status: str = ""
    launched_at: DateTime | None = wire("launched", "launchedAt", default=None)
    stopped_at: DateTime | None = wire("stopped", "stoppedAt", default=None)
    brokerage: str = ""
    message: str = ""
    description: str = ""
    security_types: str = ""
    runtime_statistics: dict[str, str] = msgspec.field(default_factory=dict)
    server_statistics: dict[str, str] = msgspec.field(default_factory=dict)
    deployment_details: dict[str, Any] = msgspec.field(default_factory=dict)


class LiveSummary(Model):
    """A row of live/list: one deployment, running or over."""

    project_id: int
    deploy_id: str
    status: str = ""
    project_name: str = ""
    launched_at: DateTime | None = wire("launched", "launchedAt", default=None)
    stopped_at: DateTime | None = wire("stopped", "stoppedAt", default=None)
    brokerage: str = ""
    equity: float | None = None
    error: str = ""
    description: str = ""


class LogPage(Model):
    """Lines of a deployment's log (live/logs/read).

    ``length`` counts the lines of all deployments of the project; this one's begin at
    ``deployment_offset``. A line without a time continues the one before it.
    """

    lines: list[str] = wire("logs", default=[])
    length: int | None = None
    deployment_offset: int | None = None
