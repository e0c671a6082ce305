"""Airflow's REST API, asked patiently, and for one change at a time."""

from __future__ import annotations

import threading
from typing import Any

import requests

from dev.api import PATIENCE_SECONDS, AirflowApi


class PatientApi:
    """One API server without a login, for many threads."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._one_change = threading.Lock()
        self._headers: dict[str, str] = {}
        self.is_healthy = AirflowApi(address).is_healthy

    def get(self, path: str) -> Any:
        """Return what lies at a path of the API.

        :raises requests.RequestException: when the server does not answer or refuses.
        """
        return self._call("GET", path)

    def change(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """Send a change and return the answer; others wait for their turn meanwhile."""
        with self._one_change:
            return self._call(method, path, body)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        if not self._headers:
            token = requests.get(f"{self._address}/auth/token", timeout=PATIENCE_SECONDS).json()
            self._headers = {"Authorization": f"Bearer {token['access_token']}"}
        url = f"{self._address}/api/v2{path}"
        answer = requests.request(method, url, json=body, headers=self._headers, timeout=PATIENCE_SECONDS)
        answer.raise_for_status()
        return answer.json()
