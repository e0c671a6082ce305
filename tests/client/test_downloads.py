"""Files of live/export as they may arrive: in small pieces, too long, with an error inside, or refused."""

from __future__ import annotations

import time

import pytest

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.errors import RefusedError, ServerError, UnreadableAnswerError
from quantconnect_provider.client.log_exports import LOG_EXPORTS, LocalLogExports
from tests.client.scripted import Reply, ScriptedServer

ID = "0123456789abcdef0123456789abcdef"


def in_pieces(*pieces: bytes) -> Reply:
    """Return an answer that arrives piece by piece."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))
    return Reply(body=body, headers={"Transfer-Encoding": "chunked"})


def test_an_error_that_arrives_in_pieces_is_no_file(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(in_pieces(b'{"success": false, ', b'"errors": ["Not al', b'lowed."]}'))
    with pytest.raises(RefusedError, match=r"Not allowed\."):
        list(client.export_trades(1))


def test_an_export_that_begins_in_a_later_piece_is_read(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(in_pieces(b"\n", b" ", b'[{"insight_id": "', ID.encode(), b'"}]'))
    assert [row.insight.insight_id for row in client.export_insights("L-1")] == [ID]


def test_a_download_that_does_not_end_is_not_read_for_ever(
    server: ScriptedServer, client: QuantConnectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantconnect_provider.client.download.LARGEST_DOWNLOAD_BYTES", 100_000)
    server.script(Reply(body=b"2026-11-24,SPY\n" * 10_000))
    with pytest.raises(UnreadableAnswerError, match="more than 100,000 bytes"):
        list(client.export_orders(1))


def test_an_export_whose_row_does_not_end_is_not_held_in_memory(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(Reply(body=b'[{"insight_id": "' + b"x" * 9 * 1024**2))
    with pytest.raises(UnreadableAnswerError, match="a row does not end"):
        list(client.export_insights("L-1"))


@pytest.mark.parametrize("body", [b"", b"Nothing to export.", b"[1, 2]", b" " * 300_000 + b"[{}]"])
def test_a_file_without_a_list_of_insights_is_not_an_empty_export(
    server: ScriptedServer, client: QuantConnectClient, body: bytes
) -> None:
    server.script(Reply(body=body))
    with pytest.raises(UnreadableAnswerError, match="no list of insights"):
        list(client.export_insights("L-1"))


def test_a_download_that_is_answered_with_an_error_status_is_no_file(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(Reply(status=503, body=b"<h1>Down</h1>"))
    with pytest.raises(ServerError, match="HTTP 503"):
        list(client.export_orders(1))


def test_an_export_of_logs_is_allowed_again_when_the_oldest_is_long_ago(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("quantconnect_provider.client.log_exports.LOG_EXPORT_SECONDS", 0.5)
    exports = LocalLogExports()
    for _ in range(LOG_EXPORTS):
        assert exports.take() == 0.0
    wait = exports.take()
    assert 0 < wait <= 0.5
    time.sleep(wait)
    assert exports.take() == 0.0
