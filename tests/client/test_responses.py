"""Every shape in which the API says yes or no, and the error that it means."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.errors import (
    ClockSkewError,
    CredentialsError,
    NeverDeployedError,
    NotFoundError,
    OutcomeUnknownError,
    QuantConnectError,
    RateLimitedError,
    RefusedError,
    ServerError,
    UnreadableAnswerError,
)
from tests.client.scripted import Reply, ScriptedServer


def failure(*errors: str, status: int = 200, key: str = "errors") -> Reply:
    value = errors[0] if key == "Message" else list(errors)
    return Reply(body={"success": False, key: value}, status=status)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (failure("Hash doesn't match. Check your token."), CredentialsError),
        (failure("UserID not valid (None) REF #12"), CredentialsError),
        (failure("Invalid timestamp, value received: 0"), CredentialsError),
        (failure("too many failed attempts for this user or ip"), CredentialsError),
        (Reply(status=401, headers={"WWW-Authenticate": "Basic"}), CredentialsError),
        (failure("Something is wrong", key="messages"), RefusedError),
        (failure("Internal Error 21", key="Message"), ServerError),
        (Reply(body={"errors": ["Invalid argument"]}), RefusedError),
        (Reply(body={"success": False}), RefusedError),
        (failure("Project not found"), NotFoundError),
        (failure("No live deployment found for project"), NeverDeployedError),
        (Reply(status=404, body=b"<html>404</html>"), NotFoundError),
        (Reply(status=403, body=b"<html>Forbidden</html>"), RefusedError),
        (failure("Too many requests, please slow down"), RateLimitedError),
        (failure("Too many API calls in the last minute."), RateLimitedError),
        (failure("Rate limit reached."), RateLimitedError),
        (failure("Too many insights requested"), RefusedError),
        (failure("You have too many active live deployments for your subscription."), RefusedError),
        (failure("Too many live nodes in use."), RefusedError),
        (failure("Project has too many files."), RefusedError),
        (failure("Too many parameters given, the maximum is 20."), RefusedError),
        (failure("Too many data providers for this brokerage."), RefusedError),
        (failure("Too many login attempts"), CredentialsError),
        (Reply(status=503, headers={"Retry-After": "0"}), RateLimitedError),
        (Reply(status=503), ServerError),
        (Reply(body=b""), UnreadableAnswerError),
        (Reply(body=[]), UnreadableAnswerError),
        (Reply(body=b'{"success": tr'), UnreadableAnswerError),
    ],
)
def test_each_way_of_saying_no_is_told_apart(
    server: ScriptedServer, client: QuantConnectClient, reply: Reply, error: type[QuantConnectError]
) -> None:
    server.default = lambda asked: reply
    with pytest.raises(error) as raised:
        client.create_compile(5)
    assert type(raised.value) is error
    assert raised.value.endpoint == "compile/create"
    assert "compile/create" in str(raised.value)


@pytest.mark.parametrize("no", [False, 0, 0.0, "false", "False", " FALSE ", "0", ""])
def test_no_is_no_in_every_spelling(server: ScriptedServer, client: QuantConnectClient, no: object) -> None:
    server.default = lambda asked: Reply(body={"success": no, "errors": ["Not today"], "live": []})
    with pytest.raises(RefusedError, match="Not today"):
        client.list_live()


@pytest.mark.parametrize("yes", [True, 1, "true", "True", "1"])
def test_yes_is_yes_in_every_spelling(
    server: ScriptedServer, client: QuantConnectClient, yes: object
) -> None:
    server.script(Reply(body={"success": yes, "live": []}))
    assert client.list_live() == []


@pytest.mark.parametrize("unclear", [None, "perhaps", [], {}, 2])
def test_what_is_neither_yes_nor_no_is_unclear(
    server: ScriptedServer, client: QuantConnectClient, unclear: object
) -> None:
    server.default = lambda asked: Reply(body={"success": unclear, "live": []})
    with pytest.raises(UnreadableAnswerError, match="neither yes nor no"):
        client.list_live()
    with pytest.raises(OutcomeUnknownError):
        client.stop_live(5)


def test_an_error_message_is_short_and_says_what_was_cut(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    words = [f"canary-token-0000 {'ü' * 300}"] * 1000
    server.default = lambda asked: Reply(body={"success": False, "errors": words})
    with pytest.raises(RefusedError, match=r"[\d,]+ characters cut") as raised:
        client.read_nodes(5)
    assert len(str(raised.value).encode()) < 2000
    assert "canary" not in str(raised.value)
    assert len(raised.value.api_errors) <= 20


SAID = "File: main.py Line: 10 - invalid syntax"


@pytest.mark.parametrize(
    "answer",
    [
        {"success": True, "state": "BuildError", "logs": [SAID]},
        {"success": True, "state": "BuildError", "logs": [], "errors": [SAID]},
        {"success": False, "state": "BuildError", "logs": [], "errors": [SAID]},
        {"success": False, "state": "BuildError", "logs": [SAID], "errors": ["Build failed"]},
        {"success": False, "logs": [SAID], "errors": ["Build failed"]},
        {"success": True, "state": "BuildError", "logs": f"Build failed\n{SAID}"},
        {"success": True, "state": "BuildError", "logs": None, "messages": [SAID]},
        {"success": True, "state": "BuildError", "logs": {"0": "Build failed", "2": SAID}},
    ],
)
def test_what_the_compiler_said_is_read_wherever_it_stands(
    server: ScriptedServer, client: QuantConnectClient, answer: dict[str, object]
) -> None:
    server.script(Reply(body={"compileId": "c", **answer}))
    build = client.read_compile(5, "c")
    assert build.state == "BuildError"
    assert SAID in build.logs


def test_a_compile_that_does_not_exist_is_refused(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.script(failure("Compile not found"))
    with pytest.raises(NotFoundError):
        client.read_compile(5, "c")


def test_credentials_are_never_tried_twice(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.default = lambda asked: failure("Hash doesn't match.")
    with pytest.raises(CredentialsError, match="API token"):
        client.authenticate()
    assert len(server.asked) == 1


@pytest.mark.parametrize("hours", [2.1, -1])
def test_a_refused_signature_with_a_wrong_clock_names_the_clock(
    server: ScriptedServer, client: QuantConnectClient, hours: float
) -> None:
    server.date_header = format_datetime(datetime.now(timezone.utc) + timedelta(hours=hours), usegmt=True)
    server.script(failure("Hash doesn't match."))
    with pytest.raises(ClockSkewError, match=r"clock is [\d,]+ s (behind|ahead of)"):
        client.authenticate()


@pytest.mark.parametrize(
    ("date", "error"),
    [("Mon, 02 Mar 2026 14:30:00 -0000", ClockSkewError), ("today", CredentialsError)],
)
def test_a_date_that_names_no_zone_is_utc_and_one_that_is_none_says_nothing(
    server: ScriptedServer, client: QuantConnectClient, date: str, error: type[Exception]
) -> None:
    server.date_header = date
    server.script(failure("Hash doesn't match."))
    with pytest.raises(CredentialsError) as raised:
        client.authenticate()
    assert type(raised.value) is error


def test_a_wrong_clock_that_the_api_accepts_is_no_error(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.date_header = format_datetime(datetime.now(timezone.utc) + timedelta(hours=5), usegmt=True)
    client.authenticate()


def test_retry_after_may_be_a_date(server: ScriptedServer, client: QuantConnectClient) -> None:
    until = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=2), usegmt=True)
    server.script(
        Reply(status=429, headers={"Retry-After": until}), Reply(body={"success": True, "live": []})
    )
    started = time.monotonic()
    client.list_live()
    assert time.monotonic() - started > 0.5


@pytest.mark.parametrize("words", ["soon", "nan", "Mon, 99 Mar 2026 14:30:00 GMT"])
def test_a_retry_after_that_says_no_time_is_not_waited_for(
    server: ScriptedServer, client: QuantConnectClient, words: str
) -> None:
    server.script(Reply(status=503, headers={"Retry-After": words}), Reply())
    started = time.monotonic()
    client.authenticate()
    assert time.monotonic() - started < 5


def test_an_html_page_is_quoted_in_words(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.default = lambda asked: Reply(body=b"<html><style>x</style><h1>Please sign in</h1></html>")
    with pytest.raises(UnreadableAnswerError, match="Please sign in"):
        client.authenticate()


def test_live_read_is_flat_and_leaves_out_source_code(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(
        Reply(
            body={
                "success": True,
                "deployId": "L-1",
                "status": "Running",
                "launched": "2026-11-20 09:30:00",
                "stopped": None,
                "brokerage": "PaperBrokerage",
                "runtimeStatistics": [],
                "files": [{"name": "main.py", "content": "secret sauce"}],
                "newThing": 1,
            }
        )
    )
    live = client.read_live(5)
    assert (live.project_id, live.deploy_id, live.status) == (5, "L-1", "Running")
    assert str(live.launched_at) == "2026-11-20 09:30:00+00:00"
    assert live.stopped_at is None
    assert live.runtime_statistics == {}
    assert live.extra == {"newThing": 1}


@pytest.mark.parametrize(
    "reply",
    [
        failure("No live deployment found for this project."),
        Reply(body={"success": True, "status": "Undefined"}),
    ],
)
def test_never_deployed_is_known_in_both_forms(
    server: ScriptedServer, client: QuantConnectClient, reply: Reply
) -> None:
    server.script(reply)
    with pytest.raises(NeverDeployedError):
        client.read_live(5)


def test_the_new_deployments_id_is_taken_from_the_top_or_from_below(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    from tests.client.test_request_path import SPEC

    server.script(
        Reply(body={"success": True, "deployId": "L-top", "versionId": 17202, "live": {"deployId": "L-top"}}),
        Reply(body={"success": True, "live": {"deployId": "L-below", "brokerage": "PaperBrokerage"}}),
        Reply(body={"success": True, "deployId": None, "live": {"deployId": "L-below"}}),
        Reply(body={"success": True, "deployId": {"id": "L-odd"}}),
    )
    assert [client.create_live(SPEC).deploy_id for _ in range(4)] == ["L-top", "L-below", "L-below", ""]


def test_a_deployment_without_id_is_not_a_project_that_was_never_deployed(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.default = lambda asked: Reply(body={"success": True, "deployId": {"id": 1}, "status": "Undefined"})
    with pytest.raises(UnreadableAnswerError, match="without the id"):
        client.read_live(5)


def test_a_drifted_field_costs_only_itself(server: ScriptedServer, client: QuantConnectClient) -> None:
    node = {"id": "LN-1", "busy": "true", "hasGpu": 0, "projectId": {"now": "an object"}, "name": 5}
    server.script(Reply(body={"success": True, "nodes": {"live": [node], "backtest": []}}))
    (read,) = client.read_nodes(1).live
    assert (read.id, read.busy, read.has_gpu, read.project_id, read.name) == ("LN-1", True, False, None, "5")


def test_projects_are_found_by_id(server: ScriptedServer, client: QuantConnectClient) -> None:
    other = {"projectId": 4, "name": "Other", "parameters": []}
    projects = {"0": other, "1": {"projectId": 5, "name": "Alpha", "parameters": []}}
    server.script(
        Reply(body={"success": True, "projects": projects}), Reply(body={"success": True, "projects": []})
    )
    assert client.read_project(5).name == "Alpha"
    with pytest.raises(NotFoundError, match="project 6"):
        client.read_project(6)


@pytest.mark.parametrize("projects", [[None], [{"projectId": {"id": 5}}], "none", None])
def test_a_project_that_cannot_be_read_is_not_a_missing_one(
    server: ScriptedServer, client: QuantConnectClient, projects: object
) -> None:
    server.default = lambda asked: Reply(body={"success": True, "projects": projects})
    with pytest.raises(UnreadableAnswerError, match="project"):
        client.read_project(5)


@pytest.mark.parametrize(
    "state",
    [
        {"busy": None},
        {"busy": "perhaps"},
        {"busy": {}},
        {"active": None},
        {"active": [True]},
        {"active": "no"},
    ],
)
def test_a_node_whose_state_cannot_be_read_is_not_free(
    server: ScriptedServer, client: QuantConnectClient, state: dict[str, object]
) -> None:
    node = {"id": "LN-1", "busy": False, "active": True, **state}
    server.script(Reply(body={"success": True, "nodes": {"live": [None, node]}}))
    (read,) = client.read_nodes(1).live
    assert read.busy or not read.active


@pytest.mark.parametrize("nodes", [None, [], "none", {"live": "LN-1"}])
def test_an_answer_without_nodes_is_not_a_project_without_machines(
    server: ScriptedServer, client: QuantConnectClient, nodes: object
) -> None:
    server.default = lambda asked: Reply(body={"success": True, "nodes": nodes})
    with pytest.raises(UnreadableAnswerError, match="without"):
        client.read_nodes(1)


def test_nodes_may_come_by_index(server: ScriptedServer, client: QuantConnectClient) -> None:
    nodes = {"live": {"0": {"id": "LN-1", "busy": False}, "2": {"id": "LN-2"}}}
    server.script(Reply(body={"success": True, "nodes": nodes}))
    assert [(node.id, node.busy) for node in client.read_nodes(1).live] == [("LN-1", False), ("LN-2", True)]


@pytest.mark.parametrize("deep", [b"[" * 200 + b"NaN" + b"]" * 200, b"[" * 200 + b"1" + b"]" * 200])
def test_an_answer_that_is_nested_too_deeply_is_refused_also_where_it_is_not_quite_json(
    server: ScriptedServer, client: QuantConnectClient, deep: bytes
) -> None:
    server.default = lambda asked: Reply(body=b'{"success": true, "live": [{"x": ' + deep + b"}]}")
    with pytest.raises(UnreadableAnswerError, match="not JSON"):
        client.list_live()
