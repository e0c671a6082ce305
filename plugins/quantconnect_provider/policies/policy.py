"""The policies: each says what to do about one kind of event, for some projects or for all."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

ProjectId = Annotated[int, Meta(ge=1, le=10**18 - 1)]
Projects = Annotated[list[ProjectId], Meta(min_length=1)] | Literal["all"]
Approval = Literal["auto", "always", "never"]


class Policy(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="action"):
    """What every policy has.

    :param projects: ids of projects, or ``all``: every project that no other policy of this event names.
    """

    projects: Projects

    @property
    def action(self) -> str:
        """The name of what it does."""
        return str(self.__struct_config__.tag)


class Alert(Policy, frozen=True, tag="alert"):
    """Do nothing beyond the message that every event sends."""

    event: Literal["died", "drawdown"]


class Redeploy(Policy, frozen=True, tag="redeploy"):
    """Deploy a project again whose deployment died.

    :param deploy: params of the DAG ``quantconnect_deploy``: ``brokerage_conn_id``, ``parameters``, ...
        Nothing but them says what is deployed.
    :param approval: when a person must approve, as in ``quantconnect_deploy``.
    :param at_most: redeploys of a project within ``window_hours``.
    :param backoff_seconds: wait after the death; ``backoff_factor`` times as long after each redeploy
        within the window, and no longer than the window. The default is the time in which QuantConnect may
        restart the deployment by itself.
    """

    event: Literal["died"]
    deploy: dict[str, Any]
    approval: Approval = "auto"
    at_most: Annotated[int, Meta(ge=1, le=100)] = 3
    window_hours: Annotated[float, Meta(gt=0, le=8784)] = 24.0
    backoff_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 600.0
    backoff_factor: Annotated[float, Meta(ge=1, le=10)] = 2.0


class Stop(Policy, frozen=True, tag="stop"):
    """Stop a deployment that draws down; it keeps its holdings.

    :param limit: act from this drawdown on, as a fraction of the highest equity; None: as soon as there is an
        event.
    :param approval: when a person must approve, as in ``quantconnect_wind_down``.
    """

    event: Literal["drawdown"]
    limit: Annotated[float, Meta(gt=0, le=1)] | None = None
    approval: Approval = "auto"


class Liquidate(Policy, frozen=True, tag="liquidate"):
    """Sell all holdings of a deployment that draws down, and end it; fields as in :class:`Stop`."""

    event: Literal["drawdown"]
    limit: Annotated[float, Meta(gt=0, le=1)] | None = None
    approval: Approval = "auto"


AnyPolicy = Alert | Redeploy | Stop | Liquidate

ACTIONS = {"died": ("alert", "redeploy"), "drawdown": ("alert", "stop", "liquidate")}
"""What can be done about each kind of event."""


class Policies(Struct, frozen=True):
    """All policies of an installation; none means that guards are off."""

    entries: tuple[AnyPolicy, ...] = ()

    def find(self, event: str, project_id: int) -> AnyPolicy | None:
        """Return the policy for an event of a project: one that names the project goes before ``all``."""
        of_event = [entry for entry in self.entries if entry.event == event]
        named = [entry for entry in of_event if entry.projects != "all" and project_id in entry.projects]
        for_all = [entry for entry in of_event if entry.projects == "all"]
        return next(iter(named + for_all), None)

    def named_projects(self) -> set[int]:
        """Return the ids of all projects that a policy names."""
        return {
            project_id for entry in self.entries if entry.projects != "all" for project_id in entry.projects
        }
