from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from quantconnect_provider.sandbox import Sandbox


class Api:
    """Plain requests against a sandbox, signed."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()

    def headers_and_auth(self) -> dict[str, Any]:
        stamp = str(int(time.time()))
        signature = hashlib.sha256(f"{self.sandbox.api_token}:{stamp}".encode()).hexdigest()
        return {"headers": {"Timestamp": stamp}, "auth": (str(self.sandbox.user_id), signature)}

    def post(self, endpoint: str, timeout: float = 10, **fields: Any) -> requests.Response:
        url = f"{self.sandbox.base_url}/{endpoint}"
        return self.session.post(url, json=fields, timeout=timeout, **self.headers_and_auth())

    def __call__(self, endpoint: str, **fields: Any) -> dict[str, Any]:
        answer = self.post(endpoint, **fields).json()
        assert isinstance(answer, dict)
        return answer

    def built(self, project_id: int) -> str:
        """The id of a finished build."""
        compile_id = self("compile/create", projectId=project_id)["compileId"]
        while self("compile/read", projectId=project_id, compileId=compile_id)["state"] == "InQueue":
            pass
        return str(compile_id)

    def free_node(self, project_id: int) -> str:
        nodes = self("projects/nodes/read", projectId=project_id)["nodes"]["live"]
        return next(node["id"] for node in nodes if not node["busy"])

    def create(self, project_id: int, **fields: Any) -> dict[str, Any]:
        """The answer to live/create with everything in order."""
        whole = {
            "projectId": project_id,
            "compileId": self.built(project_id),
            "nodeId": fields.get("nodeId") or self.free_node(project_id),
            "versionId": "-1",
            "brokerage": {"id": "QuantConnectBrokerage"},
        }
        return self("live/create", **{**whole, **fields})


@pytest.fixture
def start() -> Iterator[Callable[..., tuple[Sandbox, Api]]]:
    """Starts sandboxes whose clock stands still, and stops them after the test."""
    started: list[Sandbox] = []

    def starter(scenario: dict[str, Any] | None = None, **arguments: Any) -> tuple[Sandbox, Api]:
        whole = {"clock": {"speed": 0}, "projects": [{"name": "Alpha", "id": 7}], **(scenario or {})}
        sandbox = Sandbox(whole, **arguments).start()
        started.append(sandbox)
        return sandbox, Api(sandbox)

    yield starter
    for sandbox in started:
        sandbox.stop()
