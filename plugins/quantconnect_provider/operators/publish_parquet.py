"""Publishing the store as Parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, ObjectStoragePath

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.hooks.store import QuantConnectStoreHook
from quantconnect_provider.retry import QuantConnectRetryPolicy
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import flag_of, one_of, text_or_none, texts_of

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg


class QuantConnectPublishParquetOperator(BaseOperator):
    """Publishes tables of the store as Parquet files, each table in a folder of its own.

    Only files whose rows have changed since the last time are written. A reader finds each row once, whatever
    happens to the task; the next run completes what a killed one has left. Needs the extra ``parquet``.
    Returns counts: files, written, removed, rows and bytes written.

    :param path: the folder: a local path or an address of an object store, like ``s3://bucket/quantconnect``.
    :param path_conn_id: id of the connection of the object store; None: its default.
    :param data_sets: names of those to publish, of :data:`quantconnect_provider.publish.DATA_SETS`; None is
        all.
    :param full: write all files again.
    :param store_conn_id: id of the database connection of the store; when it is not defined, the store is
        the SQLite file ``quantconnect.db`` in ``AIRFLOW_HOME``.
    """

    template_fields: Sequence[str] = ("path", "path_conn_id", "data_sets", "full", "store_conn_id")
    ui_color = "#f5ae29"
    ui_fgcolor = "#000000"

    def __init__(
        self,
        *,
        path: str,
        path_conn_id: str | None = None,
        data_sets: Sequence[str] | str | XComArg | None = None,
        full: bool | str = False,
        store_conn_id: str = "quantconnect_store",
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("retry_policy", QuantConnectRetryPolicy())
        super().__init__(**kwargs)
        self.path = path
        self.path_conn_id = path_conn_id
        self.data_sets = data_sets
        self.full = full
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, int]:
        """Compare the store with what was published, and write what has changed.

        :raises QuantConnectTaskFailed: when a parameter cannot be right, or an extra is not installed.
        :raises PublishBusyError: when another run is publishing into the folder.
        """
        with plain_errors():
            # pyarrow is installed with an extra, and a DAG file must be parsed without it.
            try:
                from quantconnect_provider.publish import DATA_SETS, publish  # noqa: PLC0415
            except ModuleNotFoundError as error:
                raise InvalidSettingError(
                    f"Parquet files need {error.name}, which is not installed.",
                    advice="pip install 'airflow-provider-quantconnect[parquet]'",
                ) from error
            from quantconnect_provider.store import Store  # noqa: PLC0415 - nor without the database's libraries

            names = texts_of(self.data_sets, "data_sets")
            for name in names or ():
                one_of(name, DATA_SETS, "data_sets")
            full = flag_of(self.full, "full")
            folder = _folder(text_or_none(self.path), text_or_none(self.path_conn_id))
            with Store.open(QuantConnectStoreHook(self.store_conn_id).get_conn()) as store:
                return publish(store, folder, names, full=full).counts()


def _folder(address: str | None, conn_id: str | None) -> ObjectStoragePath:
    if address is None:
        raise InvalidSettingError(
            "path is empty.", advice="Give a path or an address like s3://bucket/quantconnect."
        )
    if "://" not in address and not address.startswith("/"):
        raise InvalidSettingError(
            f"path is {address}, which is not absolute.", advice="Tasks run in different directories."
        )
    try:
        folder = ObjectStoragePath(address, conn_id=conn_id)
        _ = folder.fs
    except (ValueError, ImportError) as error:
        scheme = address.partition("://")[0]
        raise InvalidSettingError(
            f"path begins with {scheme}://, which cannot be opened: {error}.",
            advice="Install the Airflow provider of this object store, with its file system: "
            "apache-airflow-providers-amazon[s3fs] for s3://, apache-airflow-providers-google for gs://.",
        ) from error
    return folder
