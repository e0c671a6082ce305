from __future__ import annotations

import logging

import pytest

from quantconnect_provider.client import Compile
from quantconnect_provider.live.deploy.build import build_succeeded, start_build, wait_for_build
from quantconnect_provider.live.deployment_errors import BuildFailedError, WaitTimeoutError
from quantconnect_provider.live.polling import Polling
from tests.live.task import PROJECT, Desk

SOON = Polling(interval_seconds=0.01)


def test_a_good_build_is_waited_for(desk: Desk) -> None:
    desk.sandbox.configure_project(PROJECT, build={"polls": 2})
    build = start_build(desk.setup, PROJECT)

    done = wait_for_build(desk.setup, PROJECT, build.compile_id, deadline=SOON.clock() + 5, polling=SOON)

    assert (done.compile_id, done.state) == (build.compile_id, "BuildSuccess")


def test_a_bad_build_shows_the_compiler_s_lines(desk: Desk) -> None:
    lines = ["Build Error: File: main.py Line:12 Column:0 - Unexpected token"]
    desk.sandbox.configure_project(PROJECT, build={"result": "BuildError", "logs": lines})
    build = start_build(desk.setup, PROJECT)

    with pytest.raises(BuildFailedError, match=r"main\.py Line:12") as error:
        wait_for_build(desk.setup, PROJECT, build.compile_id, deadline=SOON.clock() + 5, polling=SOON)

    assert not error.value.retryable


def test_a_build_that_does_not_end_is_given_up_at_the_deadline(desk: Desk) -> None:
    desk.sandbox.configure_project(PROJECT, build={"polls": 1000})
    build = start_build(desk.setup, PROJECT)

    with pytest.raises(WaitTimeoutError, match="InQueue"):
        wait_for_build(desk.setup, PROJECT, build.compile_id, deadline=SOON.clock() + 0.05, polling=SOON)


def test_a_poll_that_fails_does_not_end_the_wait(desk: Desk) -> None:
    build = start_build(desk.setup, PROJECT)
    desk.sandbox.add_fault("compile/read", status=502)

    done = wait_for_build(desk.setup, PROJECT, build.compile_id, deadline=SOON.clock() + 5, polling=SOON)

    assert done.state == "BuildSuccess"


def test_an_unknown_state_is_reported_and_waited_through(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not build_succeeded(Compile(compile_id="c", state="Resting"))

    assert "Resting" in caplog.text


def test_very_long_compiler_logs_are_cut() -> None:
    with pytest.raises(BuildFailedError, match="60 more lines"):
        build_succeeded(Compile(compile_id="c", state="BuildError", logs=[f"line {n}" for n in range(100)]))
