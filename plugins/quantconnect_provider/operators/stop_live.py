"""Stopping a live deployment."""

from __future__ import annotations

from quantconnect_provider.live.wind_down.steps import Action
from quantconnect_provider.tasks.wind_down_operator import WindDownOperator


class QuantConnectStopLiveOperator(WindDownOperator):
    """Stops a project's live deployment, keeps its holdings, and waits until the deployment is over.

    A deployment that is over already counts as done. Asks live/list and live/read, and sends
    live/update/stop. Returns project id, deployment id, final status and whether it was over already.

    :param project_id: the project.
    :param deploy_id: the only deployment to stop; by default the project's current one.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    :param deferrable: wait in the triggerer and free the worker.
    :param timeout_seconds: how long to wait for the end; default ``[quantconnect]
        wind_down_timeout_seconds``.
    :param poll_interval_seconds: from one poll to the next.
    """

    action = Action.STOP
