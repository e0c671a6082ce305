"""The little of Airflow's REST API that the make targets and their tests ask. Standard library only."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

PATIENCE_SECONDS = 180.0
"""Where many tasks start at once on a small machine, the API server may be slow to answer."""

PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


def answers(url: str) -> bool:
    """Whether an HTTP server answers there, whatever it says."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


class AirflowApi:
    """Asks one Airflow API server, without a login or with a user's password.

    :param timeout_seconds: how long to wait for an answer.
    """

    def __init__(
        self,
        address: str,
        user: str | None = None,
        password: str | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        self.address = address
        self._timeout_seconds = timeout_seconds
        self._login = None if password is None else {"username": user, "password": password}
        self._token: str | None = None

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send one request and return its JSON content.

        :raises OSError: when the server does not answer or refuses (`urllib.error.HTTPError`).
        """
        headers = {"Content-Type": "application/json"}
        if path.startswith(("/api/", "/ui/")):
            headers["Authorization"] = f"Bearer {self._get_token()}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=self._timeout_seconds) as answer:
            return json.load(answer)

    def _get_token(self) -> str:
        if self._token is None:
            method = "GET" if self._login is None else "POST"
            self._token = str(self.call(method, "/auth/token", self._login)["access_token"])
        return self._token

    def is_healthy(self) -> bool:
        """Whether every component says that it is well; False while nothing answers."""
        try:
            with urllib.request.urlopen(f"{self.address}/api/v2/monitor/health", timeout=10) as answer:
                parts = json.load(answer)
        except (OSError, ValueError):
            return False
        return all((parts.get(name) or {}).get("status") == "healthy" for name in PARTS)

    def loaded_dags(self) -> tuple[int, int]:
        """Count the DAGs that are loaded and the files that could not be; both 0 while nothing answers."""
        try:
            dags = self.call("GET", "/api/v2/dags")["total_entries"]
            broken = self.call("GET", "/api/v2/importErrors")["total_entries"]
        except (OSError, ValueError):
            return 0, 0
        return int(dags), int(broken)
