"""Reading the log of a project's live deployment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider.live.log_lines import LogLines, find_lines
from quantconnect_provider.plain_text import counted, visible
from quantconnect_provider.tasks.inputs import is_nothing, project_id_of, text_or_none, whole_number_of
from quantconnect_provider.tasks.object_file import write_file
from quantconnect_provider.tasks.operator import QuantConnectOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import QuantConnectClient


class QuantConnectReadLogsOperator(QuantConnectOperator):
    """Reads lines of a project's log (live/logs/read) into the task's log, or into a file.

    By default the newest lines of the newest deployment. The result says how many lines there were and where
    to read on, and has none of them. The API's log is up to five minutes old.

    :param project_id: the project.
    :param deploy_id: which deployment; by default the project's newest.
    :param start_line: read from this line of the project's log on, oldest first, also those of other
        deployments: the ``next_line`` of an earlier result. With *query*, the matching lines are counted.
    :param max_lines: how many lines at most; a request has 250.
    :param query: only lines of the project's log that contain this, in upper or lower case, oldest first,
        also those of other deployments.
    :param path: write the lines there, and not into the task's log: a local path or an address of an object
        store. What is there is replaced after all lines have arrived.
    :param path_conn_id: id of the connection of the object store; None: its default.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    """

    template_fields: Sequence[str] = (
        "project_id",
        "deploy_id",
        "start_line",
        "max_lines",
        "query",
        "path",
        "path_conn_id",
        "quantconnect_conn_id",
    )

    def __init__(
        self,
        *,
        project_id: int | str | XComArg,
        deploy_id: str | XComArg | None = None,
        start_line: int | str | XComArg | None = None,
        max_lines: int | str = 1000,
        query: str | None = None,
        path: str | None = None,
        path_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.deploy_id = deploy_id
        self.start_line = start_line
        self.max_lines = max_lines
        self.query = query
        self.path = path
        self.path_conn_id = path_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read window by window; returns ids, counts and the path."""
        with self.session() as client:
            project_id = project_id_of(self.project_id)
            deploy_id = text_or_none(self.deploy_id) or client.read_live(project_id).deploy_id
            lines = self._find(client, project_id, deploy_id)
            first = lines.next_line
            path = text_or_none(self.path)
            if path is None:
                self._log(lines, project_id)
            else:
                pieces = (
                    "".join(f"{line}\n" for line in window).encode(errors="replace") for window in lines
                )
                size = write_file(path, text_or_none(self.path_conn_id), pieces)
                self.log.info("Wrote %s, %s bytes, to %s", counted(lines.count, "line"), f"{size:,}", path)
        return {
            "project_id": project_id,
            "deploy_id": deploy_id,
            "lines": lines.count,
            "start_line": first,
            "next_line": lines.next_line,
            "path": path,
        }

    def _find(self, client: QuantConnectClient, project_id: int, deploy_id: str) -> LogLines:
        """Return the lines to read, not read yet."""
        most = whole_number_of(self.max_lines, "max_lines", minimum=1)
        query = text_or_none(self.query)
        if query is not None or not is_nothing(self.start_line):
            given = 0 if is_nothing(self.start_line) else self.start_line
            start = whole_number_of(given, "start_line", minimum=0)
            return LogLines(
                client, project_id, deploy_id, start_line=start, end_line=start + most, query=query
            )
        first, end = find_lines(client, project_id, deploy_id)
        if end is None:
            return LogLines(client, project_id, deploy_id, start_line=first, end_line=first + most)
        return LogLines(client, project_id, deploy_id, start_line=max(first, end - most), end_line=end)

    def _log(self, lines: LogLines, project_id: int) -> None:
        with self.log_group(f"Log of project {project_id}, from line {lines.next_line:,} on"):
            for window in lines:
                for line in window:
                    self.log.info("%s", visible(line))
        self.log.info("Read %s.", counted(lines.count, "line"))
