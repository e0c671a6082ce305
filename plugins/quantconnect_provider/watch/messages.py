"""What people read about events: subject, text, and the same as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from quantconnect_provider.plain_text import counted, text_table, visible
from quantconnect_provider.store.events import (
    DAILY_REPORT,
    DIED,
    DISCONNECTED,
    DRAWDOWN,
    FILLS_MISMATCH,
    RECOVERED,
    STALE,
    STOPPED_ELSEWHERE,
    UNKNOWN_HERE,
    ZERO_EQUITY,
    Event,
)

WORDS = {
    DIED: "died",
    STOPPED_ELSEWHERE: "was stopped outside Airflow",
    RECOVERED: "runs again",
    STALE: "is stale",
    DRAWDOWN: "is in a drawdown",
    ZERO_EQUITY: "has no equity left",
    UNKNOWN_HERE: "runs, and Airflow did not deploy it",
    DISCONNECTED: "lost its brokerage",
    FILLS_MISMATCH: "has fills that do not match its orders",
    DAILY_REPORT: "daily report",
}
"""What happened, after the name of the project."""

_LONGEST_SUBJECT = 150


@dataclass(frozen=True)
class Places:
    """Where a person can see more.

    :param airflow: address of Airflow's interface, without a slash at the end; empty: unknown.
    :param quantconnect: address of a project, with ``{project_id}``; empty: it is not at QuantConnect.
    """

    airflow: str = ""
    quantconnect: str = ""

    def lines(self, event: Event) -> list[str]:
        """Return a line for each place."""
        found = []
        if self.quantconnect:
            found.append(f"QuantConnect: {self.quantconnect.format(project_id=event.project_id)}")
        if self.airflow:
            page = f"{self.airflow}/plugin/quantconnect#/deployment/{quote(event.deploy_id, safe='')}"
            found.append(f"Airflow: {page}")
        return found


@dataclass(frozen=True)
class Message:
    """One message to people.

    :param subject: one line.
    :param text: the message in plain text.
    """

    subject: str
    text: str

    @property
    def html(self) -> str:
        """The message as HTML; nothing in it is markup of others."""
        return f"<pre style='font-family: monospace'>{escape(self.text)}</pre>"


def message_of(events: Sequence[Event], places: Places) -> Message:
    """Return the message about these events: in full about one, a table of several."""
    if len(events) != 1:
        return _summary(events)
    (event,) = events
    if event.kind == DAILY_REPORT:
        return Message("QuantConnect: daily report", str(event.detail.get("text") or event.message))
    name = name_of(event)
    lines = [
        f"{name} {WORDS.get(event.kind, event.kind)}.",
        visible(event.message),
        "",
        f"Project {event.project_id}, deployment {event.deploy_id}, severity {event.severity}.",
        f"Seen at {event.opened_at:%Y-%m-%d %H:%M} UTC.",
    ]
    if event.resolved_at is not None and event.resolved_at != event.opened_at:
        lines.append(f"Gone since {event.resolved_at:%Y-%m-%d %H:%M} UTC.")
    lines += places.lines(event)
    log = event.detail.get("log")
    if isinstance(log, list) and log:
        lines += ["", "Last log lines:", *(f"  {visible(str(line))}" for line in log)]
    return Message(_subject(event), "\n".join(lines))


def name_of(event: Event) -> str:
    """Return the name of the event's project, or its number."""
    name = str(event.detail.get("project_name") or f"project {event.project_id}")
    return visible(" ".join(name.split()))


def _summary(events: Sequence[Event]) -> Message:
    rows = [
        (event.severity, name_of(event), WORDS.get(event.kind, event.kind), event.deploy_id, event.message)
        for event in events
    ]
    table = text_table(("severity", "project", "what", "deployment", "message"), rows)
    return Message(f"QuantConnect: {counted(len(events), 'event')}", table)


def _subject(event: Event) -> str:
    text = f"QuantConnect: {name_of(event)} {WORDS.get(event.kind, event.kind)}"
    return text if len(text) <= _LONGEST_SUBJECT else f"{text[: _LONGEST_SUBJECT - 1]}…"
