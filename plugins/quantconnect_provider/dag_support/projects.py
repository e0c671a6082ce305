"""The shipped DAGs' way to QuantConnect, and to the names of projects."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from quantconnect_provider.tasks.operator import DEFAULT_CONN_ID

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)


def connect() -> QuantConnectClient:
    """Return a client for the default connection; the caller closes it."""
    from quantconnect_provider.hooks.quantconnect import QuantConnectHook

    return QuantConnectHook(DEFAULT_CONN_ID).get_conn()


def project_names(client: QuantConnectClient) -> dict[int, str]:
    """Return the projects' names. They only make things easier to read, so that they may be missing."""
    from quantconnect_provider.client.errors import CredentialsError, QuantConnectError

    try:
        return {project.project_id: project.name for project in client.list_projects()}
    except CredentialsError:
        raise
    except QuantConnectError as error:
        log.warning("The projects' names cannot be read: %s", error)
        return {}
