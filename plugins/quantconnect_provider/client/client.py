"""The client: one method for each endpoint of QuantConnect's REST API v2 that this package uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from quantconnect_provider.client import endpoints
from quantconnect_provider.client.account import DEFAULT_BASE_URL, DEFAULT_TIMEOUT_SECONDS, Account
from quantconnect_provider.client.build import read_build
from quantconnect_provider.client.decode import ModelT, decode, decode_rows
from quantconnect_provider.client.errors import NeverDeployedError, NotFoundError, UnreadableAnswerError
from quantconnect_provider.client.export import read_export
from quantconnect_provider.client.insights import ExportedInsight, InsightPage, read_page
from quantconnect_provider.client.live_data import LiveDataEndpoints, without_none
from quantconnect_provider.client.live_list import LiveListing, read_live_list
from quantconnect_provider.client.live_request import LiveSpec, create_body
from quantconnect_provider.client.log_exports import LocalLogExports, LogExportLimit, LogExportSlots
from quantconnect_provider.client.models import (
    Compile,
    CreatedLive,
    LiveDeployment,
    Nodes,
    Project,
)
from quantconnect_provider.client.node_list import read_node_list
from quantconnect_provider.client.odd_values import OddValueReporter, shorten
from quantconnect_provider.client.portfolio import Portfolio, read_portfolio
from quantconnect_provider.client.retry_settings import RetrySettings
from quantconnect_provider.client.throttle import Throttle
from quantconnect_provider.client.transport import Transport

_OUTCOME = frozenset({"success", "errors"})
_NO_FILES = _OUTCOME | {"files", "charts"}  # source code and bulk: never kept


class QuantConnectClient(LiveDataEndpoints):
    """QuantConnect's REST API v2 for one account. Safe to use from several threads; close it when done.

    :param user_id: the account's user id, a whole number.
    :param api_token: the account's API token.
    :param base_url: scheme, host and path, without a slash at the end.
    :param requests_per_minute: the rate to stay below; None means no limit until the API asks for one.
    :param timeout_seconds: how long one request may go without an answer; slow endpoints get a multiple.
    :param organization_id: limits project listings to one organization.
    :param retry: how requests that are safe to repeat are repeated.
    :param throttle: shared by several clients that use the same connection.
    :param log_exports: makes what exports of logs are counted with, for all clients of the account together.
    :raises InvalidSettingError: if a setting cannot be right.

    Every method raises subclasses of :class:`~quantconnect_provider.client.errors.QuantConnectError`.
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
        log_exports: Callable[[], LogExportSlots] = LocalLogExports,
    ) -> None:
        account = Account(
            str(user_id), api_token, base_url, requests_per_minute, timeout_seconds, organization_id
        )
        self._open(account, retry, throttle, log_exports)

    @classmethod
    def for_account(
        cls,
        account: Account,
        *,
        retry: RetrySettings | None = None,
        throttle: Throttle | None = None,
        log_exports: Callable[[], LogExportSlots] = LocalLogExports,
    ) -> QuantConnectClient:
        """Return a client for an account whose settings have been checked already."""
        client = cls.__new__(cls)
        client._open(account, retry, throttle, log_exports)  # noqa: SLF001 - its own class
        return client

    def _open(
        self,
        account: Account,
        retry: RetrySettings | None,
        throttle: Throttle | None,
        log_exports: Callable[[], LogExportSlots],
    ) -> None:
        self._account = account
        self._odd = OddValueReporter()
        self._log_exports = LogExportLimit(log_exports)
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
        """The time that all threads together spent sending and waiting, in seconds."""
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
        found, unread = self._projects({"projectId": project_id})
        for project in found:
            if project.project_id == project_id:
                return project
        if unread:
            raise UnreadableAnswerError(
                f"{endpoint.path} was answered with a project that cannot be read: {shorten(unread[0])}.",
                endpoint=endpoint.path,
            )
        raise NotFoundError(f"{endpoint.path} does not know project {project_id}.", endpoint=endpoint.path)

    def list_projects(self) -> list[Project]:
        """Return all projects that the account may see (projects/read)."""
        return self._projects(without_none(organizationId=self._account.organization_id))[0]

    def read_nodes(self, project_id: int) -> Nodes:
        """Return the machines that a project may use (projects/nodes/read).

        A node whose state cannot be read counts as busy and not active.
        """
        endpoint = endpoints.NODES_READ
        payload = self._call(endpoint, {"projectId": project_id})
        return read_node_list(payload, endpoint=endpoint.path, odd=self._odd)

    def create_compile(self, project_id: int) -> Compile:
        """Start a build (compile/create). A repeated request only builds once more."""
        payload = self._call(endpoints.COMPILE_CREATE, {"projectId": project_id})
        return self._read(Compile, endpoints.COMPILE_CREATE, payload)

    def read_compile(self, project_id: int, compile_id: str) -> Compile:
        """Return the state of a build and what the compiler said (compile/read).

        A failed build is returned, not raised, also where the response says ``success`` false.
        """
        endpoint = endpoints.COMPILE_READ
        payload = self._call(endpoint, {"projectId": project_id, "compileId": compile_id})
        return read_build(payload, compile_id, endpoint=endpoint, odd=self._odd)

    def create_live(self, deployment: LiveSpec) -> CreatedLive:
        """Start a live deployment (live/create). Sent once, whatever comes back.

        :raises OutcomeUnknownError: if no clear answer came; the deployment may be there.
        :raises RefusedError: if the API said no; nothing was started.
        """
        endpoint = endpoints.LIVE_CREATE
        payload, _ = self._transport.call(endpoint, create_body(deployment))
        nested = payload.get("live")
        below = nested if isinstance(nested, dict) else {}
        named = {name: payload.get(name) or below.get(name) for name in ("deployId", "brokerage")}
        # It was accepted: the caller finds the id in live/list. The settings of a brokerage are secret.
        named = {name: value if isinstance(value, str) else "" for name, value in named.items()}
        return self._read(CreatedLive, endpoint, {**payload, **named}, _NO_FILES)

    def read_live(self, project_id: int, deploy_id: str | None = None) -> LiveDeployment:
        """Return the newest deployment of a project (live/read), or the one asked for.

        :raises NeverDeployedError: if the project never was live.
        :raises UnreadableAnswerError: if the response does not say which deployment it is about.
        """
        endpoint = endpoints.LIVE_READ
        payload = self._call(endpoint, without_none(projectId=project_id, deployId=deploy_id))
        deployment = self._read(LiveDeployment, endpoint, payload, _NO_FILES)
        if not deployment.deploy_id:
            if deployment.status == "Undefined" and not payload.get("deployId"):
                raise NeverDeployedError(
                    f"{endpoint.path} says that project {project_id} never had a live deployment.",
                    endpoint=endpoint.path,
                )
            raise UnreadableAnswerError(
                f"{endpoint.path} was answered without the id of project {project_id}'s deployment: "
                f"deployId {shorten(payload.get('deployId'))}, status {shorten(payload.get('status'))}.",
                endpoint=endpoint.path,
            )
        deployment.project_id = project_id
        return deployment

    def list_live(self, project_id: int | None = None, status: str | None = None) -> LiveListing:
        """Return deployments, past ones included, of one project or of all (live/list).

        Rows that cannot be read are in the list's ``unread``, and logged.

        :param status: Running, Stopped, RuntimeError or Liquidated; None means all.
        """
        endpoint = endpoints.LIVE_LIST
        payload = self._call(endpoint, without_none(projectId=project_id, status=status))
        listing = read_live_list(payload, endpoint=endpoint.path, odd=self._odd)
        return listing if project_id is None else listing.of_project(project_id)

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
        :param end: end of the positions (exclusive); at most 100 after *start*.
        :param deploy_id: which deployment; None leaves it to the API (probably the newest).
        """
        endpoint = endpoints.INSIGHTS_READ
        body = without_none(projectId=project_id, algorithmId=deploy_id, start=start, end=end)
        payload, raw = self._transport.call(endpoint, body)
        return read_page(payload, raw.requested_at, endpoint=endpoint.path)

    def export_insights(self, deploy_id: str) -> Iterator[ExportedInsight]:
        """Yield the insights of all deployments of the project that *deploy_id* belongs to, oldest first.

        One download of up to a million rows (live/export/insights), read as it arrives.

        :raises UnreadableAnswerError: if it is not a list of insights, or ends early.
        """
        endpoint = endpoints.INSIGHTS_EXPORT
        with self._transport.stream(endpoint, {"deployId": deploy_id}) as response:
            yield from read_export(response, endpoint, self._odd)

    def read_portfolio(self, project_id: int) -> Portfolio:
        """Return cash and holdings of the newest deployment (live/portfolio/read), up to 10 minutes old."""
        endpoint = endpoints.PORTFOLIO_READ
        payload = self._call(endpoint, {"projectId": project_id})
        return read_portfolio(payload, endpoint=endpoint.path, odd=self._odd)

    def _call(self, endpoint: endpoints.Endpoint, body: dict[str, Any]) -> dict[str, Any]:
        return self._transport.call(endpoint, body)[0]

    def _read(
        self,
        model: type[ModelT],
        endpoint: endpoints.Endpoint,
        payload: dict[str, Any],
        ignored: frozenset[str] = _OUTCOME,
    ) -> ModelT:
        return decode(model, payload, endpoint=endpoint.path, odd=self._odd, ignored=ignored)

    def _projects(self, body: dict[str, Any]) -> tuple[list[Project], list[Any]]:
        endpoint = endpoints.PROJECTS_READ
        projects = self._call(endpoint, body).get("projects")
        return decode_rows(Project, projects, name="projects", endpoint=endpoint.path, odd=self._odd)
