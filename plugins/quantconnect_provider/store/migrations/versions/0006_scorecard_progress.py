"""Which insights the scorecards hold, and the numbers of insights that their figures come from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

# As the schema had it in this version. What has been released is history and stays as it is.
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns, the table of progress, and the indexes that find changed insights."""
    for name in ("returns", "information_coefficient_pairs"):
        op.add_column("quantconnect_scorecards", _count(name))
    op.add_column("quantconnect_scorecards", sa.Column("information_coefficient_of", sa.Text()))
    for name in ("commits", "commits_in_scorecards"):
        op.add_column("quantconnect_harvests", _count(name))
    op.create_table(
        "quantconnect_scorecard_progress",
        sa.Column("project_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("observed_up_to", _TIME),
        sa.Column("revision", sa.Integer(), nullable=False),
    )
    insights = "quantconnect_insights"
    op.create_index(f"{insights}_observed", insights, ["project_id", "observed_at"])
    series = [sa.text(f"coalesce(substr({name}, 1, 200), '')") for name in ("source_model", "ticker")]
    op.create_index(f"{insights}_series", insights, ["project_id", *series])


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default="0")
