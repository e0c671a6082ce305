"""The client: one method for each endpoint of QuantConnect's REST API v2 that this package uses."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any

from quantconnect_provider.client import endpoints
from quantconnect_provider.client.account import DEFAULT_BASE_URL, DEFAULT_TIMEOUT_SECONDS, Account
from quantconnect_provider.client.decode import decode, decode_list
from quantconnect_provider.client.errors import (
    NeverDeployedError,
    NotFoundError,
    UnreadableAnswerError,
)
from quantconnect_provider.client.export import read_export
from quantconnect_provider.client.insights import ExportedInsight, InsightPage, read_page
from quantconnect_provider.client.models import (
    PAPER_ID,
    Compile,
    CreatedLive,
    LiveDeployment,
    LiveSpec,
    LiveSummary,
    LogPage,
    Node,
    Nodes,
    Project,
)
from quantconnect_provider.client.portfolio import Portfolio, read_portfolio
from quantconnect_provider.client.retry_settings import RetrySettings
from quantconnect_provider.client.throttle import Throttle
from quantconnect_provider.client.transport import Transport

_NO_FILES = frozenset({"files", "charts", "success", "errors"})  # source code and bulk: never kept
_ENVELOPE = frozenset({"success", "errors"})
_QUANTCONNECT_DATA = {PAPER_ID: {"id": PAPER_ID}}


class QuantConnectClient:
    """QuantConnect's REST API v2 for one account. Safe to use from several threads; close it when done.

    :param user_id: the account's user id, a whole number.
    :param api_token: the account's API token.
    :param base_url: scheme, host and path, without a slash at the end.
    :param requests_per_minute: the rate to stay below; None means no limit until the API asks for one.
    :param timeout_seconds: how long one request may go without an answer; slow endpoints get a multiple.
    :param organization_id: limits project listings to one organization.
    :param retry: how requests that are safe to repeat are repeated.
    :param throttle: shared by several clients that use the same connection.
    :raises InvalidSettingError: if a setting cannot be right.

    Every method raises :class:`~quantconnect_provider.client.errors.QuantConnectError` subclasses.
    """

    def __init__(
        self,
        user_id: int | str,
        api_token: str,
        base_url: str = DEFAULT_BASE_URL,
        requests_per_minute: float | None = None,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        *,
        organization_id: str | None = None,
        retry: RetrySettings | None = None,
        throttle: Throttle | None = None,
    ) -> None:
        account = Account(
            str(user_id), api_token, base_url, requests_per_minute, timeout_seconds, organization_id
        )
        self._open(account, retry, throttle)

    @classmethod
    def for_account(
        cls, account: Account, *, retry: RetrySettings | None = None, throttle: Throttle | None = None
    ) -> QuantConnectClient:
        """Return a client for an account whose settings have been checked already."""
        client = cls.__new__(cls)
        client._open(account, retry, throttle)
        return client

    def _open(self, account: Account, retry: RetrySettings | None, throttle: Throttle | None) -> None:
        self._account = account
        self._transport = Transport(
            account, retry or RetrySettings(), throttle or Throttle(account.requests_per_minute)
        )

    @property
    def base_url(self) -> str:
        """The API's address, without a slash at the end."""
        return self._account.base_url

    def __repr__(self) -> str:
        return f"QuantConnectClient(base_url={self.base_url!r})"

    def __enter__(self) -> QuantConnectClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._transport.close()

    @property
    def requests_sent(self) -> int:
        """How many requests went out, repeats included."""
        return self._transport.requests_sent

    @property
    def waiting_seconds(self) -> float:
        """The time that all threads together spent sending and waiting for answers, in seconds."""
        return self._transport.waiting_seconds

    def authenticate(self) -> None:
        """Check the credentials (authenticate).

        :raises CredentialsError: if they are not accepted.
        """
        self._call(endpoints.AUTHENTICATE, {})

    def read_project(self, project_id: int) -> Project:
        """Return one project (projects/read).

        :raises NotFoundError: if it does not exist or the account may not see it.
        """
        endpoint = endpoints.PROJECTS_READ
        payload = self._call(endpoint, {"projectId": project_id})
        found = decode_list(Project, payload.get("projects"), endpoint=endpoint.path)
        for project in found:
            if project.project_id == project_id:
                return project
        raise NotFoundError(f"{endpoint.path} does not know project {project_id}.", endpoint=endpoint.path)

    def list_projects(self) -> list[Project]:
        """Return all projects that the account may see (projects/read)."""
        body = _without_none(organizationId=self._account.organization_id)
        payload = self._call(endpoints.PROJECTS_READ, body)
        return decode_list(Project, payload.get("projects"), endpoint=endpoints.PROJECTS_READ.path)

    def read_nodes(self, project_id: int) -> Nodes:
        """Return the machines that a project may use (projects/nodes/read)."""
        endpoint = endpoints.NODES_READ
        payload = self._call(endpoint, {"projectId": project_id})
        groups = payload.get("nodes") or {}
        if not isinstance(groups, dict):
            raise UnreadableAnswerError(
                f"{endpoint.path} was answered without nodes.", endpoint=endpoint.path
            )
        return Nodes(
            live=decode_list(Node, groups.get("live"), endpoint=endpoint.path),
            backtest=decode_list(Node, groups.get("backtest"), endpoint=endpoint.path),
            research=decode_list(Node, groups.get("research"), endpoint=endpoint.path),
            auto_select=bool(payload.get("autoSelectNode", True)),
        )

    def create_compile(self, project_id: int) -> Compile:
        """Start a build (compile/create). A repeated request only builds once more."""
        payload = self._call(endpoints.COMPILE_CREATE, {"projectId": project_id})
        return decode(Compile, payload, endpoint=endpoints.COMPILE_CREATE.path, ignored=_ENVELOPE)

    def read_compile(self, project_id: int, compile_id: str) -> Compile:
        """Return the state of a build and the compiler's lines (compile/read)."""
        payload = self._call(endpoints.COMPILE_READ, {"projectId": project_id, "compileId": compile_id})
        return decode(
            Compile,
            {"compileId": compile_id, **payload},
            endpoint=endpoints.COMPILE_READ.path,
            ignored=_ENVELOPE,
        )

    def create_live(self, deployment: LiveSpec) -> CreatedLive:
        """Start a live deployment (live/create). Sent once, whatever comes back.

        :raises OutcomeUnknownError: if no clear answer came; the deployment may be there.
        :raises RefusedError: if the API said no; nothing was started.
        """
        endpoint = endpoints.LIVE_CREATE
        payload, _ = self._transport.call(endpoint, _create_body(deployment))
        nested = payload.get("live")
        if isinstance(nested, dict):
            payload = {"deployId": nested.get("deployId"), "brokerage": nested.get("brokerage"), **payload}
        if not payload.get("deployId"):
            payload["deployId"] = ""  # it was accepted: the caller finds the id by looking
        return decode(CreatedLive, payload, endpoint=endpoint.path, ignored=_NO_FILES)

    def read_live(self, project_id: int, deploy_id: str | None = None) -> LiveDeployment:
        """Return the newest deployment of a project (live/read), or the one asked for.

        :raises NeverDeployedError: if the project never was live.
        """
        endpoint = endpoints.LIVE_READ
        payload = self._call(endpoint, _without_none(projectId=project_id, deployId=deploy_id))
        deployment = decode(LiveDeployment, payload, endpoint=endpoint.path, ignored=_NO_FILES)
        if not deployment.deploy_id and deployment.status in ("Undefined", ""):
            raise NeverDeployedError(
                f"{endpoint.path} says that project {project_id} never had a live deployment.",
                endpoint=endpoint.path,
            )
        deployment.project_id = project_id
        return deployment

    def list_live(self, project_id: int | None = None, status: str | None = None) -> list[LiveSummary]:
        """Return deployments, past ones included, of one project or of all (live/list).

        :param status: Running, Stopped, RuntimeError or Liquidated; None means all.
        """
        endpoint = endpoints.LIVE_LIST
        payload = self._call(endpoint, _without_none(projectId=project_id, status=status))
        rows = decode_list(LiveSummary, payload.get("live"), endpoint=endpoint.path)
        return [row for row in rows if project_id in (None, row.project_id)]

    def stop_live(self, project_id: int) -> None:
        """Ask the project's current deployment to stop, keeping its holdings (live/update/stop).

        :raises OutcomeUnknownError: if no clear answer came.
        """
        self._call(endpoints.LIVE_STOP, {"projectId": project_id})

    def liquidate_live(self, project_id: int) -> None:
        """Ask the project's current deployment to sell all holdings and stop (live/update/liquidate).

        :raises OutcomeUnknownError: if no clear answer came.
        """
        self._call(endpoints.LIVE_LIQUIDATE, {"projectId": project_id})

    def read_insights(
        self, project_id: int, start: int, end: int, deploy_id: str | None = None
    ) -> InsightPage:
        """Return insights by position (live/insights/read).

        :param start: position of the first one, from 0.
        :param end: position behind the last one; at most 100 after *start*.
        :param deploy_id: which deployment; None leaves it to the API (the newest, it seems).
        """
        endpoint = endpoints.INSIGHTS_READ
        body = _without_none(projectId=project_id, algorithmId=deploy_id, start=start, end=end)
        payload, raw = self._transport.call(endpoint, body)
        return read_page(payload, raw.requested_at, endpoint=endpoint.path)

    def export_insights(self, deploy_id: str) -> Iterator[ExportedInsight]:
        """Yield the insights of all deployments of the project that *deploy_id* belongs to, oldest first.

        One download of up to a million rows (live/export/insights), read as it arrives.

        :raises UnreadableAnswerError: if it is not a list of insights, or ends early.
        """
        endpoint = endpoints.INSIGHTS_EXPORT
        with self._transport.stream(endpoint, {"deployId": deploy_id}) as response:
            yield from read_export(response, endpoint)

    def read_portfolio(self, project_id: int) -> Portfolio:
        """Return cash and holdings of the newest deployment (live/portfolio/read), up to 10 minutes old."""
        endpoint = endpoints.PORTFOLIO_READ
        payload = self._call(endpoint, {"projectId": project_id})
        return read_portfolio(payload, endpoint=endpoint.path)

    def read_live_logs(self, project_id: int, deploy_id: str, start_line: int, end_line: int) -> LogPage:
        """Return lines of a deployment's log (live/logs/read), at most 250, up to 5 minutes old."""
        body = {
            "format": "json",
            "projectId": project_id,
            "algorithmId": deploy_id,
            "startLine": start_line,
            "endLine": end_line,
        }
        payload = self._call(endpoints.LOGS_READ, body)
        return decode(LogPage, payload, endpoint=endpoints.LOGS_READ.path, ignored=_ENVELOPE)

    def _call(self, endpoint: endpoints.Endpoint, body: dict[str, Any]) -> dict[str, Any]:
        return self._transport.call(endpoint, body)[0]


def _create_body(deployment: LiveSpec) -> dict[str, Any]:
    body: dict[str, Any] = {
        "projectId": deployment.project_id,
        "compileId": deployment.compile_id,
        "nodeId": deployment.node_id,
        "versionId": deployment.version_id,
        "brokerage": deployment.brokerage,
        "dataProviders": deployment.data_providers or _QUANTCONNECT_DATA,
        "automaticRedeploy": deployment.automatic_redeploy,
        "parameters": {key: str(value) for key, value in (deployment.parameters or {}).items()},
    }
    if deployment.notification:
        body["notification"] = deployment.notification
    return body


def _without_none(**values: Any) -> dict[str, Any]:
    # The API refuses a null where it accepts a missing key.
    return {key: value for key, value in values.items() if value is not None}
