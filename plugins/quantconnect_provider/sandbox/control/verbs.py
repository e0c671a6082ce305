"""The control verbs, the same for a sandbox in this process and for one behind HTTP."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any


class ControlVerbs(ABC):
    """What a test can see and change that a real account's owner could not.

    Each verb is also ``POST /sandbox/<verb>`` with its arguments as a JSON object; the answer is
    ``{"result": ...}``, or HTTP 400 with ``{"error": "..."}``, which these methods raise as
    :class:`quantconnect_provider.sandbox.VerbError`.
    """

    @abstractmethod
    def _call(self, verb: str, /, **arguments: Any) -> Any:
        """Carry out a verb, here or over HTTP, and return its result."""

    # --- time --------------------------------------------------------------------------------------

    def now(self) -> float:
        """Return the sandbox's time, unix seconds."""
        return float(self._call("now"))

    def advance(self, seconds: float) -> float:
        """Jump forward in time, letting everything happen on the way; returns the new time."""
        return float(self._call("advance", seconds=seconds))

    def set_speed(self, speed: float) -> None:
        """Let so many sandbox seconds pass in each real second; 0 stands still."""
        self._call("set_speed", speed=speed)

    # --- traffic -----------------------------------------------------------------------------------

    def add_fault(self, endpoint: str = "*", **fields: Any) -> int:
        """Put a fault in force; returns its number. `fields` are those of :class:`.faults.FaultSpec`."""
        return int(self._call("add_fault", endpoint=endpoint, **fields))

    def clear_faults(self, fault_id: int | None = None) -> int:
        """Take one fault, or all, out of force, releasing hung requests; returns how many."""
        return int(self._call("clear_faults", fault_id=fault_id))

    def faults(self) -> list[dict[str, Any]]:
        """List the faults in force, with how many requests each has `seen` and struck (`applied`)."""
        return list(self._call("faults"))

    def requests(self, endpoint: str | None = None, after: int = 0) -> list[dict[str, Any]]:
        """List requests with a `number` above `after`: at, method, endpoint, params, outcome, errors."""
        return list(self._call("requests", endpoint=endpoint, after=after))

    def counters(self) -> dict[str, Any]:
        """Count requests: `requests`, `refused`, `outcomes`, by `endpoints`, and the most within 60 seconds.

        `peak_per_minute` counts all that came, `peak_let_through_per_minute` those not refused.
        """
        return dict(self._call("counters"))

    def clear_requests(self) -> None:
        """Start the request log and all counters anew."""
        self._call("clear_requests")

    def set_rate_limit(self, requests: int | None = None, **fields: Any) -> None:
        """Limit requests from now on; None lifts the limit. `fields` are those of `api.rate_limit`."""
        self._call("set_rate_limit", requests=requests, **fields)

    def set_api(self, **fields: Any) -> None:
        """Change the scenario's `api` part, for example ``insights={"end": "inclusive"}``."""
        self._call("set_api", **fields)

    def reset(self, scenario: dict[str, Any] | None = None) -> None:
        """Begin anew with this scenario (None: the one it was started with), faults and log included."""
        self._call("reset", scenario=scenario)

    # --- projects, nodes, deployments --------------------------------------------------------------

    def projects(self) -> list[dict[str, Any]]:
        """List `project_id`, `name` and `deploy_ids` of every project."""
        return list(self._call("projects"))

    def add_project(self, name: str, project_id: int | None = None, **fields: Any) -> int:
        """Create a project from the scenario's defaults and these fields; returns its id."""
        return int(self._call("add_project", name=name, project_id=project_id, **fields))

    def configure_project(self, project_id: int, **fields: Any) -> None:
        """Change a project's part of the scenario, for example ``build={"result": "BuildError"}``."""
        self._call("configure_project", project_id=project_id, **fields)

    def nodes(self) -> list[dict[str, Any]]:
        """List the live nodes as the API shows them."""
        return list(self._call("nodes"))

    def set_node_busy(self, node_id: str, busy: bool = True, used_by: str = "") -> None:
        """Have somebody else occupy a live node, or leave it."""
        self._call("set_node_busy", node_id=node_id, busy=busy, used_by=used_by)

    def deployments(self, project_id: int | None = None) -> list[dict[str, Any]]:
        """Tell the truth about every deployment, oldest first.

        Beside id, status, times (unix seconds) and node: `history` of statuses, `requested` (stop and
        liquidate as they came), `request` (the whole body of live/create, credentials included),
        `insights` (how many are listed), cash and holdings.
        """
        return list(self._call("deployments", project_id=project_id))

    def deploy(
        self, project_id: int, node_id: str | None = None, brokerage: dict[str, Any] | None = None
    ) -> str:
        """Deploy the project as somebody else would, by default as paper on a free node; returns its id."""
        return str(self._call("deploy", project_id=project_id, node_id=node_id, brokerage=brokerage))

    def set_status(self, deploy_id: str, status: str, message: str = "") -> None:
        """Put a deployment in any status at once; what was about to happen to it no longer does."""
        self._call("set_status", deploy_id=deploy_id, status=status, message=message)

    def fail(
        self,
        deploy_id: str,
        message: str = "Runtime Error: failed by request",
        status: str = "RuntimeError",
        logs: Sequence[str] = (),
        restart_after_seconds: float | None = None,
    ) -> None:
        """End a deployment badly; with `restart_after_seconds` it starts again by itself after that."""
        self._call(
            "fail",
            deploy_id=deploy_id,
            message=message,
            status=status,
            logs=list(logs),
            restart_after_seconds=restart_after_seconds,
        )

    def restart(self, deploy_id: str) -> None:
        """Have the deployment fail and start again at once."""
        self._call("restart", deploy_id=deploy_id)

    def set_holdings(self, deploy_id: str, holdings: Sequence[dict[str, Any]]) -> None:
        """Give it these holdings: symbol, symbolId, quantity, averagePrice, price."""
        self._call("set_holdings", deploy_id=deploy_id, holdings=list(holdings))

    def set_cash(self, deploy_id: str, cash: Sequence[dict[str, Any]]) -> None:
        """Give it this cash: currency, amount."""
        self._call("set_cash", deploy_id=deploy_id, cash=list(cash))

    # --- insights ----------------------------------------------------------------------------------

    def insights(
        self, deploy_id: str, start: int = 0, end: int | None = None, removed: bool = False
    ) -> dict[str, Any]:
        """Tell the truth: `total` and `rows` of the list now, whatever snapshot the API shows.

        With `removed`, every insight ever emitted, in the order of emission, as it is now.
        """
        return dict(self._call("insights", deploy_id=deploy_id, start=start, end=end, removed=removed))

    def add_insights(
        self,
        deploy_id: str,
        count: int = 1,
        *,
        every_seconds: float = 0.0,
        period_seconds: float | None = None,
        position: int | None = None,
        fields: dict[str, Any] | None = None,
    ) -> list[str]:
        """Emit insights now, at the end of the list or at `position`; returns (the first 1,000) ids.

        :param every_seconds: how far their generated times are apart, the first being now
        :param period_seconds: how long they are open; None is the scenario's
        :param fields: what to set in each, by the names of :class:`.rows.Row`
        """
        return list(
            self._call(
                "add_insights",
                deploy_id=deploy_id,
                count=count,
                every_seconds=every_seconds,
                period_seconds=period_seconds,
                position=position,
                fields=fields,
            )
        )

    def change_insights(self, deploy_id: str, positions: Sequence[int], fields: dict[str, Any]) -> int:
        """Set fields (names of :class:`.rows.Row`) of the rows at these positions; returns how many."""
        return int(
            self._call("change_insights", deploy_id=deploy_id, positions=list(positions), fields=fields)
        )

    def close_insights(self, deploy_id: str, positions: Sequence[int]) -> int:
        """Cancel insights: they closed a second ago, and are scored from then on."""
        return int(self._call("close_insights", deploy_id=deploy_id, positions=list(positions)))

    def remove_insights(self, deploy_id: str, start: int, end: int) -> int:
        """Take positions `start` to `end` (exclusive) out of the list, so that later ones move down."""
        return int(self._call("remove_insights", deploy_id=deploy_id, start=start, end=end))

    def clear_insights(self, deploy_id: str) -> None:
        """Empty the list."""
        self._call("clear_insights", deploy_id=deploy_id)

    def refresh_insights(self, deploy_id: str) -> None:
        """Take the snapshot that the API answers from now, before it is due."""
        self._call("refresh_insights", deploy_id=deploy_id)
