"""A PostgreSQL store waits for nothing forever."""

from __future__ import annotations

from sqlalchemy import text

from quantconnect_provider.store.database import open_engine


def setting(url: str, name: str) -> str:
    engine = open_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text(f"SHOW {name}")).scalar_one()
    engine.dispose()
    return str(found)


def test_a_statement_ends_after_ten_minutes(postgres_url: str) -> None:
    assert setting(postgres_url, "statement_timeout") == "10min"


def test_a_transaction_that_a_lost_worker_left_open_ends_after_ten_minutes(postgres_url: str) -> None:
    assert setting(postgres_url, "idle_in_transaction_session_timeout") == "10min"


def test_the_address_may_say_otherwise(postgres_url: str) -> None:
    address = f"{postgres_url}?options=-c%20statement_timeout%3D5000"
    assert setting(address, "statement_timeout") == "5s"
