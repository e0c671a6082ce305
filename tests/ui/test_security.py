"""Who may see the page and its data, and what every answer says to browsers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quantconnect_provider.store import Store
from tests.ui import seed

DEPLOY_ID = seed.deploy_id_of(11000001)
DATA = [
    "/quantconnect/api/summary",
    "/quantconnect/api/deployments",
    f"/quantconnect/api/deployment?deploy_id={DEPLOY_ID}",
    f"/quantconnect/api/equity?deploy_id={DEPLOY_ID}",
    f"/quantconnect/api/events?deploy_id={DEPLOY_ID}",
    f"/quantconnect/api/harvests?project_id=11000001&deploy_id={DEPLOY_ID}",
    "/quantconnect/api/scores?project_id=11000001",
    f"/quantconnect/api/insights?deploy_id={DEPLOY_ID}",
    f"/quantconnect/api/timeline?deploy_id={DEPLOY_ID}",
    "/quantconnect/api/task?dag_id=quantconnect_deploy&run_id=r&task_id=deploy",
]
FILES = ["/quantconnect/", "/quantconnect/static/app.js", "/quantconnect/static/vendor/uplot/uPlot.esm.js"]


def test_every_route_is_tried_here_and_only_reads() -> None:
    from quantconnect_provider.ui.app import application

    routes = application().routes
    tried = {path.partition("?")[0].removeprefix("/quantconnect") for path in DATA}
    assert {route.path for route in routes} == tried | {"/", "/static/{name:path}"}  # type: ignore[attr-defined]
    for route in routes:
        assert route.methods <= {"GET", "HEAD"}, route  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", DATA + FILES)
def test_without_login_nothing_is_shown(client_as: Callable[..., Any], store: Store, path: str) -> None:
    assert client_as(None).get(path).status_code == 401


@pytest.mark.parametrize("path", DATA + FILES)
def test_a_viewer_sees_it(viewer: Any, path: str) -> None:
    assert viewer.get(path).status_code == 200


@pytest.mark.parametrize("path", DATA + FILES)
def test_who_may_not_see_plugins_sees_nothing(
    viewer: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    _forbid(monkeypatch, "is_authorized_view", lambda **asked: asked["access_view"].value == "PLUGINS")
    assert viewer.get(path).status_code == 403


@pytest.mark.parametrize("path", DATA)
def test_data_needs_the_right_to_read_the_dag_that_produced_it(
    viewer: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    _forbid(monkeypatch, "is_authorized_dag", lambda **asked: "harvest" in asked["details"].id)
    assert viewer.get(path).status_code == 403


def test_equity_and_events_need_the_right_to_read_the_watch(
    viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _forbid(monkeypatch, "is_authorized_dag", lambda **asked: asked["details"].id == "quantconnect_watch")
    for name in ("equity", "events"):
        assert viewer.get(f"/quantconnect/api/{name}?deploy_id={DEPLOY_ID}").status_code == 403
    row = viewer.get(f"/quantconnect/api/deployment?deploy_id={DEPLOY_ID}").json()
    assert (row["equity"], row["sparkline"], row["open_events"]) == (None, [], None)
    assert viewer.get("/quantconnect/api/summary").json()["open_events"] is None


def test_a_task_needs_the_right_to_read_the_xcoms_of_its_dag(
    viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_xcom_of_other_dag(**asked: Any) -> bool:
        entity = asked.get("access_entity")
        return entity is not None and entity.value == "XCOM" and asked["details"].id == "secret"

    _forbid(monkeypatch, "is_authorized_dag", is_xcom_of_other_dag)
    assert viewer.get("/quantconnect/api/task?dag_id=secret&run_id=r&task_id=t").status_code == 403
    assert viewer.get("/quantconnect/api/task?dag_id=other&run_id=r&task_id=t").status_code == 200


@pytest.mark.parametrize("path", [DATA[0], "/quantconnect/", "/quantconnect/static/nothing.js"])
def test_every_answer_tells_browsers_to_load_and_run_nothing_foreign(viewer: Any, path: str) -> None:
    headers = viewer.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert ("no-store" in headers["cache-control"]) == ("/static/" not in path)


def test_nothing_but_reading_is_possible(viewer: Any) -> None:
    for path in (path.partition("?")[0] for path in DATA):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert viewer.request(method, path).status_code == 405


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "%2e%2e/security.py", "/etc/passwd", ""])
def test_only_files_of_the_page_are_served(viewer: Any, name: str) -> None:
    answer = viewer.get(f"/quantconnect/static/{name}")
    assert answer.status_code == 404
    assert "import" not in answer.text


def test_a_browser_keeps_the_files_and_asks_whether_they_changed(viewer: Any) -> None:
    path = "/quantconnect/static/vendor/uplot/uPlot.esm.js"
    first = viewer.get(path)
    assert "javascript" in first.headers["content-type"]
    again = viewer.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]


def test_reference_pages_of_the_framework_are_off(viewer: Any) -> None:
    for name in ("docs", "redoc", "openapi.json"):
        assert viewer.get(f"/quantconnect/{name}").status_code == 404


def test_the_stores_address_is_in_no_answer(
    client_as: Callable[..., Any], store_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "postgresql://watcher:canary-password@127.0.0.1:9/nothing?connect_timeout=1"
    monkeypatch.setenv("AIRFLOW_CONN_QUANTCONNECT_STORE", address)
    answer = client_as("viewer").get("/quantconnect/api/summary")
    assert answer.status_code == 503
    assert "cannot be read" in answer.json()["detail"]
    assert "canary" not in answer.text
    assert "127.0.0.1" not in answer.text


def _forbid(monkeypatch: pytest.MonkeyPatch, method: str, forbidden: Callable[..., bool]) -> None:
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    allowed = getattr(SimpleAuthManager, method)

    def answer(self: Any, **asked: Any) -> bool:
        return not forbidden(**asked) and bool(allowed(self, **asked))

    monkeypatch.setattr(SimpleAuthManager, method, answer)
