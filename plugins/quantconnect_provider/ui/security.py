"""Who may see what, and the headers that every answer carries.

Every route demands a logged-in user who may see plugins. What a DAG produced needs the right to read that
DAG:

=======================================  ================================
what                                     right to read
=======================================  ================================
deployments, insights, harvests, scores  ``quantconnect_harvest_insights``
equity, events                           ``quantconnect_watch``
the tab of a task                        XComs of that task's DAG
=======================================  ================================

Without the second right the page works, and shows nothing of equity and events.
"""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag, requires_access_view
from fastapi import Depends, HTTPException, Request

HARVEST_DAG = "quantconnect_harvest_insights"
WATCH_DAG = "quantconnect_watch"

SEE_PLUGINS = Depends(requires_access_view(AccessView.PLUGINS))
READ_HARVEST = Depends(requires_access_dag("GET", param_dag_id=HARVEST_DAG))
READ_XCOM = Depends(requires_access_dag("GET", DagAccessEntity.XCOM))
"""For routes with the query parameter ``dag_id``."""

_read_watch = requires_access_dag("GET", param_dag_id=WATCH_DAG)

# The page itself needs nothing but its own files. Only Airflow may frame it.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def _may_read_watch(request: Request, user: GetUserDep) -> bool:
    try:
        _read_watch(request, user)
    except HTTPException:
        return False
    return True


MayReadWatch = Annotated[bool, Depends(_may_read_watch)]


def answer_headers(is_static: bool) -> dict[str, str]:
    """Return the headers of an answer.

    :param is_static: a browser may keep files that come with the package, and asks whether they changed;
        nothing keeps data.
    """
    return {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache" if is_static else "no-store",
    }
