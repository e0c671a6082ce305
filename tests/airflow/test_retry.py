"""The retry policy, and how errors end a task."""

from __future__ import annotations

import pickle
import traceback
from datetime import timedelta

import pytest
from airflow.sdk import RetryAction

from quantconnect_provider.client.errors import (
    CredentialsError,
    InvalidSettingError,
    OutcomeUnknownError,
    QuantConnectError,
    RateLimitedError,
    RefusedError,
    ServerError,
    UnreachableError,
)
from quantconnect_provider.live.deployment_errors import (
    BuildFailedError,
    DeploymentUncertainError,
    NoFreeNodeError,
    NotDeployedError,
)
from quantconnect_provider.retry import QuantConnectRetryPolicy
from quantconnect_provider.tasks.failures import QuantConnectTaskFailed, plain_errors

POLICY = QuantConnectRetryPolicy()


@pytest.mark.parametrize(
    "error",
    [
        CredentialsError("no"),
        InvalidSettingError("no"),
        RefusedError("no"),
        OutcomeUnknownError("?"),
        DeploymentUncertainError("?"),
        BuildFailedError("no"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_be_cured_or_costs_money_fails_at_once(error: QuantConnectError) -> None:
    assert POLICY.evaluate(error, 1, 3).action is RetryAction.FAIL
    with pytest.raises(QuantConnectTaskFailed), plain_errors():
        raise error


@pytest.mark.parametrize(
    "error",
    [ServerError("busy"), UnreachableError("gone"), NoFreeNodeError("full"), NotDeployedError("nothing")],
    ids=lambda error: type(error).__name__,
)
def test_what_may_pass_is_tried_again(error: QuantConnectError) -> None:
    decision = POLICY.evaluate(error, 1, 3)
    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, None)
    with pytest.raises(type(error)), plain_errors():
        raise error


def test_api_says_how_long_to_wait() -> None:
    error = RateLimitedError("slow down", retry_after_seconds=90)
    assert POLICY.evaluate(error, 1, 3).retry_delay == timedelta(seconds=90)


def test_errors_of_others_keep_the_tasks_own_behaviour() -> None:
    assert POLICY.evaluate(KeyError("x"), 1, 3).action is RetryAction.DEFAULT


def test_policy_survives_serialization() -> None:
    assert isinstance(QuantConnectRetryPolicy.deserialize(POLICY.serialize()), QuantConnectRetryPolicy)
    assert isinstance(pickle.loads(pickle.dumps(POLICY)), QuantConnectRetryPolicy)


@pytest.mark.parametrize("kind", [ServerError, RefusedError])
def test_users_error_is_one_line_without_its_way(kind: type[QuantConnectError]) -> None:
    def deep() -> None:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise kind("It did not work.") from error

    with pytest.raises((kind, QuantConnectTaskFailed)) as caught, plain_errors():
        deep()
    shown = "".join(traceback.format_exception(caught.value))
    assert "It did not work." in shown
    assert "deep" not in shown
    assert "KeyError" not in shown


def test_bug_keeps_its_traceback() -> None:
    def buggy() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught, plain_errors():
        buggy()
    assert "buggy" in "".join(traceback.format_exception(caught.value))
