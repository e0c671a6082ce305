"""Making a live deployment; offered by `quantconnect_provider.operators.live`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from quantconnect_provider import config
from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.status import RESTART_GRACE_SECONDS
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.live.deploy.create import Deployment, create_once
from quantconnect_provider.live.deploy.journal import mark_failed, mark_finished
from quantconnect_provider.live.post_mortem import deployment_failed
from quantconnect_provider.live.waiting import RUNNING, WaitResult, WaitState
from quantconnect_provider.tasks.deploy_request import DeployRequest, ResolvedDeployRequest
from quantconnect_provider.tasks.failures import hiding, plain_errors
from quantconnect_provider.tasks.form_option import takes
from quantconnect_provider.tasks.inputs import flag_of, project_id_of
from quantconnect_provider.tasks.live_requests import note_live_request
from quantconnect_provider.tasks.notes import notes_of
from quantconnect_provider.tasks.waiting import WaitingOperator, wait_result_of
from quantconnect_provider.triggers.live import LiveStatusTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import LiveSpec, QuantConnectClient
    from quantconnect_provider.live.notes import TaskNotes


class QuantConnectCreateLiveOperator(WaitingOperator):
    """Deploys a project once, whatever happens to the request, the answer or the worker, and waits for it.

    It notes each request before it sends it. After an unclear answer, and in every later attempt, it finds
    out what that request started instead of sending another. Killing or clearing the task stops nothing.
    Returns project id, deployment id, status, and how the deployment became this task's: ``created``,
    ``adopted``, ``found`` or ``resumed``.

    It also takes every option of ``tasks.deploy_request.DeployRequest``: project_id, brokerage_conn_id,
    live_node_id, version_id, if_running, cash, holdings, parameters, data_providers, automatic_redeploy and
    notification.

    :param compile_id: a build of the project, from `QuantConnectCompileOperator`.
    :param on_clear: for a cleared task whose deployment is over: ``reuse`` fails, ``deploy`` deploys again.
    :param wait_for_running: wait until it runs; otherwise the task ends when it is created.
    :param only_paper: refuse, before anything is sent, a deployment that is not proven to be paper trading.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    :param deferrable: wait in the triggerer and free the worker.
    :param timeout_seconds: how long it may take to run; default ``[quantconnect] deploy_timeout_seconds``.
    :param poll_interval_seconds: between two polls.
    """

    template_fields: Sequence[str] = (
        *DeployRequest.arguments().values(),
        "compile_id",
        "on_clear",
        "only_paper",
        "quantconnect_conn_id",
    )

    project_id: int | str | XComArg
    if_running: str

    @takes(DeployRequest)
    def __init__(
        self,
        *,
        compile_id: str | XComArg,
        on_clear: str = "reuse",
        wait_for_running: bool = True,
        only_paper: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.compile_id = compile_id
        self.on_clear = on_clear
        self.wait_for_running = wait_for_running
        self.only_paper = only_paper

    def execute(self, context: Context) -> dict[str, Any]:
        """Find this task's deployment or make it, then wait here or in the triggerer."""
        with plain_errors():
            request = self._resolve()
        notes = notes_of(context)
        with self.session() as client, hiding(request.secrets):
            project_id, requested_at = request.spec.project_id, utc_now()
            note_live_request(context, project_id, "deploy", requested_at)
            made = self._make(client, request.spec, notes)
            self.show_links(context)
            note_live_request(context, project_id, "deploy", requested_at, deploy_id=made.deploy_id)
            if not self.wait_for_running:
                return self._created(notes, made)
            wait_result = self.wait_or_defer(client, self._trigger(request.spec, made), "execute_complete")
            return self._conclude(client, notes, made.project_id, wait_result, made.how)

    def execute_complete(self, context: Context, event: Any) -> dict[str, Any]:
        """Resume after the wait in the triggerer: return how it went, or fail and say why."""
        with self.session() as client:
            wait_result, resume = wait_result_of(event)
            project_id = project_id_of(self.project_id)
            return self._conclude(client, notes_of(context), project_id, wait_result, str(resume["how"]))

    def _conclude(
        self, client: QuantConnectClient, notes: TaskNotes, project_id: int, wait_result: WaitResult, how: str
    ) -> dict[str, Any]:
        if wait_result.verdict is WaitState.ENDED:
            mark_failed(notes, wait_result.status)
            raise deployment_failed(client, project_id, wait_result.deploy_id, wait_result.message)
        wait_result.raise_unless_done()
        mark_finished(notes)
        self.log.info("Project %s: %s (%s)", project_id, wait_result.message.rstrip("."), how)
        return {
            "project_id": project_id,
            "deploy_id": wait_result.deploy_id,
            "status": wait_result.status,
            "how": how,
        }

    def _created(self, notes: TaskNotes, made: Deployment) -> dict[str, Any]:
        mark_finished(notes)
        return {**asdict(made), "status": None}

    def _resolve(self) -> ResolvedDeployRequest:
        """Return what is asked for, with the brokerage's secrets: made here, used at once, kept nowhere."""
        request = DeployRequest.of_operator(self).resolve(str(self.compile_id))
        if flag_of(self.only_paper, "only_paper") and not request.brokerage.is_paper:
            raise InvalidSettingError(
                f"{request.brokerage.label} is not proven to be paper trading, and this was to be paper.",
                advice="If its connection has changed since the run began, trigger a new run: it asks for "
                "approval.",
            )
        return request

    def _make(self, client: QuantConnectClient, spec: LiveSpec, notes: TaskNotes) -> Deployment:
        chosen = config.load()
        return create_once(
            client,
            spec,
            notes,
            if_running=str(self.if_running),
            on_clear=str(self.on_clear),
            certainty_seconds=chosen.certainty_seconds,
            look_seconds=min(self.interval(), chosen.certainty_seconds / 4),
            stop_seconds=chosen.wind_down_timeout_seconds,
        )

    def _trigger(self, spec: LiveSpec, made: Deployment) -> LiveStatusTrigger:
        return LiveStatusTrigger(
            quantconnect_conn_id=self.quantconnect_conn_id,
            project_id=made.project_id,
            deploy_id=made.deploy_id,
            target=RUNNING,
            deadline=self.deadline(config.load().deploy_timeout_seconds),
            poll_interval_seconds=self.interval(),
            restart_grace_seconds=RESTART_GRACE_SECONDS if spec.automatic_redeploy else 0.0,
            resume={"how": made.how},
        )
