"""Counts what is stored of each deployment, and lists harvests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from quantconnect_provider.store.commit_unit import HarvestRecord
from quantconnect_provider.store.schema import deployments, harvests, insights
from quantconnect_provider.store.store import Store


@dataclass(frozen=True)
class DeploymentCount:
    """How much of a deployment is stored.

    :param insights: stored rows, those included that QuantConnect does not list any more.
    :param final: rows of these that are finally scored.
    :param harvested_at: when the last harvest that read to the end began.
    """

    project_id: int
    project_name: str | None
    deploy_id: str
    status: str | None
    insights: int
    final: int
    first_generated_at: datetime | None
    last_generated_at: datetime | None
    harvested_at: datetime | None


def count_deployments(store: Store, project_ids: Sequence[int] | None = None) -> list[DeploymentCount]:
    """Return what is stored of each deployment, by project and launch; None means of all projects."""
    kept, known = insights.c, deployments.c
    numbers = (
        select(
            kept.deploy_id,
            func.count().label("insights"),
            func.count(kept.score_is_final).filter(kept.score_is_final).label("final"),
            func.min(kept.generated_at).label("first"),
            func.max(kept.generated_at).label("last"),
        )
        .group_by(kept.deploy_id)
        .subquery()
    )
    query = (
        select(
            known.project_id,
            known.project_name,
            known.deploy_id,
            known.status,
            func.coalesce(numbers.c.insights, 0),
            func.coalesce(numbers.c.final, 0),
            numbers.c.first,
            numbers.c.last,
            known.complete_at,
        )
        .outerjoin(numbers, numbers.c.deploy_id == known.deploy_id)
        .order_by(known.project_id, known.launched_at, known.deploy_id)
    )
    if project_ids is not None:
        query = query.where(known.project_id.in_(project_ids))
    with store.read() as connection:
        return [DeploymentCount(*row) for row in connection.execute(query)]


def latest_harvests(
    store: Store, *, run_id: str | None = None, project_ids: Sequence[int] | None = None, limit: int = 100
) -> list[HarvestRecord]:
    """Return the newest rows of ``quantconnect_harvests`` first, of one run or of some projects if asked."""
    query = select(*(harvests.c[name] for name in HarvestRecord.__dataclass_fields__))
    if run_id is not None:
        query = query.where(harvests.c.run_id == run_id)
    if project_ids is not None:
        query = query.where(harvests.c.project_id.in_(project_ids))
    with store.read() as connection:
        rows = connection.execute(query.order_by(harvests.c.started_at.desc()).limit(limit))
        return [HarvestRecord(*row) for row in rows]
