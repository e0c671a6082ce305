"""A PostgreSQL store waits for nothing forever."""

from __future__ import annotations

from sqlalchemy import URL, make_url, text

from quantconnect_provider.store.database import open_engine


def setting(url: str | URL, name: str) -> str:
    engine = open_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text(f"SHOW {name}")).scalar_one()
    engine.dispose()
    return str(found)


def test_a_statement_ends_after_ten_minutes(postgres_server: str) -> None:
    assert setting(postgres_server, "statement_timeout") == "10min"


def test_a_transaction_that_a_lost_worker_left_open_ends_after_ten_minutes(postgres_server: str) -> None:
    assert setting(postgres_server, "idle_in_transaction_session_timeout") == "10min"


def test_the_address_may_say_otherwise(postgres_server: str) -> None:
    address = make_url(postgres_server).update_query_dict({"options": "-c statement_timeout=5000"})
    assert setting(address, "statement_timeout") == "5s"
