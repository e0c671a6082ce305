from __future__ import annotations

import hashlib
import time
from email.utils import parsedate_to_datetime

import pytest
import requests


def signed(base_url, token="sandbox", user="1", stamp=None, **headers):
    stamp = str(int(time.time())) if stamp is None else stamp
    signature = hashlib.sha256(f"{token}:{stamp}".encode()).hexdigest()
    headers = {"Timestamp": stamp, **headers}
    return requests.get(f"{base_url}/authenticate", auth=(user, signature), headers=headers, timeout=10)


def test_a_fresh_signature_is_accepted(start):
    sandbox, _ = start()
    assert signed(sandbox.base_url).json()["success"] is True


@pytest.mark.parametrize("offset", [-7100, 7100])
def test_a_signature_within_the_window_is_accepted(start, offset):
    sandbox, _ = start()
    assert signed(sandbox.base_url, stamp=str(int(time.time()) + offset)).json()["success"] is True


@pytest.mark.parametrize("offset", [-7300, 7300])
def test_a_signature_outside_the_window_is_refused(start, offset):
    sandbox, _ = start()
    answer = signed(sandbox.base_url, stamp=str(int(time.time()) + offset)).json()
    assert answer["errors"][0].startswith("Hash doesn't match.")


def test_a_wrong_token_is_refused_with_http_200(start):
    sandbox, _ = start()
    response = signed(sandbox.base_url, token="wrong")
    assert response.status_code == 200
    assert response.json()["success"] is False
    assert response.json()["errors"][0].startswith("Hash doesn't match.")


def test_an_unknown_user_is_named_as_such(start):
    sandbox, _ = start()
    assert signed(sandbox.base_url, user="2").json()["errors"][0].startswith("UserID not valid (None) REF #")


@pytest.mark.parametrize("stamp", ["", "yesterday"])
def test_a_garbled_timestamp_is_refused(start, stamp):
    sandbox, _ = start()
    errors = signed(sandbox.base_url, stamp=stamp).json()["errors"]
    assert errors == ["Invalid timestamp, value received: 0"]


def test_credentials_can_be_refused_with_http_401(start):
    sandbox, _ = start({"api": {"auth_failure": "http401"}})
    response = signed(sandbox.base_url, token="wrong")
    assert response.status_code == 401
    assert "WWW-Authenticate" in response.headers


def test_the_date_header_can_be_skewed(start):
    sandbox, _ = start({"api": {"clock_skew_seconds": -9000}})
    date = parsedate_to_datetime(signed(sandbox.base_url).headers["Date"])
    assert date.timestamp() - time.time() == pytest.approx(-9000, abs=5)


def test_a_refused_request_has_no_effect(start):
    sandbox, _ = start()
    requests.post(f"{sandbox.base_url}/projects/create", json={"name": "New"}, auth=("1", "x"), timeout=10)
    assert [project["name"] for project in sandbox.projects()] == ["Alpha"]


def test_a_double_slash_as_in_the_documentation_is_understood(start):
    sandbox, _ = start()
    assert signed(sandbox.base_url + "/").json()["success"] is True


def test_an_unknown_endpoint_is_a_404(start):
    _, api = start()
    response = api.post("live/reed")
    assert (response.status_code, response.json()["success"]) == (404, False)
