"""Making a live deployment; offered by `quantconnect_provider.operators.live`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from quantconnect_provider import config
from quantconnect_provider.tasks.deploy_request import DeployRequest, ResolvedDeployRequest
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import flag_of, project_id_of
from quantconnect_provider.tasks.notes import notes_of
from quantconnect_provider.tasks.operator import WaitingOperator, wait_result_of

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import LiveSpec, QuantConnectClient
    from quantconnect_provider.live.deploy.create import Deployment
    from quantconnect_provider.live.notes import TaskNotes
    from quantconnect_provider.live.waiting import Wait, WaitResult


class QuantConnectCreateLiveOperator(WaitingOperator):
    """Deploys a project once, whatever happens to the request, the answer or the worker, and waits for it.

    Before it sends anything it notes that it is about to; after any unclear answer, and in every later
    attempt, it looks for what it may have started instead of sending again. Killing or clearing the task
    stops nothing. Returns project id, deployment id, status, and how the deployment became this task's:
    ``created``, ``adopted``, ``found`` or ``resumed``.

    :param project_id: the project.
    :param compile_id: a build of it, from `QuantConnectCompileOperator`.
    :param brokerage_conn_id: id of a connection of type `quantconnect_brokerage`; None is paper trading.
    :param live_node_id: id or name of the live node; None takes the first free one. (``node_id`` is taken:
        Airflow calls tasks nodes.)
    :param version_id: the LEAN version; "-1" is the newest.
    :param if_running: about a deployment that runs already: ``fail``, ``adopt`` it, or ``redeploy``: stop it
        and deploy anew with its cash and holdings, where the brokerage takes them.
    :param on_clear: about a cleared task whose deployment is over: ``reuse`` fails, ``deploy`` deploys anew.
    :param cash: ``[{"currency": "USD", "amount": 100000}]``, where the brokerage takes it.
    :param holdings: list of symbol, symbolId, quantity and averagePrice, where the brokerage takes them.
    :param parameters: the algorithm's parameters.
    :param data_providers: ids of connections of type `quantconnect_brokerage`, in order of precedence;
        ``QuantConnectBrokerage`` among them is QuantConnect's own data, which None means alone.
    :param automatic_redeploy: let QuantConnect restart it after a runtime error.
    :param notification: ``{"events": [...], "targets": [...]}`` as in the API.
    :param wait_for_running: wait until it runs; otherwise the task ends when it is created.
    :param only_paper: refuse, before anything is sent, a deployment that cannot be shown to be paper.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    :param deferrable: wait in the triggerer and free the worker.
    :param timeout_seconds: until when it must run; default ``[quantconnect] deploy_timeout_seconds``.
    :param poll_interval_seconds: between two looks.
    """

    template_fields: Sequence[str] = (
        "project_id",
        "compile_id",
        "brokerage_conn_id",
        "live_node_id",
        "version_id",
        "if_running",
        "on_clear",
        "cash",
        "holdings",
        "parameters",
        "data_providers",
        "automatic_redeploy",
        "notification",
        "only_paper",
        "quantconnect_conn_id",
    )

    def __init__(
        self,
        *,
        project_id: int | str | XComArg,
        compile_id: str | XComArg,
        brokerage_conn_id: str | None = None,
        live_node_id: str | None = None,
        version_id: str = "-1",
        if_running: str = "fail",
        on_clear: str = "reuse",
        cash: Any = None,
        holdings: Any = None,
        parameters: dict[str, Any] | str | None = None,
        data_providers: Sequence[str] | str | None = None,
        automatic_redeploy: bool | str = False,
        notification: dict[str, Any] | str | None = None,
        wait_for_running: bool = True,
        only_paper: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.compile_id = compile_id
        self.brokerage_conn_id = brokerage_conn_id
        self.live_node_id = live_node_id
        self.version_id = version_id
        self.if_running = if_running
        self.on_clear = on_clear
        self.cash = cash
        self.holdings = holdings
        self.parameters = parameters
        self.data_providers = data_providers
        self.automatic_redeploy = automatic_redeploy
        self.notification = notification
        self.wait_for_running = wait_for_running
        self.only_paper = only_paper

    def execute(self, context: Context) -> dict[str, Any]:
        """Find this task's deployment or make it, then wait here or in the triggerer."""
        with plain_errors() as errors:
            request = self._resolve()
            errors.hide(request.secrets)
            spec, notes = request.spec, notes_of(context)
            with self.client() as client:
                made = self._make(client, spec, notes)
                if not self.wait_for_running:
                    return self._created(notes, made)
                wait = self._wait_for(spec)
                if self.deferrable and not self._runs_already(client, made):
                    self.defer_until(
                        wait, project_id=made.project_id, deploy_id=made.deploy_id, resume={"how": made.how}
                    )
                wait_result = self.poll_until(client, wait, made.project_id, made.deploy_id)
                return self._conclude(client, notes, made.project_id, wait_result, made.how)

    def execute_complete(self, context: Context, event: Any) -> dict[str, Any]:
        """Go on after the triggerer has watched: say how it went, and why if it went badly."""
        with plain_errors(), self.client() as client:
            wait_result, resume = wait_result_of(event)
            project_id = project_id_of(self.project_id)
            return self._conclude(client, notes_of(context), project_id, wait_result, str(resume["how"]))

    def _runs_already(self, client: QuantConnectClient, made: Deployment) -> bool:
        """Whether there is nothing to wait for, which a deployment that was not made just now may show.

        Airflow fails a task that comes back from the triggerer before its scheduler has noted that it went
        there. A trigger that fires at once would do so at every attempt.
        """
        from quantconnect_provider.client.errors import QuantConnectError
        from quantconnect_provider.client.status import Phase
        from quantconnect_provider.live.observation import observe_deployment

        if made.how == "created":
            return False
        try:
            seen = observe_deployment(client, made.project_id, made.deploy_id)
        except QuantConnectError as error:
            self.log.warning("The first look failed, the next one is the triggerer's: %s", error)
            return False
        return seen is not None and seen.phase is Phase.RUNNING

    def _conclude(
        self, client: QuantConnectClient, notes: TaskNotes, project_id: int, wait_result: WaitResult, how: str
    ) -> dict[str, Any]:
        from quantconnect_provider.live.deploy.journal import mark_failed, mark_finished
        from quantconnect_provider.live.post_mortem import deployment_failed
        from quantconnect_provider.live.waiting import WaitState

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
        from quantconnect_provider.live.deploy.journal import mark_finished

        mark_finished(notes)
        return {**asdict(made), "status": None}

    def _resolve(self) -> ResolvedDeployRequest:
        """Return what is asked for, with the brokerage's secrets: made here, used at once, kept nowhere."""
        from quantconnect_provider.client.errors import InvalidSettingError

        asked = DeployRequest.of({**vars(self), "node_id": self.live_node_id})
        request = asked.resolve(str(self.compile_id))
        if flag_of(self.only_paper, "only_paper") and not request.brokerage.is_paper:
            raise InvalidSettingError(
                f"{request.brokerage.label} cannot be shown to be paper trading, and this was to be paper.",
                advice="If its connection was changed meanwhile, trigger a new run: it asks for approval.",
            )
        return request

    def _make(self, client: QuantConnectClient, spec: LiveSpec, notes: TaskNotes) -> Deployment:
        from quantconnect_provider.live.deploy.create import create_once

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

    def _wait_for(self, spec: LiveSpec) -> Wait:
        from quantconnect_provider.client.status import RESTART_GRACE_SECONDS
        from quantconnect_provider.live.waiting import RUNNING, Wait

        return Wait(
            RUNNING,
            self.deadline(config.load().deploy_timeout_seconds),
            restart_grace_seconds=RESTART_GRACE_SECONDS if spec.automatic_redeploy else 0.0,
        )
