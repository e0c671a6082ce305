"""Slips in the settings are named before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.errors import InvalidSettingError

GOOD: dict[str, Any] = {"user_id": "123456", "api_token": "canary-token-0000"}


@pytest.mark.parametrize(
    ("slip", "named"),
    [
        ({"user_id": ""}, "login .* is empty"),
        ({"user_id": " 123456"}, "login .* not a whole number"),
        ({"user_id": "me@example.com"}, "login .* not a whole number"),
        ({"user_id": "-1"}, "login .* not a whole number"),
        ({"api_token": ""}, "password .* is empty"),
        ({"api_token": "canary-token-0000\n"}, "contains spaces or line breaks"),
        ({"api_token": "canary token"}, "contains spaces or line breaks"),
        ({"base_url": "www.quantconnect.com/api/v2"}, "without http:// or https://"),
        ({"base_url": "https://7:canary@www.quantconnect.com/api/v2"}, "more than scheme, host and path"),
        ({"base_url": "http://www.quantconnect.com/api/v2"}, "without TLS"),
        ({"base_url": "http://169.254.169.254/latest/meta-data"}, "without TLS"),
        ({"base_url": "http://10.0.0.7/api/v2"}, "without TLS"),
        ({"base_url": "http://[fe80::1]/api/v2"}, "without TLS"),
        ({"base_url": "http://2852039166/api/v2"}, "without TLS"),
        ({"base_url": "http://127.0.0.1.example.com/api/v2"}, "without TLS"),
        ({"base_url": "http://127.0.0.1@example.com/api/v2"}, "more than scheme, host and path"),
        ({"base_url": "7:canary@www.quantconnect.com"}, "without http:// or https://"),
        ({"base_url": "https://7:canary @www.quantconnect.com"}, "line break, space"),
        ({"base_url": "file:///etc/passwd"}, "without http:// or https://"),
        ({"base_url": "gopher://127.0.0.1:6379/_FLUSHALL"}, "without http:// or https://"),
        ({"base_url": "https://www.quantconnect.com/api\r\nHost: example.com"}, "line break"),
        ({"base_url": "https://www.quantconnect.com\\@example.com/api"}, "line break, space or backslash"),
        ({"requests_per_minute": 0}, "requests_per_minute is 0"),
        ({"requests_per_minute": "fast"}, "requests_per_minute is 'fast'"),
        ({"timeout_seconds": -1}, "timeout_seconds is -1"),
    ],
)
def test_a_slip_is_named_and_the_token_is_not_shown(slip: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidSettingError, match=named) as raised:
        QuantConnectClient(**{**GOOD, **slip})
    assert "canary" not in str(raised.value)
    assert raised.value.advice


@pytest.mark.parametrize(
    "host", ["127.0.0.1:5612", "localhost:5612", "[::1]:5612", "sandbox:5612", "qc.localhost", "127.8.9.1"]
)
def test_a_sandbox_needs_no_tls_on_this_machine_or_beside_it(host: str) -> None:
    client = QuantConnectClient(**{**GOOD, "base_url": f"http://{host}/api/v2"})
    assert client.base_url == f"http://{host}/api/v2"
    client.close()


def test_a_whole_set_of_settings_is_accepted() -> None:
    client = QuantConnectClient(**GOOD, requests_per_minute=60, timeout_seconds=5)
    assert client.base_url == "https://www.quantconnect.com/api/v2"
    client.close()
