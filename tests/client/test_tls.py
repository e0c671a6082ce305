"""A server whose certificate nobody vouches for gets no request."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from quantconnect_provider.client import QuantConnectClient, RetrySettings
from quantconnect_provider.client.errors import OutcomeUnknownError, UnreachableError


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(encoding)
    )
    return path


@pytest.fixture
def requests_seen() -> list[str]:
    return []


@pytest.fixture
def port(certificate: Path, requests_seen: list[str]) -> Iterator[int]:
    """An HTTPS server that answers everything with success."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests_seen.append(self.path)
            body = b'{"success": true}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def client(port: int) -> QuantConnectClient:
    return QuantConnectClient(
        user_id="7",
        api_token="canary-token-0000",
        base_url=f"https://localhost:{port}/api/v2",
        retry=RetrySettings(attempts=1),
    )


def test_a_certificate_that_nobody_vouches_for_ends_the_request(
    port: int, requests_seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    with client(port) as opened, pytest.raises(UnreachableError, match=r"(?i)certificate") as raised:
        opened.authenticate()
    assert requests_seen == []
    assert not raised.value.maybe_applied


def test_a_command_that_was_not_sent_for_its_certificate_is_not_in_doubt(
    port: int, requests_seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    with client(port) as opened, pytest.raises(UnreachableError) as raised:
        opened.create_command(1001, {"sell": "all"})
    assert not isinstance(raised.value, OutcomeUnknownError)
    assert requests_seen == []


def test_a_certificate_that_the_machine_trusts_is_accepted(
    port: int, certificate: Path, requests_seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with client(port) as opened:
        opened.authenticate()
    assert requests_seen == ["/api/v2/authenticate"]
