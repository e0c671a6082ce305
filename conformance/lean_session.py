"""What QuantConnect's client can do but has no command for; runs inside .venv-lean, with its own API classes.

    python lean_session.py project PROJECT_ID ORGANIZATION_ID     the project, from both ways of reading it
    python lean_session.py nodes ORGANIZATION_ID                  the organization's live nodes
    python lean_session.py start PROJECT_ID ORGANIZATION_ID       compile to the end, then start on paper
    python lean_session.py live PROJECT_ID                        the deployment
    python lean_session.py portfolio PROJECT_ID                   what it holds

The last line is the result as JSON. Everything is parsed by the client's own models, so an answer that they
refuse ends the program.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from lean.container import container

PAPER = {"id": "QuantConnectBrokerage"}


def read_project(project_id: str, organization_id: str) -> dict[str, Any]:
    """Read the project alone and in the list of all."""
    client = container.api_client.projects
    project = client.get(int(project_id), organization_id)
    if project not in client.get_all(organization_id):
        raise RuntimeError(f"project {project_id} is not in the list of all projects")
    return {"id": project.projectId, "name": project.name, "language": project.language.value}


def read_nodes(organization_id: str) -> dict[str, Any]:
    """Read the live nodes: name and whether each is busy."""
    nodes = container.api_client.nodes.get_all(organization_id)
    return {node.name: "busy" if node.busy else "free" for node in nodes.live}


def start(project_id: str, organization_id: str) -> dict[str, Any]:
    """Compile with the client's own waiting, then start on the first free node."""
    api = container.api_client
    project = api.projects.get(int(project_id), organization_id)
    build = container.cloud_runner.compile_project(project)
    node = next(node for node in api.nodes.get_all(organization_id).live if not node.busy)
    live = api.live.start(
        project.projectId,
        build.compileId,
        node.id,
        dict(PAPER),
        {PAPER["id"]: dict(PAPER)},
        automatic_redeploy=False,
        version_id=project.leanVersionId,
        notify_order_events=False,
        notify_insights=False,
        notify_methods=[],
        live_cash_balance=[{"currency": "USD", "amount": 100000.0}],
    )
    return {"build": build.state.value, "node": node.name, "deploy_id": live.deployId}


def read_live(project_id: str) -> dict[str, Any]:
    """Read the project's deployment."""
    live = container.api_client.live.get_project_by_id(project_id)
    return {
        "deploy_id": live.deployId,
        "status": live.status.value if live.status else None,
        "launched": str(live.launched),
        "stopped": live.stopped and str(live.stopped),
        "brokerage": live.brokerage,
    }


def read_portfolio(project_id: str) -> dict[str, Any]:
    """Read the deployment's portfolio, by the request that the client sends before a new deployment."""
    portfolio = container.api_client.get("live/portfolio/read", {"projectId": int(project_id)})["portfolio"]
    return {"cash": sorted(portfolio["cash"]), "holdings": len(portfolio["holdings"])}


ACTIONS = {
    "project": read_project,
    "nodes": read_nodes,
    "start": start,
    "live": read_live,
    "portfolio": read_portfolio,
}

if __name__ == "__main__":
    print(json.dumps(ACTIONS[sys.argv[1]](*sys.argv[2:])))
