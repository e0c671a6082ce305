"""A row of live/list that cannot be read hides no other, and does not pass for nothing."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.status import Phase, phase_of
from tests.client.scripted import Reply, ScriptedServer

GOOD = {"projectId": 6, "deployId": "L-2", "status": "Running", "launched": "2025-08-07 20:00:00"}
LAUNCHED = datetime(2025, 8, 7, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("bad", "may_hide_in_5"),
    [
        ({"projectId": 5, "deployId": None, "status": "DeployError"}, False),
        ({"projectId": 5, "status": "InQueue"}, True),
        ({"projectId": 5, "deployId": ["L-1"], "status": None}, True),
        ({"projectId": "5", "deployId": " ", "status": "Brewing"}, True),
        ({"projectId": None, "deployId": "L-1", "status": "Stopped"}, False),
        ({"projectId": True, "deployId": "L-1", "status": "Running"}, True),
        (None, False),
        ("L-1", False),
        ([], False),
    ],
)
def test_a_row_that_cannot_be_read_is_named_and_the_others_are_returned(
    server: ScriptedServer,
    client: QuantConnectClient,
    caplog: pytest.LogCaptureFixture,
    bad: object,
    may_hide_in_5: bool,
) -> None:
    server.default = lambda asked: Reply(body={"success": True, "live": [bad, GOOD]})
    listing = client.list_live()
    assert [row.deploy_id for row in listing] == ["L-2"]
    assert len(listing.unread) == 1
    assert bool(listing.may_hide(5)) is may_hide_in_5
    assert caplog.text.count("live/list: row 0: the row is set aside") == 1
    assert [row.deploy_id for row in client.list_live(6)] == ["L-2"]


def test_all_that_may_trade_includes_rows_that_cannot_be_read(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    over = {**GOOD, "projectId": 8, "deployId": "L-8", "status": "Stopped"}
    bad = [
        {"projectId": 5, "deployId": None, "status": "Running"},
        {"projectId": 7, "status": "Stopped"},
        None,
    ]
    server.script(Reply(body={"success": True, "live": [over, *bad, GOOD]}))
    assert client.list_live().projects_that_may_trade() == [5, 6]


def test_the_log_does_not_repeat_an_odd_value_at_each_poll(
    server: ScriptedServer, client: QuantConnectClient, caplog: pytest.LogCaptureFixture
) -> None:
    server.default = lambda asked: Reply(body={"success": True, "live": [{**GOOD, "equity": "much"}] * 50})
    for _ in range(4):
        assert len(client.list_live()) == 50
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3  # the 1st, 10th and 100th
    assert "'equity' is set aside: 'much'" in caplog.text


@pytest.mark.parametrize("live", [None, "none", 0, {"L-1": "Running"}])
def test_a_listing_in_an_unknown_shape_is_not_an_empty_one(
    server: ScriptedServer, client: QuantConnectClient, live: object
) -> None:
    server.default = lambda asked: Reply(body={"success": True, "live": live})
    with pytest.raises(UnreadableAnswerError, match="live/list was answered without a list"):
        client.list_live()


def test_a_stop_is_sent_whatever_the_listing_holds(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(Reply(body=b'\xef\xbb\xbf{"success": true, "live": [null, NaN, {"status": "\xff"}]}'))
    assert client.list_live(5) == []
    client.stop_live(5)
    assert server.asked[-1].path.endswith("live/update/stop")


@pytest.mark.parametrize(
    "stopped_at",
    [
        datetime(1, 1, 1, tzinfo=timezone.utc),
        datetime(1970, 1, 1, tzinfo=timezone.utc),
        datetime(2025, 8, 6, tzinfo=timezone.utc),
        datetime(2050, 12, 31, tzinfo=timezone.utc),
        datetime(9999, 12, 31, tzinfo=timezone.utc),
    ],
)
@pytest.mark.parametrize("status", ["Running", "InQueue", "Brewing", ""])
def test_a_stop_time_that_is_a_placeholder_does_not_outweigh_a_status(
    status: str, stopped_at: datetime
) -> None:
    assert phase_of(status, stopped_at, LAUNCHED).may_trade


def test_a_stop_time_after_the_launch_outweighs_a_status() -> None:
    assert phase_of("Running", datetime(2025, 8, 8, tzinfo=timezone.utc), LAUNCHED) is Phase.OVER_WELL


@pytest.mark.parametrize(
    ("body", "deploy_id"),
    [
        (b'{"success": true, "live": [{"projectId": 5, "deployId": "L-1", "equity": NaN}]}', "L-1"),
        (b'{"success": true, "live": [{"projectId": 5, "deployId": "L-1", "equity": 1e999}]}', "L-1"),
        (b'{"success": true, "live": [{"projectId": 5, "deployId": "L-1", "error": "\xff"}]}', "L-1"),
        (b'{"success": true, "live": [{"projectId": 5, "deployId": "L-1", "error": "\\ud800"}]}', "L-1"),
        (b'{"success": true, "live": [{"projectId": 5, "deployId": "L-1", "error": "a\x00b"}]}', "L-1"),
        (b'\xef\xbb\xbf{"success": true, "live": [{"projectId": 5, "deployId": "L-1"}]}', "L-1"),
        ('{"success": true, "live": [{"projectId": 5, "deployId": "L-1"}]}'.encode("utf-16"), "L-1"),
    ],
)
def test_a_response_that_is_nearly_json_is_read(
    server: ScriptedServer, client: QuantConnectClient, body: bytes, deploy_id: str
) -> None:
    server.script(Reply(body=body))
    (row,) = client.list_live()
    assert row.deploy_id == deploy_id
    assert row.equity is None
    row.error.encode()
