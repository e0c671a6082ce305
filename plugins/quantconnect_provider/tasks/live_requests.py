"""Notes in the store what this Airflow asks QuantConnect to do, so that the watch can tell it from others."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.hooks.store import QuantConnectStoreHook
from quantconnect_provider.store.live_requests import LiveRequest, save_live_request
from quantconnect_provider.store.store import Store

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 5.0  # a note is not worth more of a stop's time


def note_live_request(
    context: Context, project_id: int, action: str, requested_at: datetime, deploy_id: str | None = None
) -> None:
    """Store what was asked for. No deploy or stop fails because the store does: that is only a warning.

    :param action: ``deploy``, ``stop`` or ``liquidate``.
    :param requested_at: the same in a second call, which adds the deployment.
    """
    request = LiveRequest(project_id, requested_at, action, deploy_id, context.get("run_id"))
    try:
        with Store.open(QuantConnectStoreHook().get_conn(), _PATIENCE_SECONDS) as store:
            save_live_request(store, request)
    except (QuantConnectError, SQLAlchemyError, OSError) as error:
        log.warning(
            "The store does not know of this %s, so that quantconnect_watch will take it for somebody "
            "else's: %s",
            action,
            error,
        )
