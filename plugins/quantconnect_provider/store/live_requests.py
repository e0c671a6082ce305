"""What this Airflow asked QuantConnect to do, so that the watch can tell it from what others did."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from quantconnect_provider.store.store import Store
from quantconnect_provider.store.watch_tables import live_requests

DEPLOY, STOP, LIQUIDATE = "deploy", "stop", "liquidate"

UNCLEAR = timedelta(hours=1)
"""How long a request for a deployment whose id is unknown may explain what happens in the project."""


@dataclass(frozen=True)
class LiveRequest:
    """A row of ``quantconnect_live_requests``.

    :param action: ``deploy``, ``stop`` or ``liquidate``.
    :param deploy_id: the deployment that it made or ended; None as long as that is unknown.
    :param run_id: the DAG run that asked.
    """

    project_id: int
    requested_at: datetime
    action: str
    deploy_id: str | None = None
    run_id: str | None = None

    def made(self, deploy_id: str, launched_at: datetime | None) -> bool:
        """Whether the deployment comes from this request."""
        if self.action != DEPLOY:
            return False
        if self.deploy_id is not None:
            return self.deploy_id == deploy_id
        return launched_at is None or abs(launched_at - self.requested_at) <= UNCLEAR

    def ended(self, deploy_id: str, at: datetime) -> bool:
        """Whether this request explains that the deployment is over *at* that time.

        A deploy may have stopped it to make room.
        """
        if self.action == DEPLOY:
            return self.deploy_id != deploy_id and abs(at - self.requested_at) <= UNCLEAR
        return self.deploy_id == deploy_id


def save_live_request(store: Store, request: LiveRequest) -> None:
    """Store a request; a second call with the same project, time and action only adds the deployment."""

    def save(connection: Any) -> None:
        upsert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        statement = upsert(live_requests).values(**vars(request))
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["project_id", "requested_at", "action"],
                set_={"deploy_id": statement.excluded.deploy_id},
            )
        )

    store.write(save)


def load_live_requests(store: Store, project_ids: Collection[int]) -> dict[int, list[LiveRequest]]:
    """Return the requests about these projects, by project."""
    found: dict[int, list[LiveRequest]] = {}
    ids = sorted(project_ids)
    with store.read() as connection:
        for start in range(0, len(ids), 500):
            query = select(live_requests).where(live_requests.c.project_id.in_(ids[start : start + 500]))
            for row in connection.execute(query):
                found.setdefault(row.project_id, []).append(LiveRequest(**row._mapping))
    return found
