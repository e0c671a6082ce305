"""The endpoints that give data of live deployments, and commands to them; QuantConnectClient has them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from quantconnect_provider.client import endpoints
from quantconnect_provider.client.account import Account
from quantconnect_provider.client.charts import Chart, read_chart
from quantconnect_provider.client.decode import decode
from quantconnect_provider.client.download import read_download
from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.insights import InsightPage, read_page
from quantconnect_provider.client.log_exports import LogExportLimit
from quantconnect_provider.client.models import LogPage
from quantconnect_provider.client.odd_values import OddValueReporter
from quantconnect_provider.client.orders import OrderPage, read_order_page
from quantconnect_provider.client.trades import TradePage, read_trade_page
from quantconnect_provider.client.transport import Transport


class LiveDataEndpoints:
    """The part of :class:`~quantconnect_provider.client.client.QuantConnectClient` for data and commands."""

    _account: Account
    _odd: OddValueReporter
    _transport: Transport
    _log_exports: LogExportLimit

    def read_orders(self, project_id: int, start: int, end: int) -> OrderPage:
        """Return orders of all deployments of a project by position, in launch order (live/orders/read).

        The answer is up to 10 minutes old. It can be empty while the API loads the project's orders, also
        where there are some: ask again after a few seconds.

        :param start: position of the first one, from 0.
        :param end: end of the positions (exclusive); at most 1,000 after *start*. Older versions of the API
            allow 100 and refuse more.
        :raises RefusedError: if the window is too wide for the API.
        :raises StillLoadingError: if the API was loading for too long.
        """
        endpoint = endpoints.ORDERS_READ
        body = {"projectId": project_id, "start": start, "end": end}
        payload, raw = self._transport.call(endpoint, body)
        return read_order_page(payload, raw.requested_at, endpoint=endpoint.path, odd=self._odd)

    def read_trades(self, project_id: int, start: int, end: int, deploy_id: str | None = None) -> TradePage:
        """Return closed trades by position (live/trades/read), up to 10 minutes old.

        :param start: position of the first one, from 0.
        :param end: end of the positions (exclusive); at most 1,000 after *start*.
        :param deploy_id: of this deployment; None: of all deployments of the project.
        :raises RefusedError: if the window is too wide for the API.
        :raises StillLoadingError: if the API was loading for too long.
        """
        endpoint = endpoints.TRADES_READ
        body = without_none(projectId=project_id, deployId=deploy_id, start=start, end=end)
        payload, raw = self._transport.call(endpoint, body)
        return read_trade_page(payload, raw.requested_at, endpoint=endpoint.path, odd=self._odd)

    def read_chart(self, project_id: int, name: str, count: int, start: int, end: int) -> Chart:
        """Return a chart of the newest deployment (live/chart/read).

        :param name: e.g. ``Strategy Equity``, ``Drawdown``, ``Benchmark``.
        :param count: points at most.
        :param start: earliest point, in unix seconds.
        :param end: latest point, in unix seconds.
        :raises StillLoadingError: if the API was making the chart for too long.
        """
        endpoint = endpoints.CHART_READ
        body = {"projectId": project_id, "name": name, "count": count, "start": start, "end": end}
        payload, _ = self._transport.call(endpoint, body)
        return read_chart(payload, endpoint=endpoint.path, odd=self._odd)

    def read_live_logs(
        self, project_id: int, deploy_id: str, start_line: int, end_line: int, query: str | None = None
    ) -> LogPage:
        """Return lines of a project's log (live/logs/read), up to 5 minutes old.

        The lines of all deployments of the project are counted through.

        :param start_line: the first one, from 0; a deployment's begin at the page's ``deployment_offset``.
        :param end_line: end of the lines (exclusive); at most 250 after *start_line*.
        :param query: only lines that contain this, in upper or lower case; the window then counts those.
        """
        endpoint = endpoints.LOGS_READ
        body = without_none(
            format="json",
            projectId=project_id,
            algorithmId=deploy_id,
            startLine=start_line,
            endLine=end_line,
            query=query or None,
        )
        payload, _ = self._transport.call(endpoint, body)
        ignored = frozenset({"success", "errors"})
        return decode(LogPage, payload, endpoint=endpoint.path, odd=self._odd, ignored=ignored)

    def read_backtest_insights(self, project_id: int, backtest_id: str, start: int, end: int) -> InsightPage:
        """Return insights of a backtest by position (backtests/insights/read).

        :param start: position of the first one, from 0.
        :param end: end of the positions (exclusive); at most 100 after *start*.
        """
        endpoint = endpoints.BACKTEST_INSIGHTS_READ
        body = {"projectId": project_id, "backtestId": backtest_id, "start": start, "end": end}
        payload, raw = self._transport.call(endpoint, body)
        return read_page(payload, raw.requested_at, endpoint=endpoint.path)

    def create_command(self, project_id: int, command: Mapping[str, Any]) -> None:
        """Send a command to the project's running algorithm (live/commands/create). Sent once.

        Accepted is not executed: a command that comes before the algorithm is up is lost without an error.
        The effect shows in the log only.

        :param command: what the algorithm's ``on_command`` gets; with ``$type`` one of its command classes.
        :raises OutcomeUnknownError: if no clear answer came; the algorithm may have got it.
        :raises RefusedError: if the API said no; nothing was sent to the algorithm.
        """
        self._transport.call(endpoints.COMMAND_CREATE, {"projectId": project_id, "command": dict(command)})

    def broadcast_command(
        self,
        command: Mapping[str, Any],
        *,
        organization_id: str | None = None,
        exclude_project_id: int | None = None,
    ) -> None:
        """Send a command to all running algorithms of an organization (live/commands/broadcast). Sent once.

        See :meth:`create_command`.

        :param organization_id: the organization; None: that of the connection.
        :param exclude_project_id: a project that does not get it.
        :raises InvalidSettingError: if no organization is known.
        :raises OutcomeUnknownError: if no clear answer came; algorithms may have got it.
        """
        organization_id = organization_id or self._account.organization_id
        if not organization_id:
            raise InvalidSettingError(
                "No organization is known to send the command to.",
                advice="Give organization_id, or set it in the extra of the quantconnect connection.",
            )
        body = without_none(
            organizationId=organization_id, command=dict(command), excludeProjectId=exclude_project_id
        )
        self._transport.call(endpoints.COMMAND_BROADCAST, body)

    def export_orders(
        self, project_id: int, start: int | None = None, end: int | None = None
    ) -> Iterator[bytes]:
        """Yield the CSV file of all orders of a project (live/export/orders) in pieces as it arrives.

        It covers 750 days at most, has no fees, and may have rows outside the range.

        :param start: earliest time in unix seconds; None: from the first deployment on.
        :param end: latest time in unix seconds; None: now.
        """
        return self._download(
            endpoints.ORDERS_EXPORT, without_none(projectId=project_id, start=start, end=end)
        )

    def export_trades(self, project_id: int, start: int | None = None) -> Iterator[bytes]:
        """Yield the CSV file of all closed trades of a project (live/export/trades) in pieces as it arrives.

        :param start: earliest entry in unix seconds; None: from the first deployment on.
        """
        return self._download(endpoints.TRADES_EXPORT, without_none(projectId=project_id, start=start))

    def export_logs(self, project_id: int, deploy_id: str) -> Iterator[bytes]:
        """Yield the log of all deployments of a project (live/export/logs) in pieces as it arrives.

        QuantConnect allows 45 exports in 30 minutes; one more from this client is not sent.

        :param deploy_id: a deployment of the project; it only names the file.
        :raises RateLimitedError: saying how long to wait, if it would be one too many.
        """
        self._log_exports.take(endpoints.LOGS_EXPORT)
        return self._download(endpoints.LOGS_EXPORT, {"projectId": project_id, "deployId": deploy_id})

    def _download(self, endpoint: endpoints.Endpoint, body: dict[str, Any]) -> Iterator[bytes]:
        with self._transport.stream(endpoint, body) as response:
            yield from read_download(response, endpoint)


def without_none(**values: Any) -> dict[str, Any]:
    """Return *values* without those that are None: the API refuses a null where it accepts a missing key."""
    return {key: value for key, value in values.items() if value is not None}
