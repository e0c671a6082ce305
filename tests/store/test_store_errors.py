"""Which of a database's errors pass by themselves, in the words of the database."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from quantconnect_provider.store.store_errors import error_of


@pytest.mark.parametrize(
    "said",
    [
        "FATAL:  the database system is starting up",
        "FATAL:  the database system is not yet accepting connections",
        "FATAL:  the database system is shutting down",
        "server closed the connection unexpectedly",
        "FATAL:  sorry, too many clients already",
        "database is locked",
    ],
)
def test_what_passes_is_waited_for(said: str) -> None:
    found = error_of(OperationalError("SELECT 1", {}, Exception(said)), "postgresql://store")
    assert found is not None
    assert found.passes


def test_a_wrong_password_is_not_waited_for() -> None:
    said = 'FATAL:  password authentication failed for user "airflow"'
    found = error_of(OperationalError("SELECT 1", {}, Exception(said)), "postgresql://store")
    assert found is not None
    assert (found.passes, found.retryable) == (False, False)
