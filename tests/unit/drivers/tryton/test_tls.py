"""A server's certificate: whose fault it is when it does not fit."""

from __future__ import annotations

import datetime as dt
import http.server
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest
import trustme

from ringgate.domain.errors import ErpUnavailable, NoRoute
from ringgate.drivers.tryton.wire import RpcClient

Served = Callable[[trustme.LeafCert], RpcClient]


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def served(authority: trustme.CA) -> Iterator[Served]:
    """Serves TLS with a certificate, and gives a client that trusts its authority."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def serve(certificate: trustme.LeafCert) -> RpcClient:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        return RpcClient(f"https://127.0.0.1:{server.server_port}", "aldgate", timeout=5, verify=trusting)

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_certificate_of_another_name_is_our_side(authority: trustme.CA, served: Served) -> None:
    with served(authority.issue_cert("erp.example")) as client, pytest.raises(NoRoute, match="fit its name") as told:
        client.negotiate()
    assert "127.0.0.1" in str(told.value)


def test_an_expired_certificate_is_the_erps(authority: trustme.CA, served: Served) -> None:
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    expired = authority.issue_cert("127.0.0.1", not_after=yesterday, not_before=yesterday - dt.timedelta(days=9))
    with served(expired) as client, pytest.raises(ErpUnavailable, match="expired"):
        client.negotiate()


def test_an_authority_nobody_trusts_is_our_side(served: Served) -> None:
    with served(trustme.CA().issue_cert("127.0.0.1")) as client, pytest.raises(NoRoute, match="trust"):
        client.negotiate()
