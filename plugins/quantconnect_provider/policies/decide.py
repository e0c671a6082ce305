"""Decides which open events are acted on now, from the policies and from what was done before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from quantconnect_provider.client.live_request import PAPER_BROKERAGES
from quantconnect_provider.policies.policy import Alert, AnyPolicy, Liquidate, Policies, Redeploy, Stop
from quantconnect_provider.store.event_actions import Candidate, PastAction


class Step(str, Enum):
    """What a guard does about an event in this cycle."""

    ACT = "act"
    AGAIN = "again"  # the event is claimed, and the run of that has not been seen
    WAIT = "wait"
    LEAVE = "leave"


@dataclass(frozen=True)
class Decision:
    """What is done about an event now, and why.

    :param reason: a few words for the log.
    """

    event: Candidate
    policy: AnyPolicy
    step: Step
    reason: str


def decide(
    events: Sequence[Candidate], history: Iterable[PastAction], policies: Policies, now: datetime
) -> list[Decision]:
    """Decide about each event that a policy with an action covers; changes nothing.

    How often a project was redeployed, and when, comes from *history* alone. A time in the future, from a
    clock that was set back since, counts as now: it can delay an action, never add one.
    """
    past = list(history)
    decisions = []
    for event in sorted(events, key=lambda each: (each.opened_at, each.event_id)):
        policy = policies.find(event.kind, event.project_id)
        if policy is None or isinstance(policy, Alert):
            continue
        step, reason = _step(event, policy, past, now)
        decisions.append(Decision(event, policy, step, reason))
        if step is Step.ACT:
            past.append(PastAction(event.event_id, event.project_id, event.deploy_id, policy.action, now))
    return decisions


def _step(
    event: Candidate, policy: Redeploy | Stop | Liquidate, past: Sequence[PastAction], now: datetime
) -> tuple[Step, str]:
    if event.newest_deploy_id != event.deploy_id:
        newest = event.newest_deploy_id or "no deployment"
        return Step.LEAVE, f"the project's newest deployment is {newest}"
    if event.acted_at is not None:
        if event.action != policy.action:
            return Step.LEAVE, f"it is claimed to {event.action}, and the policy is to {policy.action} now"
        return Step.AGAIN, f"claimed at {event.acted_at.isoformat(timespec='seconds')}, no run seen yet"
    if isinstance(policy, Redeploy):
        return _redeploy(event, policy, past, now)
    return _wind_down(event, policy, past)


def _redeploy(
    event: Candidate, policy: Redeploy, past: Sequence[PastAction], now: datetime
) -> tuple[Step, str]:
    if wrong := _wrong_money(event, policy):
        return Step.LEAVE, wrong
    window = timedelta(hours=policy.window_hours)
    before = [
        each.acted_at for each in past if each.project_id == event.project_id and each.action == policy.action
    ]
    # Counted back from the death, so that neither waiting nor a clock that jumps makes room for one more.
    count = sum(acted_at > event.opened_at - window for acted_at in before)
    if count >= policy.at_most:
        return Step.LEAVE, f"it was redeployed {count} times within {policy.window_hours:g} hours"
    seconds = min(policy.backoff_seconds * policy.backoff_factor**count, window.total_seconds())
    due_at = max([event.opened_at, *before]) + timedelta(seconds=seconds)
    if now < due_at:
        return Step.WAIT, f"redeploy {count + 1} of {policy.at_most} is due at {due_at:%Y-%m-%d %H:%M:%S} UTC"
    return Step.ACT, f"redeploy {count + 1} of {policy.at_most} within {policy.window_hours:g} hours"


def _wrong_money(event: Candidate, policy: Redeploy) -> str:
    """Say why the policy must not replace this deployment: paper by real money, or the other way round."""
    if event.brokerage is None:
        return "the brokerage of the deployment is not known"
    was_paper = event.brokerage in PAPER_BROKERAGES
    conn_id = policy.deploy.get("brokerage_conn_id")
    if was_paper and conn_id:
        return f"the deployment was paper trading, and the policy deploys to the connection {conn_id}"
    if not was_paper and not conn_id:
        return f"the deployment was at {event.brokerage}, and the policy deploys to paper trading"
    return ""


def _wind_down(event: Candidate, policy: Stop | Liquidate, past: Sequence[PastAction]) -> tuple[Step, str]:
    for each in past:
        if each.deploy_id == event.deploy_id and each.action in ("stop", "liquidate"):
            return Step.LEAVE, f"{each.event_id} has led to {each.action} this deployment already"
    if policy.limit is None:
        return Step.ACT, "the policy has no limit of its own"
    if event.drawdown is None:
        return Step.WAIT, "the drawdown is not known now"
    if event.drawdown < policy.limit:
        return Step.WAIT, f"the drawdown is {event.drawdown:.2%}, the limit {policy.limit:.2%}"
    return Step.ACT, f"the drawdown is {event.drawdown:.2%}, past the limit of {policy.limit:.2%}"
