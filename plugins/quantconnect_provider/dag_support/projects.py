"""How the shipped DAGs reach QuantConnect: the client, the account in words, and the names of projects."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from quantconnect_provider.client.errors import CredentialsError, QuantConnectError
from quantconnect_provider.hooks.quantconnect import QuantConnectHook
from quantconnect_provider.tasks.operator import DEFAULT_CONN_ID

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)


def connect() -> QuantConnectClient:
    """Return a client for the default connection; the caller closes it."""
    return QuantConnectHook(DEFAULT_CONN_ID).get_conn()


def describe_account() -> str:
    """Return account and connection in words, e.g. ``user ***56, connection quantconnect_default``."""
    user_id = QuantConnectHook(DEFAULT_CONN_ID).access().account.user_id
    shown = user_id[-2:] if len(user_id) > 4 else ""
    return f"user ***{shown}, connection {DEFAULT_CONN_ID}"


def project_names(client: QuantConnectClient) -> dict[int, str]:
    """Return the projects' names (projects/read); none, and a warning, where they cannot be read.

    :raises CredentialsError: when the API does not accept the connection.
    """
    try:
        return {project.project_id: project.name for project in client.list_projects()}
    except CredentialsError:
        raise
    except QuantConnectError as error:
        log.warning("The names of the projects could not be read: %s", error)
        return {}
