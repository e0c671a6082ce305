from __future__ import annotations

import threading
import time

import pytest
import requests

from quantconnect_provider.sandbox import VerbError


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_status_code_is_sent_before_or_after_the_request_took_effect(start, when):
    sandbox, api = start()
    api.built(7)
    sandbox.add_fault("projects/create", status=500, when=when)
    assert api.post("projects/create", name="New", language="Py").status_code == 500
    assert len(sandbox.projects()) == (2 if when == "after" else 1)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_is_dropped_before_or_after_the_request_took_effect(start, when):
    sandbox, api = start()
    sandbox.add_fault("projects/create", drop=True, when=when)
    with pytest.raises(requests.ConnectionError):
        api("projects/create", name="New", language="Py")
    assert len(sandbox.projects()) == (2 if when == "after" else 1)


def test_a_truncated_answer_announces_more_than_it_sends(start):
    sandbox, api = start()
    sandbox.add_fault("projects/read", truncate=True, when="after")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        api("projects/read")


def test_a_retry_after_goes_with_a_status(start):
    sandbox, api = start()
    sandbox.add_fault(status=503, retry_after=7)
    assert api.post("authenticate").headers["Retry-After"] == "7"


@pytest.mark.parametrize(("body", "begins"), [("html", "<html>"), ("json", "{"), ("empty", "")])
def test_a_status_has_the_body_that_was_asked_for(start, body, begins):
    sandbox, api = start()
    sandbox.add_fault(status=502, body=body)
    text = api.post("authenticate").text
    assert text.startswith(begins)
    assert bool(text) is bool(begins)


def test_a_loading_answer_replaces_the_data(start):
    sandbox, api = start()
    sandbox.add_fault("projects/read", loading=True)
    assert api("projects/read")["status"] == "loading"


def test_error_texts_come_with_http_200(start):
    sandbox, api = start()
    sandbox.add_fault("live/read", errors=["Internal Error 21"])
    response = api.post("live/read", projectId=7)
    assert (response.status_code, response.json()) == (
        200,
        {"errors": ["Internal Error 21"], "success": False},
    )


def test_a_slow_answer_is_an_answer(start):
    sandbox, api = start()
    sandbox.add_fault(delay_seconds=0.2)
    begun = time.monotonic()
    assert api("authenticate")["success"] is True
    assert time.monotonic() - begun >= 0.2


def test_a_hung_request_gets_no_answer_until_the_client_gives_up(start):
    sandbox, api = start()
    sandbox.add_fault(hang=True)
    with pytest.raises(requests.ReadTimeout):
        api.post("authenticate", timeout=0.2)


def test_clearing_a_fault_releases_requests_that_hang_on_it(start):
    sandbox, api = start()
    fault = sandbox.add_fault(hang=True)
    ended = threading.Event()

    def ask():
        with pytest.raises(requests.ConnectionError):
            api("authenticate")
        ended.set()

    threading.Thread(target=ask, daemon=True).start()
    while not sandbox.faults()[0]["applied"]:
        pass
    sandbox.clear_faults(fault)
    assert ended.wait(5)


def test_a_hung_request_does_not_keep_the_sandbox_from_stopping(start):
    sandbox, api = start()
    sandbox.add_fault(hang=True)
    caught = []

    def ask():
        try:
            api("authenticate")
        except requests.ConnectionError as error:
            caught.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    while not sandbox.faults()[0]["applied"]:
        pass
    sandbox.stop()
    asking.join(5)
    assert len(caught) == 1


def test_a_fault_strikes_from_the_nth_request_and_so_many_times(start):
    sandbox, api = start()
    sandbox.add_fault("authenticate", status=500, nth=2, times=2)
    assert [api.post("authenticate").status_code for _ in range(5)] == [200, 500, 500, 200, 200]


def test_a_fault_can_last(start):
    sandbox, api = start()
    sandbox.add_fault("authenticate", status=500, times=None)
    assert {api.post("authenticate").status_code for _ in range(5)} == {500}


def test_a_fault_with_a_probability_strikes_the_same_requests_for_the_same_seed(start):
    def struck():
        sandbox, api = start()
        sandbox.add_fault(status=500, times=None, probability=0.5)
        return [api.post("authenticate").status_code for _ in range(12)]

    first = struck()
    assert first == struck()
    assert set(first) == {200, 500}


def test_a_fault_matches_by_pattern(start):
    sandbox, api = start()
    sandbox.add_fault("live/*", status=500, times=None)
    statuses = [api.post(endpoint, projectId=7).status_code for endpoint in ("live/read", "compile/create")]
    assert statuses == [500, 200]


def test_a_fault_matches_by_project(start):
    sandbox, api = start({"projects": [{"name": "A", "id": 7}, {"name": "B", "id": 8}]})
    sandbox.add_fault(project_id=8, status=500, times=None)
    assert [api.post("compile/create", projectId=i).status_code for i in (7, 8)] == [200, 500]


def test_two_faults_strike_one_request_after_the_other(start):
    sandbox, api = start()
    sandbox.add_fault(status=500)
    sandbox.add_fault(status=502, nth=2)
    assert [api.post("authenticate").status_code for _ in range(3)] == [500, 502, 200]


def test_a_fault_can_carry_out_control_verbs_in_between(start):
    project = {"name": "Alpha", "id": 7, "insights": {"history": {"count": 150}}, "deployments": [{}]}
    sandbox, api = start({"projects": [project]})
    deploy_id = sandbox.deployments()[0]["deploy_id"]
    order = {"verb": "remove_insights", "deploy_id": deploy_id, "start": 0, "end": 20}
    sandbox.add_fault("live/insights/read", nth=2, control=[order])
    lengths = [api("live/insights/read", projectId=7, start=0, end=100)["length"] for _ in range(2)]
    assert lengths == [150, 130]


def test_faults_can_be_part_of_the_scenario(start):
    _, api = start({"faults": [{"endpoint": "authenticate", "status": 500}]})
    assert [api.post("authenticate").status_code for _ in range(2)] == [500, 200]


def test_a_fault_tells_how_often_it_was_met_and_struck(start):
    sandbox, api = start()
    sandbox.add_fault("authenticate", status=500, nth=2)
    for _ in range(3):
        api.post("authenticate")
    (fault,) = sandbox.faults()
    assert (fault["seen"], fault["applied"]) == (3, 1)


def test_a_fault_strikes_before_credentials_are_checked(start):
    sandbox, _ = start()
    sandbox.add_fault(status=500)
    assert requests.get(f"{sandbox.base_url}/authenticate", timeout=10).status_code == 500


def test_latency_delays_every_request(start):
    _, api = start({"api": {"latency_seconds": 0.1}})
    begun = time.monotonic()
    api("authenticate")
    assert time.monotonic() - begun >= 0.1


def test_a_truncated_download_ends_early(start):
    sandbox, api = start()
    sandbox.deploy(7)
    sandbox.add_fault("live/export/orders", truncate=True, when="after")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        api.post("live/export/orders", projectId=7)


def test_a_request_by_get_that_hangs_ends_when_its_client_leaves(start):
    sandbox, _ = start()
    sandbox.add_fault(hang=True)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.base_url}/authenticate", timeout=0.1)
    assert sandbox.counters()["outcomes"]["hung"] == 1


@pytest.mark.parametrize("fields", [{"nth": 0}, {"times": 0}, {"probability": 1.5}, {"probability": -0.1}])
def test_a_fault_that_could_never_strike_is_refused(start, fields):
    sandbox, _ = start()
    with pytest.raises(VerbError, match="a fault needs nth >= 1"):
        sandbox.add_fault(status=500, **fields)
