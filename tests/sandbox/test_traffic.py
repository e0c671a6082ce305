from __future__ import annotations

import threading

import pytest


def statuses(api, count):
    return [api.post("authenticate").status_code for _ in range(count)]


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_requests_over_the_limit_are_refused(start, window):
    _, api = start({"api": {"rate_limit": {"requests": 3, "window": window}}})
    assert statuses(api, 5) == [200, 200, 200, 429, 429]


def test_a_refusal_says_when_to_come_back(start):
    _, api = start({"api": {"rate_limit": {"requests": 1}}})
    api.post("authenticate")
    assert 1 <= int(api.post("authenticate").headers["Retry-After"]) <= 61


def test_a_refusal_can_keep_silent_about_it(start):
    _, api = start({"api": {"rate_limit": {"requests": 1, "retry_after": False}}})
    api.post("authenticate")
    assert "Retry-After" not in api.post("authenticate").headers


def test_a_refusal_can_be_a_text_with_http_200(start):
    _, api = start({"api": {"rate_limit": {"requests": 1, "answer": "text"}}})
    api.post("authenticate")
    response = api.post("authenticate")
    assert response.status_code == 200
    assert "Too many requests" in response.json()["errors"][0]


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_the_window_passes(start, window):
    _, api = start({"api": {"rate_limit": {"requests": 1, "per_seconds": 0.05, "window": window}}})
    assert statuses(api, 1) == [200]
    threading.Event().wait(0.1)
    assert statuses(api, 1) == [200]


def test_a_refused_request_has_no_effect(start):
    sandbox, api = start()
    sandbox.set_rate_limit(0)
    api.post("projects/create", name="New", language="Py")
    assert len(sandbox.projects()) == 1


def test_the_limit_can_be_lifted(start):
    sandbox, api = start({"api": {"rate_limit": {"requests": 0}}})
    sandbox.set_rate_limit(None)
    assert statuses(api, 2) == [200, 200]


def test_counters_tell_what_came_and_what_was_refused(start):
    sandbox, api = start({"api": {"rate_limit": {"requests": 2}}})
    statuses(api, 5)
    counters = sandbox.counters()
    assert (counters["requests"], counters["refused"]) == (5, 3)
    assert counters["endpoints"]["authenticate"] == {"received": 5, "answered": 2, "refused": 3}
    assert (counters["peak_per_minute"], counters["peak_let_through_per_minute"]) == (5, 2)


def test_the_log_says_what_was_asked_and_what_became_of_it(start):
    sandbox, api = start()
    api("live/read", projectId=7)
    (entry,) = sandbox.requests("live/read")
    assert (entry["method"], entry["params"], entry["outcome"]) == ("POST", {"projectId": 7}, "error")


def test_the_log_never_holds_a_credential(start):
    sandbox, api = start()
    brokerage = {"id": "BinanceBrokerage", "binance-api-secret": "canary"}
    api("live/create", projectId=7, compileId="x", nodeId="y", brokerage=brokerage)
    assert "canary" not in str(sandbox.requests())


def test_the_log_is_read_from_where_one_left_off(start):
    sandbox, api = start()
    statuses(api, 3)
    assert [entry["number"] for entry in sandbox.requests(after=2)] == [3]


def test_the_log_can_be_cleared(start):
    sandbox, api = start()
    statuses(api, 3)
    sandbox.clear_requests()
    assert (sandbox.requests(), sandbox.counters()["requests"]) == ([], 0)


@pytest.mark.parametrize(("limit", "expected"), [({"requests": 0}, [429]), (None, [200])])
def test_the_limit_is_a_part_of_the_api_that_can_be_changed(start, limit, expected):
    sandbox, api = start({"api": {"rate_limit": {"requests": 1}}})
    api.post("authenticate")
    sandbox.set_api(rate_limit=limit)
    assert statuses(api, 1) == expected
