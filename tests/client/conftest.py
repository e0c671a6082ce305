from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from quantconnect_provider.client import QuantConnectClient, RetrySettings
from tests.client.scripted import ScriptedServer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def make_client(server: ScriptedServer) -> Iterator[Callable[..., QuantConnectClient]]:
    """Make clients of the scripted server that retry at once."""
    made: list[QuantConnectClient] = []

    def make(**settings: Any) -> QuantConnectClient:
        settings = {
            "user_id": 7,
            "api_token": "canary-token-0000",
            "base_url": server.base_url,
            "timeout_seconds": 2.0,
            "retry": RetrySettings(
                attempts=3, first_wait_seconds=0.01, rate_limited_seconds=1.0, loading_seconds=0.01
            ),
            **settings,
        }
        made.append(QuantConnectClient(**settings))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: Callable[..., QuantConnectClient]) -> QuantConnectClient:
    return make_client()
