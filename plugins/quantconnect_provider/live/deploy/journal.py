"""What a deploying task notes: each attempt to send live/create, before it is sent, and its outcome.

One JSON document under one key, written as a whole, so that no half of it can be missing. Ids, times and
digests only.
"""

from __future__ import annotations

import hashlib
import json
import socket
import uuid
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar

from quantconnect_provider.client.live_request import LiveSpec
from quantconnect_provider.live.deployment_errors import NotDeployedError
from quantconnect_provider.live.notes import TaskNotes
from quantconnect_provider.live.observation import Observation, ProjectObservation

KEY = "quantconnect_deploy"

OPEN = "open"  # it may have been sent
RECEIPT = "receipt"  # its deployment is known
REFUSED = "refused"  # the API said no
VOID = "void"  # it is certain that it deployed nothing

_ATTEMPTS_KEPT = 20
_IDS_KEPT = 500


@dataclass
class SendAttempt:
    """One attempt to send live/create.

    :param token: tells it from one that another attempt of the task noted at the same time.
    :param known: ids of the deployments that were there before it was sent; of very many, the newest.
    :param known_from: launch time (unix seconds) of the oldest of them if some were left out.
    :param looked_at: unix seconds of the poll that found them; ``sent_at`` and ``unclear_at`` likewise.
    :param host: whose clock these times are of.
    :param how: how the deployment became this task's: created, adopted or found.
    :param outcome: how the task ended with it; None while it has not.
    """

    project_id: int = 0
    state: str = OPEN
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    known: list[str] = field(default_factory=list)
    known_from: float | None = None
    looked_at: float = 0.0
    sent_at: float = 0.0
    unclear_at: float | None = None
    host: str = field(default_factory=socket.gethostname)
    digest: str = ""
    deploy_id: str | None = None
    how: str | None = None
    outcome: str | None = None

    def deployments_since(self, observed: ProjectObservation) -> list[Observation]:
        """Return what *observed* shows that was not there before this attempt.

        The known ids decide. Launch times come from another clock, in a zone that the API does not name:
        a deployment missed because of them would be made twice.
        """
        floor = self.known_from
        return [
            deployment
            for deployment in observed.seen.values()
            if deployment.deploy_id not in self.known
            and (floor is None or deployment.launched_at is None or _seconds(deployment.launched_at) > floor)
        ]


@dataclass
class Redeploy:
    """A redeploy in progress: which deployment makes room, and what it held.

    :param over: whether a poll has shown that it ended.
    :param portfolio: see ``carry_over.portfolio_snapshot``; None if the brokerage takes none.
    """

    deploy_id: str
    portfolio: dict[str, Any] | None = None
    over: bool = False


_NoteT = TypeVar("_NoteT", SendAttempt, Redeploy)


class DeployJournal:
    """The document of one task; read once, written at every step."""

    def __init__(self, notes: TaskNotes) -> None:
        self._notes = notes
        note = notes.get(KEY) or {}
        self.attempts = [_read(SendAttempt, entry) for entry in note.get("intents", [])]
        self.redeploy = _read(Redeploy, note["redeploy"]) if note.get("redeploy") else None
        self._token = self.last.token if self.last else None

    @property
    def last(self) -> SendAttempt | None:
        """The newest send attempt."""
        return self.attempts[-1] if self.attempts else None

    def void_since_receipt(self) -> list[SendAttempt]:
        """Return the send attempts since the last known deployment that seem to have deployed nothing."""
        void: list[SendAttempt] = []
        for attempt in reversed(self.attempts):
            if attempt.state == RECEIPT:
                break
            if attempt.state == VOID:
                void.append(attempt)
        return void

    def add(self, attempt: SendAttempt) -> None:
        """Note *attempt*; when this returns, it is durable.

        :raises NotDeployedError: if another attempt of the task has noted something since this one began.
        """
        noted = DeployJournal(self._notes).last
        if (noted.token if noted else None) != self._token:
            raise NotDeployedError("Nothing was sent: another attempt of this task is running.")
        self._token = attempt.token
        self.attempts = [*self.attempts, attempt][-_ATTEMPTS_KEPT:]
        self.save()

    def save(self) -> None:
        """Write the document."""
        self._notes.set(
            KEY,
            {
                # The key is as old as the notes of tasks in flight.
                "intents": [_written(attempt) for attempt in self.attempts],
                "redeploy": asdict(self.redeploy) if self.redeploy else None,
            },
        )

    def still_ours(self, attempt: SendAttempt) -> bool:
        """Whether the newest send attempt is *attempt*, not one of another attempt of the task."""
        newest = DeployJournal(self._notes).last
        return newest is not None and newest.token == attempt.token and newest.state == OPEN


def attempt_after(observed: ProjectObservation, spec: LiveSpec, now: float) -> SendAttempt:
    """Return the attempt to send *spec*, made right after *observed*."""
    known = sorted(
        observed.seen.values(),
        key=lambda entry: _seconds(entry.launched_at) if entry.launched_at else float("inf"),
        reverse=True,
    )
    kept = known[:_IDS_KEPT]
    oldest = kept[-1].launched_at if len(known) > len(kept) else None
    return SendAttempt(
        project_id=spec.project_id,
        known=[entry.deploy_id for entry in kept],
        known_from=_seconds(oldest) if oldest else None,
        looked_at=observed.looked_at,
        sent_at=now,
        digest=digest_of(spec),
    )


def digest_of(spec: LiveSpec) -> str:
    """Return a digest of what is deployed, without secrets, to notice a later attempt with others."""
    asked = [
        spec.project_id,
        spec.version_id,
        spec.brokerage.get("id"),
        spec.parameters,
        spec.automatic_redeploy,
    ]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def mark_finished(notes: TaskNotes) -> None:
    """Note that the task is done with its deployment: a later attempt then is a person's clear."""
    _mark(notes, "finished")


def mark_failed(notes: TaskNotes, why: str) -> None:
    """Note that the task's deployment ended badly, and how."""
    _mark(notes, f"failed: {why[:200]}")


def _mark(notes: TaskNotes, outcome: str) -> None:
    journal = DeployJournal(notes)
    if journal.last is not None and journal.last.state == RECEIPT:
        journal.last.outcome = outcome
        journal.save()


def _written(attempt: SendAttempt) -> dict[str, Any]:
    """Return the note; the ids known before are needed only while a deployment may still appear."""
    note = asdict(attempt)
    return note if attempt.state in (OPEN, VOID) else {**note, "known": []}


def _read(kind: type[_NoteT], entry: dict[str, Any]) -> _NoteT:
    """Read a note, also one of a version with more fields than this."""
    names = {known.name for known in fields(kind)}
    return kind(**{name: value for name, value in entry.items() if name in names})


def _seconds(moment: datetime) -> float:
    return moment.timestamp()
