"""Reads the lines of a project's log, window by window.

The API counts the lines of all deployments of a project through. It says where those of a deployment begin,
and not where they end: that is where those of the next deployment begin.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from quantconnect_provider.client.models import LiveSummary

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

WINDOW = 250
"""Lines in one request, at most."""


class LogLines:
    """Lines of a project's log, oldest first; iterate over it to read them, a list for each request.

    :param deploy_id: a deployment of the project, which the API wants named.
    :param start_line: the first line, from 0; with *query*, the first of those that contain it.
    :param end_line: the end of the lines (exclusive); None: the end of the log.
    :param query: only lines that contain this, in upper or lower case.
    """

    def __init__(
        self,
        client: QuantConnectClient,
        project_id: int,
        deploy_id: str,
        *,
        start_line: int,
        end_line: int | None = None,
        query: str | None = None,
    ) -> None:
        self._client = client
        self._project_id, self._deploy_id, self._query = project_id, deploy_id, query
        self._end = end_line
        self.next_line = start_line
        self.count = 0

    def __iter__(self) -> Iterator[list[str]]:
        """Send a request for each window.

        ``count`` is how many lines came, ``next_line`` where to read on.

        :raises QuantConnectError: if a window cannot be read.
        """
        while self._end is None or self.next_line < self._end:
            start = self.next_line
            end = start + WINDOW if self._end is None else min(start + WINDOW, self._end)
            page = self._client.read_live_logs(self._project_id, self._deploy_id, start, end, self._query)
            is_last = len(page.lines) < end - start
            if page.length is not None and not self._query:
                # Empty lines are left out of a page, so that a short one need not be the last.
                is_last = page.length <= end
                end = max(start, min(end, page.length))
            elif is_last:
                end = start + len(page.lines)
            self.next_line = end
            self.count += len(page.lines)
            if page.lines:
                yield page.lines
            if is_last:
                return


def find_lines(client: QuantConnectClient, project_id: int, deploy_id: str) -> tuple[int, int | None]:
    """Return where the lines of a deployment begin and end in the project's log.

    The end is None where the API gives no length. Asks live/list, and live/logs/read once or twice.

    :raises QuantConnectError: if one of them cannot be read.
    """
    head = client.read_live_logs(project_id, deploy_id, 0, 1)
    end = head.length
    if follower := _follower(client.list_live(project_id), deploy_id):
        offset = client.read_live_logs(project_id, follower, 0, 1).deployment_offset
        end = end if offset is None else offset
    return head.deployment_offset or 0, end


def _follower(rows: list[LiveSummary], deploy_id: str) -> str | None:
    """Return the deployment of the project that was launched next after this one."""
    launched = sorted((row.launched_at, row.deploy_id) for row in rows if row.launched_at is not None)
    ids = [each for _, each in launched]
    later = ids[ids.index(deploy_id) + 1 :] if deploy_id in ids else []
    return later[0] if later else None
