"""What can go wrong on the way: which request a fault hits, and what happens to it."""

from __future__ import annotations

import fnmatch
import itertools
import random
from typing import Any, Literal

import msgspec


class FaultSpec(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One fault. The first four fields say which requests it hits, the others what happens to them.

    :param endpoint: such as ``live/create``; ``*`` and ``?`` match as in file names
    :param project_id: only requests for this project
    :param nth: the first request (counted from 1 among those that match) which is hit
    :param times: how many are hit from there on; None is every one
    :param probability: of each of them being hit, drawn from the sandbox's seed
    :param when: ``before`` the request takes effect (then it has none) or ``after``
    :param status: HTTP status to answer with; `body` and `retry_after` (seconds) go with it
    :param drop: abort the TCP connection without a byte of an answer
    :param truncate: announce the whole answer, send half of it, close the connection
    :param hang: never answer; ends when the fault is cleared, the client leaves or the sandbox stops
    :param loading: answer ``{"progress": ..., "status": "loading", "success": true}``
    :param errors: answer HTTP 200 with ``success: false`` and these texts
    :param delay_seconds: wait first (real time); alone, the request is answered normally after it
    :param control: control verbs (``{"verb": "advance", "seconds": 600}``) that are carried out first;
        alone, the request is answered normally after them
    """

    endpoint: str = "*"
    project_id: int | None = None
    nth: int = 1
    times: int | None = 1
    probability: float = 1.0
    when: Literal["before", "after"] = "before"
    status: int | None = None
    retry_after: float | None = None
    body: Literal["html", "json", "empty"] = "html"
    drop: bool = False
    truncate: bool = False
    hang: bool = False
    loading: bool = False
    errors: list[str] | None = None
    delay_seconds: float = 0.0
    control: list[dict[str, Any]] = []

    def __post_init__(self) -> None:
        if self._outcomes() > 1:
            raise ValueError("a fault has one of status, drop, truncate, hang, loading, errors; not several")
        if not self.replaces_answer and not self.delay_seconds and not self.control:
            raise ValueError(
                "a fault needs one of status, drop, truncate, hang, loading, errors, delay_seconds, control"
            )
        if self.nth < 1 or (self.times is not None and self.times < 1) or not 0 <= self.probability <= 1:
            raise ValueError("a fault needs nth >= 1, times >= 1 (or null) and probability between 0 and 1")

    @property
    def replaces_answer(self) -> bool:
        """False for a fault that only delays or carries out control verbs."""
        return self._outcomes() > 0

    def _outcomes(self) -> int:
        given = (self.status is not None, self.errors is not None)
        return sum((*given, self.drop, self.truncate, self.hang, self.loading))


class Fault:
    """A fault in force, with what it has seen and done so far."""

    def __init__(self, number: int, spec: FaultSpec) -> None:
        self.number = number
        self.spec = spec
        self.seen = 0
        self.applied = 0
        self.cleared = False

    def hits(self, endpoint: str, project_id: int | None, chance: random.Random, taken: bool) -> bool:
        """Count this request if it matches, and say whether the fault strikes it.

        :param taken: another fault replaces the answer already, so that this one cannot as well
        """
        spec = self.spec
        if not fnmatch.fnmatchcase(endpoint, spec.endpoint):
            return False
        if spec.project_id is not None and spec.project_id != project_id:
            return False
        self.seen += 1
        if taken and spec.replaces_answer:
            return False
        if self.seen < spec.nth or (spec.times is not None and self.applied >= spec.times):
            return False
        if spec.probability < 1 and chance.random() >= spec.probability:
            return False
        self.applied += 1
        return True

    def describe(self) -> dict[str, Any]:
        """Describe the fault as the control API shows it."""
        return {
            "fault_id": self.number,
            "seen": self.seen,
            "applied": self.applied,
            **msgspec.to_builtins(self.spec),
        }


class FaultList:
    """All faults in force, in the order in which they were added."""

    def __init__(self, specs: list[FaultSpec], seed: int) -> None:
        self._numbers = itertools.count(1)
        self._chance = random.Random(f"faults {seed}")  # noqa: S311 - reproducible, not secret
        self.active: list[Fault] = []
        for spec in specs:
            self.add(spec)

    def add(self, spec: FaultSpec) -> int:
        """Put a fault in force and return its number."""
        fault = Fault(next(self._numbers), spec)
        self.active.append(fault)
        return fault.number

    def clear(self, number: int | None = None) -> int:
        """Take one fault, or all, out of force (which releases hung requests); returns how many."""
        gone = [fault for fault in self.active if number in (None, fault.number)]
        for fault in gone:
            fault.cleared = True
            self.active.remove(fault)
        return len(gone)

    def strike(self, endpoint: str, project_id: int | None) -> list[Fault]:
        """Find the faults that hit this request; only the first of them that replaces the answer does."""
        struck: list[Fault] = []
        for fault in self.active:
            taken = any(other.spec.replaces_answer for other in struck)
            if fault.hits(endpoint, project_id, self._chance, taken):
                struck.append(fault)
        return struck
