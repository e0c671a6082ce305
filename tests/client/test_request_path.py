"""Signing, retrying and giving up: what goes over the wire, and how often."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import pickle
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from quantconnect_provider.client import LiveSpec, QuantConnectClient, RetrySettings
from quantconnect_provider.client.errors import (
    InvalidSettingError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    ServerError,
    UnreachableError,
    UnreadableAnswerError,
)
from tests.client.scripted import Asked, Reply, ScriptedServer

SPEC = LiveSpec(
    project_id=1,
    compile_id="c-1",
    node_id="LN-1",
    brokerage={"id": "InteractiveBrokersBrokerage", "ib-password": "canary-password"},
)
NOTHING_CLEAR = [
    pytest.param(Reply(drop=True), id="dropped"),
    pytest.param(Reply(cut_at=5), id="cut off"),
    pytest.param(Reply(status=500, body=b""), id="500 empty"),
    pytest.param(Reply(status=502, body=b"<html>Bad Gateway</html>"), id="502 HTML"),
    pytest.param(Reply(status=503, headers={"Retry-After": "0.01"}), id="503 with Retry-After"),
    pytest.param(Reply(body=b"<html>Sign in</html>"), id="200 HTML"),
    pytest.param(Reply(body={"status": "loading", "progress": 0.5, "success": True}), id="loading"),
]


def test_each_attempt_is_signed_afresh(server: ScriptedServer, client: QuantConnectClient) -> None:
    def slow_failure(asked: Asked) -> Reply:
        time.sleep(1.01)
        return Reply(status=503) if len(server.asked) == 1 else Reply()

    server.default = slow_failure
    client.authenticate()
    first, second = server.asked
    assert first.headers["Timestamp"] != second.headers["Timestamp"]
    for asked in (first, second):
        digest = hashlib.sha256(f"canary-token-0000:{asked.headers['Timestamp']}".encode()).hexdigest()
        expected = base64.b64encode(f"7:{digest}".encode()).decode()
        assert asked.headers["Authorization"] == f"Basic {expected}"


def test_the_path_follows_the_base_url_without_a_double_slash(
    server: ScriptedServer, make_client: Callable[..., QuantConnectClient]
) -> None:
    make_client(base_url=server.base_url + "/").authenticate()
    assert server.asked[0].path == "/api/v2/authenticate"


@pytest.mark.parametrize(
    "fault", [*NOTHING_CLEAR, pytest.param(Reply(status=429, headers={"Retry-After": "0.01"}), id="429")]
)
def test_a_read_is_repeated_until_it_is_answered(
    server: ScriptedServer, client: QuantConnectClient, fault: Reply
) -> None:
    server.script(fault, fault, Reply(body={"success": True, "live": []}))
    assert client.list_live() == []
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Reply(drop=True), UnreachableError),
        (Reply(status=500), ServerError),
        (Reply(body=b"<html/>"), UnreadableAnswerError),
    ],
    ids=["dropped", "500", "HTML"],
)
def test_a_read_gives_up_after_its_attempts(
    server: ScriptedServer, client: QuantConnectClient, fault: Reply, error: type[Exception]
) -> None:
    server.default = lambda asked: fault
    with pytest.raises(error):
        client.list_live()
    assert len(server.asked) == 3


def test_the_api_saying_no_is_not_asked_again(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.default = lambda asked: Reply(body={"success": False, "errors": ["Invalid argument"]})
    with pytest.raises(RefusedError, match=r"projects/nodes/read .* Invalid argument"):
        client.read_nodes(1)
    assert len(server.asked) == 1


@pytest.mark.parametrize("fault", NOTHING_CLEAR)
@pytest.mark.parametrize("act", ["create", "stop", "liquidate"])
def test_what_moves_money_is_sent_once_and_says_that_it_is_unclear(
    server: ScriptedServer, client: QuantConnectClient, fault: Reply, act: str
) -> None:
    server.default = lambda asked: fault
    acts = {
        "create": lambda: client.create_live(SPEC),
        "stop": lambda: client.stop_live(1),
        "liquidate": lambda: client.liquidate_live(1),
    }
    with pytest.raises(OutcomeUnknownError) as raised:
        acts[act]()
    assert len(server.asked) == 1
    assert raised.value.maybe_applied
    assert not raised.value.retryable
    assert raised.value.__cause__ is not None


def test_a_create_that_hangs_is_unclear(
    server: ScriptedServer, make_client: Callable[..., QuantConnectClient]
) -> None:
    never = threading.Event()
    server.script(Reply(hold=never))
    with pytest.raises(OutcomeUnknownError, match="took effect is not known"):
        make_client(timeout_seconds=0.1).create_live(SPEC)
    never.set()


def test_a_create_that_cannot_connect_is_known_not_to_have_happened(
    make_client: Callable[..., QuantConnectClient],
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(UnreachableError) as raised:
        make_client(base_url=f"http://127.0.0.1:{port}/api/v2").create_live(SPEC)
    assert not raised.value.maybe_applied


def test_a_create_whose_connection_is_never_accepted_is_known_not_to_have_happened(
    make_client: Callable[..., QuantConnectClient],
) -> None:
    with socket.socket() as full, contextlib.ExitStack() as queue:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        client = make_client(base_url=f"http://127.0.0.1:{full.getsockname()[1]}/api/v2", timeout_seconds=0.2)
        with pytest.raises(UnreachableError, match="could not be sent") as raised:
            client.create_live(SPEC)
    assert not raised.value.maybe_applied


def test_a_create_whose_proxy_is_away_is_known_not_to_have_happened(
    make_client: Callable[..., QuantConnectClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UnreachableError, match="could not be sent") as raised:
        make_client(base_url="http://sandbox:5612/api/v2").create_live(SPEC)
    assert not raised.value.maybe_applied


def test_a_create_that_a_proxy_does_not_pass_on_in_full_is_unclear(
    server: ScriptedServer,
    make_client: Callable[..., QuantConnectClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.script(Reply(drop=True))
    monkeypatch.setenv("http_proxy", server.base_url.removesuffix("/api/v2"))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(OutcomeUnknownError):
        make_client(base_url="http://sandbox:5612/api/v2").create_live(SPEC)
    assert server.asked[0].path == "http://sandbox:5612/api/v2/live/create"


def test_a_create_does_not_use_a_pooled_connection_that_the_api_has_closed(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    # An answer that does not announce that the connection is closed after it.
    server.script(Reply(body={"success": True, "live": []}, cut_at=1000))
    client.list_live()
    server.script(Reply(body={"success": True, "deployId": "L-1"}))
    assert client.create_live(SPEC).deploy_id == "L-1"


def test_a_refused_create_is_clear_and_may_be_retried_by_a_person(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(Reply(body={"success": False, "errors": ["Node is busy"]}))
    with pytest.raises(RefusedError, match="Node is busy") as raised:
        client.create_live(SPEC)
    assert not raised.value.maybe_applied


def test_a_rate_limited_create_is_left_to_the_caller(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(Reply(status=429))
    with pytest.raises(RateLimitedError):
        client.create_live(SPEC)
    assert len(server.asked) == 1


def test_no_error_repeats_a_secret(server: ScriptedServer, client: QuantConnectClient) -> None:
    words = "Login canary-password failed for canary-token-0000"
    server.script(Reply(body={"success": False, "errors": [words]}))
    with pytest.raises(RefusedError) as raised:
        client.create_live(SPEC)
    for text in (
        str(raised.value),
        repr(raised.value),
        repr(raised.value.api_errors),
        repr(SPEC),
        repr(client),
    ):
        assert "canary" not in text


def test_errors_survive_the_way_from_one_process_to_another(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(Reply(body={"success": False, "errors": ["Out of order. REF #ab12"]}))
    with pytest.raises(RefusedError) as raised:
        client.read_nodes(1)
    copy = pickle.loads(pickle.dumps(raised.value))
    assert (str(copy), copy.endpoint) == (str(raised.value), "projects/nodes/read")
    assert "REF #ab12" in str(copy)


def test_waiting_out_a_rate_limit_has_an_end(
    server: ScriptedServer, make_client: Callable[..., QuantConnectClient]
) -> None:
    server.default = lambda asked: Reply(status=429, headers={"Retry-After": "0.05"})
    client = make_client(retry=RetrySettings(rate_limited_seconds=0.2))
    with pytest.raises(RateLimitedError):
        client.list_live()
    assert 2 <= len(server.asked) < 20


def test_a_redirect_is_not_followed_with_the_credentials(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(Reply(status=301, headers={"Location": "https://elsewhere.example/api"}))
    with pytest.raises(Exception, match=r"redirect to https://elsewhere\.example/api"):
        client.authenticate()
    assert len(server.asked) == 1


def test_parameters_are_sent_as_json_writes_them_and_null_is_left_out(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    parameters = {"a": "x", "b": 5, "c": 0.5, "d": True, "e": None, "f": Decimal("0.10")}
    client.create_live(replace(SPEC, parameters=parameters))
    assert server.asked[0].body["parameters"] == {"a": "x", "b": "5", "c": "0.5", "d": "true", "f": "0.10"}


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, (1,), float("nan"), float("inf"), object()])
def test_a_parameter_that_has_no_text_is_refused_by_name_before_anything_is_sent(
    server: ScriptedServer, client: QuantConnectClient, value: object
) -> None:
    with pytest.raises(InvalidSettingError, match="'fast period'"):
        client.create_live(replace(SPEC, parameters={"fast period": value}))
    assert server.asked == []


def test_an_answer_that_is_too_large_is_not_held_in_memory(
    server: ScriptedServer, client: QuantConnectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantconnect_provider.client.transport.LARGEST_ANSWER_BYTES", 10_000)
    server.default = lambda asked: Reply(body={"success": True, "live": [], "rest": "x" * 20_000})
    with pytest.raises(UnreadableAnswerError, match="more than 10,000 bytes"):
        client.list_live()


def test_the_time_spent_on_requests_is_counted(server: ScriptedServer, client: QuantConnectClient) -> None:
    def slowly(asked: Asked) -> Reply:
        time.sleep(0.1)
        return Reply()

    server.default = slowly
    client.authenticate()
    assert client.requests_sent == 1
    assert client.waiting_seconds >= 0.1
