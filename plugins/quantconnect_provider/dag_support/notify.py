"""Delivers events through the Airflow notifiers that the configuration names."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from airflow.sdk import conf
from airflow.sdk.log import mask_secret

from quantconnect_provider import config
from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.redaction import SECRET_KEY
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.hooks.store import QuantConnectStoreHook
from quantconnect_provider.links import PROJECT_URL, is_at_quantconnect
from quantconnect_provider.plain_text import counted
from quantconnect_provider.store.event_delivery import (
    claim_undelivered,
    count_messages,
    mark_delivered,
    mark_notified,
)
from quantconnect_provider.store.events import CRITICAL, INFO, WARNING, Event
from quantconnect_provider.store.store import Store
from quantconnect_provider.tasks.failures import TaskFailed, plain_errors
from quantconnect_provider.tasks.operator import DEFAULT_CONN_ID
from quantconnect_provider.watch.messages import Message, Places, message_of

if TYPE_CHECKING:
    from airflow.sdk import Context


log = logging.getLogger(__name__)

_SETTING = "[quantconnect] notifiers"
_ADVICE = 'Write it like [{"class": "package.module.Notifier", "kwargs": {"to": "desk@example.com"}}].'
_ORDER = {CRITICAL: 0, WARNING: 1, INFO: 2}
_HOUR = timedelta(hours=1)

# What a notifier that is not given these arguments gets, if it takes and renders them.
_DEFAULTS = {
    "subject": "{{ quantconnect.subject }}",
    "title": "{{ quantconnect.subject }}",
    "html_content": "{{ quantconnect.html }}",
    "text": "{{ quantconnect.text }}",
    "body": "{{ quantconnect.text }}",
    "message": "{{ quantconnect.text }}",
}


@dataclass(frozen=True)
class NotifierSpec:
    """One entry of the setting.

    :param name: under which it is noted what it has delivered.
    """

    name: str
    path: str
    kwargs: dict[str, Any]

    def send(self, message: Message, context: Context) -> None:
        """Deliver a message. The notifier renders ``quantconnect.subject``, ``.text`` and ``.html``.

        The texts are values in the context and no templates: a log line with braces in it stays a log line.
        """
        kind = resolve_name(self.path)
        taken = inspect.signature(kind).parameters
        rendered = getattr(kind, "template_fields", ())
        added = {
            name: text
            for name, text in _DEFAULTS.items()
            if name not in self.kwargs and name in taken and name in rendered
        }
        texts = {"subject": message.subject, "text": message.text, "html": message.html}
        kind(**self.kwargs, **added)({**context, "quantconnect": texts})


def read_notifiers(text: str) -> list[NotifierSpec]:
    """Read the setting; empty text is none.

    :raises InvalidSettingError: naming the entry that cannot be right, without its values.
    """
    if not text.strip():
        return []
    try:
        entries = json.loads(text)
    except ValueError as error:
        raise InvalidSettingError(f"{_SETTING} is no JSON: {error}.", advice=_ADVICE) from None
    if not isinstance(entries, list):
        raise InvalidSettingError(f"{_SETTING} is no list.", advice=_ADVICE)
    found: list[NotifierSpec] = []
    for place, entry in enumerate(entries):
        path = entry.get("class") if isinstance(entry, dict) else None
        kwargs = entry.get("kwargs", {}) if isinstance(entry, dict) else None
        if not isinstance(path, str) or not isinstance(kwargs, dict) or set(entry) - {"class", "kwargs"}:
            raise InvalidSettingError(
                f"{_SETTING}[{place}] is not an object of class and kwargs.", advice=_ADVICE
            )
        twin = sum(1 for other in found if other.path == path)
        found.append(NotifierSpec(f"{path}#{twin + 1}" if twin else path, path, kwargs))
    return found


def deliver(context: Context) -> dict[str, int]:
    """Deliver every event that people have not heard of, once; returns how many events and messages.

    :raises QuantConnectTaskFailed: when the setting cannot be right.
    :raises TaskFailed: when a notifier failed; what it has not delivered is tried again in the next cycle.
    """
    settings = config.load()
    with plain_errors():
        notifiers = read_notifiers(settings.notifiers)
        if not notifiers:
            log.info("%s is empty: events are not delivered.", _SETTING)
            return {"events": 0, "messages": 0}
        for secret in _secrets([spec.kwargs for spec in notifiers]):
            mask_secret(secret)
        with Store.open(QuantConnectStoreHook().get_conn()) as store:
            claimed = claim_undelivered(store, utc_now())
            return _deliver(store, notifiers, claimed, settings.notifications_per_hour, context)


def _deliver(
    store: Store, notifiers: Sequence[NotifierSpec], events: Sequence[Event], per_hour: int, context: Context
) -> dict[str, int]:
    free = per_hour - count_messages(store, utc_now() - _HOUR)
    failures: dict[str, str] = {}
    delivered, messages = 0, 0
    for group in divide(events, free):
        if _deliver_group(store, notifiers, group, context, failures):
            mark_notified(store, [event.event_id for event in group], utc_now())
            delivered, messages = delivered + len(group), messages + 1
    log.info("Delivered %s in %s.", counted(delivered, "event"), counted(messages, "message"))
    if failures:
        causes = "; ".join(f"{name} ({cause})" for name, cause in failures.items())
        raise TaskFailed(f"Not everything was delivered, the next cycle tries again: {causes}.")
    return {"events": delivered, "messages": messages}


def divide(events: Sequence[Event], free: int) -> list[list[Event]]:
    """Divide events into messages: one each, the worst first, and the rest in one where *free* is too few."""
    worst_first = sorted(events, key=lambda event: (_ORDER.get(event.severity, 0), event.opened_at))
    if len(worst_first) <= free or not worst_first:
        return [[event] for event in worst_first]
    alone = max(0, free - 1)
    return [[event] for event in worst_first[:alone]] + [worst_first[alone:]]


def _deliver_group(
    store: Store,
    notifiers: Sequence[NotifierSpec],
    group: Sequence[Event],
    context: Context,
    failures: dict[str, str],
) -> bool:
    """Send one message through every notifier; those that have delivered an event already leave it out."""
    complete = True
    for spec in notifiers:
        news = [event for event in group if spec.name not in (event.delivered_to or ())]
        if not news:
            continue
        try:
            spec.send(message_of(news, _places()), context)
        except Exception as error:  # noqa: BLE001 - a notifier may raise anything, and stops no other
            complete = False
            failures[spec.name] = type(error).__name__
            log.error("%s could not deliver: %s: %s", spec.path, type(error).__name__, error)
        else:
            for event in news:
                mark_delivered(store, event, spec.name)
    return complete


def _places() -> Places:
    airflow = conf.get("api", "base_url", fallback="").rstrip("/")
    return Places(airflow, PROJECT_URL if is_at_quantconnect(DEFAULT_CONN_ID) else "")


def _secrets(value: Any, key: str = "") -> Iterator[str]:
    """Yield what may be secret in the arguments: by the name of the argument, or an address with a token."""
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from _secrets(entry, f"{key} {name}")
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _secrets(entry, key)
    elif isinstance(value, str) and "{{" not in value and (SECRET_KEY.search(key) or "://" in value):
        yield value
