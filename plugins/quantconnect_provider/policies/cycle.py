"""One cycle of the guards: complete what an earlier one began, decide, and claim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from quantconnect_provider.policies.decide import Decision, Step, decide
from quantconnect_provider.policies.policy import Policies
from quantconnect_provider.store.event_actions import (
    Candidate,
    Claim,
    PastAction,
    claim_events,
    note_run,
    unseen_claims,
)
from quantconnect_provider.store.store import Store

_UNSEEN_FOR = timedelta(days=7)


def guard_events(
    store: Store, policies: Policies, now: datetime, find_run: Callable[[Claim], str | None]
) -> list[Decision]:
    """Claim what the policies act on now; the caller triggers a run for each ``ACT`` and ``AGAIN``.

    If the caller dies before it has, the next cycle returns the event as ``AGAIN``, as long as it is open and
    its policy is the same. Once *find_run* has found the run, no cycle returns the event again.

    :param find_run: returns the id of the run that acts on a claim; None if there is none.
    """
    for claim in unseen_claims(store, now - _UNSEEN_FOR):
        if run_id := find_run(claim):
            note_run(store, claim.event_id, run_id)
    decisions: list[Decision] = []

    def choose(events: Sequence[Candidate], history: Sequence[PastAction]) -> list[Claim]:
        decisions[:] = decide(events, history, policies, now)
        return [Claim(each.event.event_id, each.policy.action) for each in decisions if each.step is Step.ACT]

    mine = {claim.event_id for claim in claim_events(store, choose, now)}
    return [each for each in decisions if each.step is not Step.ACT or each.event.event_id in mine]
