"""The table: what can happen to a request, at every request that deploys, redeploys, stops and liquidates."""

from __future__ import annotations

from tests.chaos.cases import Case, Fault

BEFORE_OR_AFTER: dict[str, Fault] = {
    "dropped-before": {"drop": True, "when": "before"},
    "dropped-after": {"drop": True, "when": "after"},
    "500-before": {"status": 500, "when": "before"},
    "500-after": {"status": 500, "when": "after"},
    "html-before": {"status": 200, "body": "html", "when": "before"},
    "html-after": {"status": 200, "body": "html", "when": "after"},
    "truncated-before": {"truncate": True, "when": "before"},
    "truncated-after": {"truncate": True, "when": "after"},
    "hung-before": {"hang": True, "when": "before"},
    "hung-after": {"hang": True, "when": "after"},
    "429": {"status": 429, "retry_after": 1.0, "when": "before"},
}

WRITES = [
    ("deploy", "live/create"),
    ("redeploy", "live/update/stop"),
    ("redeploy", "live/create"),
    ("stop", "live/update/stop"),
    ("liquidate", "live/update/liquidate"),
]
"""What must not be sent twice meets every fault."""

READS = [
    ("build", "compile/create", "dropped-after"),
    ("build", "compile/create", "500-before"),
    ("build", "compile/read", "truncated-after"),
    ("build", "compile/read", "429"),
    ("deploy", "projects/nodes/read", "html-before"),
    ("deploy", "live/list", "hung-before"),
    ("deploy", "live/read", "500-before"),
    ("adopt", "live/list", "html-before"),
    ("redeploy", "live/portfolio/read", "hung-before"),
    ("redeploy", "live/read", "truncated-after"),
    ("stop", "live/list", "429"),
    ("stop", "live/read", "dropped-before"),
    ("liquidate", "live/portfolio/read", "500-before"),
    ("liquidate", "live/list", "dropped-after"),
]
"""What may be repeated meets one each: that the client repeats it is proven where the client is tested."""

OUTAGES = [
    ("build", "compile/create"),
    ("deploy", "live/read"),
    ("redeploy", "live/portfolio/read"),
    ("stop", "live/list"),
]
"""Outages that outlast the client's own patience, so that the task has to try again."""

CLIENT_ATTEMPTS = 5


def _write_cases() -> list[Case]:
    cases = []
    for flow, endpoint in WRITES:
        for number, (name, fault) in enumerate(BEFORE_OR_AFTER.items()):
            # Each fault meets both ways of waiting over the table; redeploys alternate the other way round.
            deferred = (number + WRITES.index((flow, endpoint))) % 2 == 0
            cases.append(
                Case(
                    f"{flow}-{endpoint}-{name}",
                    flow,
                    "deferred" if deferred else "worker",
                    ({"endpoint": endpoint, **fault},),
                    first="update" in endpoint and name.endswith("before"),
                )
            )
    return cases


def _read_cases() -> list[Case]:
    return [
        Case(f"{flow}-{endpoint}-{name}", flow, "worker", ({"endpoint": endpoint, **BEFORE_OR_AFTER[name]},))
        for flow, endpoint, name in READS
    ]


def _outage_cases() -> list[Case]:
    return [
        Case(
            f"{flow}-{endpoint}-outage",
            flow,
            faults=({"endpoint": endpoint, "status": 502, "times": CLIENT_ATTEMPTS},),
            first=True,
        )
        for flow, endpoint in OUTAGES
    ]


TWICE = [
    Case(
        "deploy-lost-and-list-down",
        "deploy",
        faults=(
            {"endpoint": "live/create", **BEFORE_OR_AFTER["dropped-after"]},
            {"endpoint": "live/list", "status": 500, "nth": 2, "times": 3},
        ),
    ),
    Case(
        "deploy-lost-and-read-is-a-page",
        "deploy",
        "worker",
        faults=(
            {"endpoint": "live/create", **BEFORE_OR_AFTER["hung-after"]},
            {"endpoint": "live/read", "status": 200, "body": "html", "nth": 2, "times": 2},
        ),
    ),
    Case(
        "deploy-never-arrives-twice",
        "deploy",
        faults=({"endpoint": "live/create", "drop": True, "times": 2},),
        first=True,
    ),
    Case(
        "deploy-lists-down-for-everyone",
        "deploy",
        # The one look that the triggerer takes for all names no project.
        faults=({"endpoint": "live/list", "status": 502, "nth": 3, "times": 8, "project_id": None},),
    ),
    Case(
        "redeploy-both-answers-lost",
        "redeploy",
        faults=(
            {"endpoint": "live/update/stop", **BEFORE_OR_AFTER["500-after"]},
            {"endpoint": "live/create", **BEFORE_OR_AFTER["truncated-after"]},
        ),
    ),
]

CASES = [*_write_cases(), *_read_cases(), *_outage_cases(), *TWICE]
