"""Starts the benchmarks' API and gives clients of it."""

from __future__ import annotations

import json
import subprocess
import sys
from types import TracebackType
from typing import Any

import requests

from quantconnect_provider.client import QuantConnectClient

USER_ID, API_TOKEN = 1, "benchmark"


def deploy_id(number: int) -> str:
    """Return the id of the deployment with this number."""
    return f"L-{(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128):032x}"


class Api:
    """The API in a process of its own; a context manager.

    :param count: insights of each deployment.
    :param deployments: how many there are, each in a project of its own.
    :param open_from: insights from this position on are still open.
    :param latency: seconds before an answer is sent.
    :param per_minute: requests that are let through in 60 seconds; more are answered with 429.
    """

    def __init__(
        self,
        count: int,
        *,
        deployments: int = 1,
        open_from: int | None = None,
        latency: float = 0.0,
        per_minute: int | None = None,
    ) -> None:
        self._given = {
            "count": count,
            "deployments": [deploy_id(number) for number in range(deployments)],
            "open_from": count if open_from is None else open_from,
            "latency": latency,
            "per_minute": per_minute,
        }

    def __enter__(self) -> Api:
        command = [sys.executable, "-m", "benchmarks.server", json.dumps(self._given)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._root = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def base_url(self) -> str:
        """Where the client finds it."""
        return f"{self._root}/api/v2"

    def client(self, **settings: Any) -> QuantConnectClient:
        """Make a client of it."""
        return QuantConnectClient(USER_ID, API_TOKEN, self.base_url, **settings)

    def set(self, **values: Any) -> None:
        """Change what it was started with, and forget what was counted."""
        requests.post(f"{self._root}/bench/set", json=values, timeout=10).raise_for_status()

    def arrivals(self) -> list[float]:
        """Return when requests came, in seconds of a monotonic clock."""
        return list(self._counted()["arrivals"])

    def refused(self) -> int:
        """Return how many requests were answered with 429."""
        return int(self._counted()["refused"])

    def _counted(self) -> dict[str, Any]:
        answer = requests.post(f"{self._root}/bench/counters", json={}, timeout=10)
        return dict(answer.json())
