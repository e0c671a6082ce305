"""Which of a database's errors pass by themselves, in the words of the database."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError

from quantconnect_provider.store.store_errors import error_of, store_errors


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


def test_an_error_that_only_a_bug_explains_stays_what_it_is() -> None:
    """It needs its traceback, not advice for the person that runs the database."""
    with pytest.raises(ProgrammingError, match="no such column"), store_errors("sqlite:///store.db"):
        raise ProgrammingError("SELECT nothing", {}, Exception("no such column: nothing"))


def test_an_operational_error_in_unknown_words_is_the_database_s() -> None:
    found = error_of(OperationalError("SELECT 1", {}, Exception("the moon is full")), "sqlite:///store.db")
    assert found is not None
    assert "the moon is full" in str(found)
    assert (found.passes, found.retryable) == (False, True)
