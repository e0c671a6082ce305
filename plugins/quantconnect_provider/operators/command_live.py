"""Sending a command to live algorithms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.errors import InvalidSettingError, QuantConnectError
from quantconnect_provider.client.status import Phase, phase_of
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.tasks.failures import TaskFailed
from quantconnect_provider.tasks.inputs import flag_of, is_nothing, mapping_of, project_id_of, text_or_none
from quantconnect_provider.tasks.notes import notes_of
from quantconnect_provider.tasks.operator import QuantConnectOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.live.notes import TaskNotes

NOTE = "command"


class QuantConnectCommandLiveOperator(QuantConnectOperator):
    """Sends a command to a project's running algorithm, or to all of an organization, once.

    Each task instance sends at most once: neither a retry nor a cleared task sends again after a request that
    may have arrived. Accepted is not executed: what the algorithm does with the command shows in its log. A
    command that comes before the algorithm is up is lost without an error, so the project's deployment must
    be running. Returns the ids, and when the command was accepted.

    :param command: what the algorithm's ``on_command`` gets, as an object or its JSON; with ``$type`` one of
        its command classes.
    :param project_id: the project.
    :param broadcast: send it to all running algorithms of the organization instead.
    :param organization_id: that organization; by default that of the connection.
    :param exclude_project_id: a project that a broadcast leaves out.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    """

    template_fields: Sequence[str] = (
        "command",
        "project_id",
        "broadcast",
        "organization_id",
        "exclude_project_id",
        "quantconnect_conn_id",
    )

    def __init__(
        self,
        *,
        command: Mapping[str, Any] | str | XComArg,
        project_id: int | str | XComArg | None = None,
        broadcast: bool | str = False,
        organization_id: str | None = None,
        exclude_project_id: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.command = command
        self.project_id = project_id
        self.broadcast = broadcast
        self.organization_id = organization_id
        self.exclude_project_id = exclude_project_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the command, unless an earlier attempt may have."""
        with self.session() as client:
            notes = notes_of(context)
            earlier = notes.get(NOTE)
            if earlier and earlier["accepted"]:
                self.log.info(
                    "The command was accepted at %s; it is not sent again. A new run sends another.",
                    earlier["result"]["accepted_at"],
                )
                return dict(earlier["result"])
            if earlier:
                raise TaskFailed(
                    "An earlier attempt of this task may have sent the command; it is not sent again. See "
                    "the algorithm's log, and trigger a new run if the command did not arrive."
                )
            return self._send(client, notes)

    def _send(self, client: QuantConnectClient, notes: TaskNotes) -> dict[str, Any]:
        command = mapping_of(self.command, "command")
        if command is None:
            raise InvalidSettingError("command is empty.", advice='Write it like {"name": "value"}.')
        everyone = flag_of(self.broadcast, "broadcast")
        if everyone != is_nothing(self.project_id):
            raise InvalidSettingError(
                "Exactly one of project_id and broadcast is needed.",
                advice="Give project_id, or set broadcast to send the command to all running algorithms.",
            )
        target = {"broadcast": True} if everyone else self._running_deployment(client)
        notes.set(NOTE, {"accepted": False})
        try:
            if everyone:
                excluded = None if is_nothing(self.exclude_project_id) else project_id_of(
                    self.exclude_project_id, "exclude_project_id"
                )  # fmt: skip
                organization_id = text_or_none(self.organization_id)
                client.broadcast_command(
                    command, organization_id=organization_id, exclude_project_id=excluded
                )
            else:
                client.create_command(target["project_id"], command)
        except QuantConnectError as error:
            if not error.maybe_applied:
                notes.set(NOTE, {})  # nothing arrived: another attempt may send it
            raise
        result = {**target, "accepted_at": utc_now().isoformat()}
        notes.set(NOTE, {"accepted": True, "result": result})
        self.log.info("QuantConnect accepted the command; its effect shows in the algorithm's log.")
        if everyone:
            self.log.warning("Algorithms that were not up yet do not get it.")
        return result

    def _running_deployment(self, client: QuantConnectClient) -> dict[str, Any]:
        """Return the project's newest deployment, which must be running."""
        deployment = client.read_live(project_id_of(self.project_id))
        phase = phase_of(deployment.status, deployment.stopped_at, deployment.launched_at)
        if phase is not Phase.RUNNING:
            raise TaskFailed(
                f"Project {deployment.project_id}: {deployment.deploy_id} is {deployment.status}. A command "
                "would be lost, so it was not sent. Wait until it is running, e.g. with "
                "QuantConnectLiveStatusSensor."
            )
        return {"project_id": deployment.project_id, "deploy_id": deployment.deploy_id}
