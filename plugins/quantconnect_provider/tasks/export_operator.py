"""What the operators that export share: a download that is streamed into a file or an object store."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.tasks.inputs import project_id_of, text_or_none
from quantconnect_provider.tasks.object_file import write_file
from quantconnect_provider.tasks.operator import QuantConnectOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import QuantConnectClient


class QuantConnectExportOperator(QuantConnectOperator):
    """An operator that writes a download of QuantConnect to a path.

    :param project_id: the project.
    :param path: where to: a local path or an address of an object store, like ``s3://bucket/orders.csv``.
        What is there is replaced, after the whole download has arrived.
    :param path_conn_id: id of the connection of the object store; None: its default.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    """

    template_fields: Sequence[str] = ("project_id", "path", "path_conn_id", "quantconnect_conn_id")

    def __init__(
        self,
        *,
        project_id: int | str | XComArg,
        path: str,
        path_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.path = path
        self.path_conn_id = path_conn_id

    @abstractmethod
    def pieces(self, client: QuantConnectClient, project_id: int) -> Iterator[bytes]:
        """Yield the download in pieces."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Download, then write; returns path and bytes."""
        address = text_or_none(self.path)
        if address is None:
            raise InvalidSettingError(
                "path is empty.", advice="Give a path or an address like s3://bucket/key."
            )
        with self.session() as client:
            pieces = self.pieces(client, project_id_of(self.project_id))
            size = write_file(address, text_or_none(self.path_conn_id), pieces)
        self.log.info("Wrote %s bytes to %s", f"{size:,}", address)
        return {"path": address, "bytes": size}
