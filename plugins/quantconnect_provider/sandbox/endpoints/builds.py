"""compile/create and compile/read."""

from __future__ import annotations

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params
from quantconnect_provider.sandbox.endpoints.lookup import project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.project import BuildJob
from quantconnect_provider.sandbox.world import World


@endpoint("compile/create")
def create(world: World, params: Params, now: float) -> Answer:
    """Start a build."""
    project = project_of(world, params)
    number = len(world.builds)
    signature = world.digest("signature", project.project_id, number)
    build = BuildJob(
        f"{world.digest('build', number)}-{signature}", project.project_id, project.settings.build
    )
    world.builds[build.compile_id] = build
    return {
        "compileId": build.compile_id,
        "state": "InQueue",
        "parameters": [],
        "projectId": project.project_id,
        "signature": signature,
        "signatureOrder": list(project.files),
    }


@endpoint("compile/read")
def read(world: World, params: Params, now: float) -> Answer:
    """Read a build; an unsuccessful one still answers ``success: true``."""
    project = project_of(world, params)
    build = world.builds.get(params.text("compileId"))
    if build is None or build.project_id != project.project_id:
        raise ApiError(f"Compile id not found. {world.reference()}")
    build.reads += 1
    done = build.state != "InQueue"
    logs = build.settings.logs
    if done and not logs and build.state == "BuildSuccess":
        names = f"Project ID: {project.project_id}, with CompileID: {build.compile_id}"
        logs = [f"Build Request Successful for {names}"]
    return {"compileId": build.compile_id, "state": build.state, "logs": logs if done else []}
