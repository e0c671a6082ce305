"""The DAG quantconnect_watch through Airflow, with a real SMTP server and a webhook on loopback."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from sqlalchemy import create_engine, text

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.dag_support.notify import divide, read_notifiers
from quantconnect_provider.dag_support.watch import read_market_calendar
from tests.airflow.conftest import FAST, Run, sent

SMTP = "airflow.providers.smtp.notifications.smtp.SmtpNotifier"
HTTP = "airflow.providers.http.notifications.HttpNotifier"
TOKEN = "webhook-canary-token"


@pytest.fixture
def quantconnect_scenario() -> Any:
    return FAST


class Inbox(MessageHandler):
    def __init__(self) -> None:
        super().__init__(EmailMessage)
        self.mails: list[EmailMessage] = []

    def prepare_message(self, session: Any, envelope: Any) -> Any:
        return message_from_bytes(envelope.content, policy=policy.default)

    def handle_message(self, message: Any) -> None:
        self.mails.append(message)

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]


@pytest.fixture
def inbox(connection: Callable[..., None]) -> Iterator[Inbox]:
    """Take mail as a mail server does."""
    inbox = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        connection(
            "smtp_default",
            {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": port,
                "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"},
            },
        )
        yield inbox
    finally:
        controller.stop()


class Webhook:
    """Takes POSTs; answers with ``status``."""

    def __init__(self) -> None:
        self.status = 200
        self.posts: list[Any] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(hook.status)
                self.end_headers()
                if hook.status == 200:
                    hook.posts.append(json.loads(body))

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def webhook(connection: Callable[..., None]) -> Iterator[Webhook]:
    webhook = Webhook()
    thread = threading.Thread(target=webhook.server.serve_forever, daemon=True)
    thread.start()
    connection("http_default", f"http://127.0.0.1:{webhook.server.server_address[1]}")
    yield webhook
    webhook.server.shutdown()
    webhook.server.server_close()


@pytest.fixture
def watch(
    run_dag: Callable[..., Run], quantconnect_sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Run]:
    notifiers = [
        {"class": SMTP, "kwargs": {"to": "desk@example.com"}},
        {
            "class": HTTP,
            "kwargs": {
                "endpoint": "hook",
                "json": {"text": "{{ quantconnect.text }}"},
                "headers": {"X-Token": TOKEN},
            },
        },
    ]
    for name, value in {
        "NOTIFIERS": json.dumps(notifiers),
        "MARKET_CALENDAR": "24/7",
        "WATCH_LOG_MINUTES": "0",
    }.items():
        monkeypatch.setenv(f"AIRFLOW__QUANTCONNECT__{name}", value)
    return lambda: run_dag("quantconnect_watch", retries=0)


def events(store_url: str) -> list[tuple[Any, ...]]:
    engine = create_engine(store_url)
    query = "SELECT kind, resolved_at IS NULL, notified_at IS NOT NULL FROM quantconnect_events ORDER BY kind"
    with engine.connect() as connection:
        found = [(kind, bool(is_open), bool(told)) for kind, is_open, told in connection.execute(text(query))]
    engine.dispose()
    return found


def deploy_id(sandbox: Any, project_id: int) -> str:
    return str(sandbox.deployments(project_id)[-1]["deploy_id"])


def test_what_goes_wrong_reaches_people_once(
    watch: Callable[[], Run], quantconnect_sandbox: Any, store_url: str, inbox: Inbox, webhook: Webhook
) -> None:
    first = watch()
    assert first.state == "success"
    assert sent(quantconnect_sandbox, "live/list") == 1
    assert inbox.mails == webhook.posts == []
    quantconnect_sandbox.fail(
        deploy_id(quantconnect_sandbox, 1002),
        "Runtime Error: <b>{{ conn.smtp_default }}</b>",
        logs=["Last {{ 1 }}"],
    )
    quantconnect_sandbox.drawdown(deploy_id(quantconnect_sandbox, 1003), 0.4)
    quantconnect_sandbox.disconnect(deploy_id(quantconnect_sandbox, 1003))
    for _ in range(3):
        run = watch()
        assert run.state == "success"
    assert events(store_url) == [("died", True, True), ("disconnected", True, True), ("drawdown", True, True)]
    assert sorted(inbox.subjects()) == [
        "QuantConnect: project 1002 died",
        "QuantConnect: project 1003 is in a drawdown",
        "QuantConnect: project 1003 lost its brokerage",
    ]
    assert len(webhook.posts) == 3
    (died,) = [post["text"] for post in webhook.posts if "died" in post["text"]]
    assert "{{ conn.smtp_default }}" in died
    assert "Last {{ 1 }}" in died
    html = next(mail for mail in inbox.mails if "died" in str(mail["Subject"])).get_body().get_content()
    assert "&lt;b&gt;" in html
    assert "3 open" in run.log
    assert TOKEN not in run.log


def test_a_stale_deployment_and_its_recovery(
    watch: Callable[[], Run],
    quantconnect_sandbox: Any,
    store_url: str,
    monkeypatch: pytest.MonkeyPatch,
    inbox: Inbox,
    webhook: Webhook,
) -> None:
    monkeypatch.setenv("AIRFLOW__QUANTCONNECT__STALE_MINUTES", "0.00001")
    for project_id in (1002, 1003):
        quantconnect_sandbox.go_stale(deploy_id(quantconnect_sandbox, project_id))
    for _ in range(5):
        watch()
    assert events(store_url) == [("stale", True, True)] * 2
    monkeypatch.setenv("AIRFLOW__QUANTCONNECT__STALE_MINUTES", "60")
    watch()
    assert events(store_url) == [("stale", False, True)] * 2
    assert len(inbox.mails) == len(webhook.posts) == 2


def test_what_a_notifier_could_not_deliver_is_tried_again_by_that_one_only(
    watch: Callable[[], Run],
    quantconnect_sandbox: Any,
    store_url: str,
    inbox: Inbox,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("quantconnect_provider.store.event_delivery._CLAIMED_FOR", -_one_day())
    watch()
    webhook.status = 500
    quantconnect_sandbox.fail(deploy_id(quantconnect_sandbox, 1002))
    run = watch()
    assert (run.states["observe"], run.states["notify"]) == ("success", "failed")
    assert "the next cycle tries again" in run.log
    assert events(store_url) == [("died", True, False)]
    webhook.status = 200
    assert watch().state == "success"
    assert events(store_url) == [("died", True, True)]
    assert (len(inbox.mails), len(webhook.posts)) == (1, 1)


def test_what_was_opened_is_delivered_although_quantconnect_does_not_answer(
    watch: Callable[[], Run],
    quantconnect_sandbox: Any,
    inbox: Inbox,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch()
    quantconnect_sandbox.fail(deploy_id(quantconnect_sandbox, 1002))
    monkeypatch.setenv("AIRFLOW__QUANTCONNECT__DAILY_REPORT_HOUR", "0")
    quantconnect_sandbox.add_fault("live/list", errors=["Down for maintenance."], times=None)
    run = watch()
    assert run.states["observe"] == "failed"
    assert "Down for maintenance." in run.log
    assert inbox.mails == []
    quantconnect_sandbox.clear_faults()
    watch()
    watch()
    assert sorted(inbox.subjects()) == ["QuantConnect: daily report", "QuantConnect: project 1002 died"]


def test_too_many_events_come_in_one_message(
    watch: Callable[[], Run],
    quantconnect_sandbox: Any,
    inbox: Inbox,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW__QUANTCONNECT__NOTIFICATIONS_PER_HOUR", "1")
    watch()
    for project_id in (1002, 1003):
        quantconnect_sandbox.fail(deploy_id(quantconnect_sandbox, project_id))
    watch()
    assert inbox.subjects() == ["QuantConnect: 2 events"]


def test_own_wind_down_is_no_event(
    watch: Callable[[], Run], run_dag: Callable[..., Run], store_url: str, inbox: Inbox, webhook: Webhook
) -> None:
    watch()
    run_dag("quantconnect_wind_down", project_ids=[1002], action="stop", approval="never")
    watch()
    assert events(store_url) == []


def test_own_deploy_is_known(
    watch: Callable[[], Run], run_dag: Callable[..., Run], store_url: str, inbox: Inbox, webhook: Webhook
) -> None:
    watch()
    run_dag("quantconnect_deploy", project_id=1001)
    watch()
    assert events(store_url) == []


@pytest.mark.parametrize(
    "setting",
    [
        "{",
        "{}",
        '["x"]',
        '[{"class": 1}]',
        '[{"class": "a.B", "kwargs": []}]',
        '[{"class": "a.B", "to": "x"}]',
    ],
)
def test_notifiers_that_cannot_be_right_are_refused(setting: str) -> None:
    with pytest.raises(InvalidSettingError, match="notifiers"):
        read_notifiers(setting)


@pytest.mark.parametrize("setting", ["{", '{"default": 1}', '{"momentum": "XNYS"}', '{"7": 24}'])
def test_calendars_that_cannot_be_right_are_refused(setting: str) -> None:
    with pytest.raises(InvalidSettingError, match="market_calendar"):
        read_market_calendar(setting)


def test_no_events_are_no_message() -> None:
    assert divide([], 3) == divide([], 0) == []


def _one_day() -> Any:
    from datetime import timedelta

    return timedelta(days=1)
