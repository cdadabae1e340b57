"""HTTP as a platform: real requests to a small server that answers what a test wrote down."""

from __future__ import annotations

import json
import threading
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from rich.console import Console

from ringgate.rollout.platforms import hosts_file
from ringgate.rollout.platforms.hosted import ActionRefused
from ringgate.rollout.platforms.http import HttpHosts
from ringgate.rollout.platforms.protocol import PlatformRequest
from ringgate.rollout.platforms.registry import PlatformError
from tests.support.samples import tenant

FILE = """\
name = "eu"
base = "{base}"
token = {{ env = "RINGGATE_TEST_HOST" }}
poll = "0 s"
status = {{ request = "GET /tenants/{{tenant}}" }}
backup = {{ request = "POST /tenants/{{tenant}}/backups" }}
backups = {{ request = "GET /tenants/{{tenant}}/backups" }}
restore_beside = {{ request = "PUT /copies/{{copy}}" }}
remove_beside = {{ request = "DELETE /copies/{{copy}}" }}
upgrade = {{ request = "POST /tenants/{{tenant}}/upgrades" }}
roll_back = {{ request = "POST /tenants/{{tenant}}/rollbacks" }}
"""


class Server(ThreadingHTTPServer):
    """`answers`: for each method and path a list of (status, headers, value), the last one again and again."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, list[tuple[int, dict[str, str], object]]] = {}
        self.asked: list[tuple[str, dict[str, str], object]] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = f"{self.command} {self.path.removeprefix('/api')}"
        self.server.asked.append((asked, dict(self.headers), json.loads(body) if body else None))
        left = self.server.answers.get(asked, [(404, {}, {"reason": "no such thing"})])
        status, headers, value = left.pop(0) if len(left) > 1 else left[0]
        text = b"" if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, each in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, each)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def hosts(tmp_path, monkeypatch, server):
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("RINGGATE_TEST_HOST", "correct-horse")
    monkeypatch.setattr(hosts_file.Inventory, "load", lambda _: SimpleNamespace(tenants=(tenant(),)))
    (tmp_path / "tenants").mkdir()
    file = tmp_path / "hosts.toml"
    file.write_text(FILE.format(base=server.base))
    return file


@pytest.fixture
def platform(hosts):
    return HttpHosts().open(PlatformRequest(str(hosts)), (), Console()).platform


BACKUP = {"name": "b0", "taken_at": "2999-01-01T00:00:00Z"}
RUNS = "GET /tenants/aldgate"


def test_what_takes_long_is_asked_for_until_it_has_ended(platform, server):
    server.answers = {
        RUNS: [(200, {}, {"series": "7.0"}), (200, {}, {"series": "8.0"})],
        "POST /tenants/aldgate/backups": [(201, {}, BACKUP)],
        "POST /tenants/aldgate/upgrades": [(202, {"Location": "/api/operations/1"}, None)],
        "GET /operations/1": [(202, {}, None), (503, {}, None), (202, {}, None), (200, {}, {})],
    }
    assert platform.upgrade("aldgate", "8.0", (), lambda _: nullcontext()).name == "b0"
    sent = {asked: (headers, body) for asked, headers, body in server.asked}
    headers, body = sent["POST /tenants/aldgate/upgrades"]
    assert (body["to"], body["from"], body["backup"], body["steps"]) == ("8.0", "7.0", "b0", [])
    assert headers["Authorization"] == "Bearer correct-horse"
    assert headers["Idempotency-Key"] == body["key"]
    assert "Idempotency-Key" not in sent[RUNS][0]


@pytest.mark.parametrize(
    ("status", "headers", "value", "kind", "says"),
    [
        (409, {}, {"reason": "locked, correct-horse"}, ActionRefused, r'answered 409: \{"reason": "locked, \*\*\*"\}'),
        (500, {}, None, PlatformError, "answered 500: nothing more"),
        (302, {"Location": "http://127.0.0.1:9/"}, None, PlatformError, "answered 302"),
        (202, {}, None, PlatformError, "accepted without a Location"),
        (202, {"Location": "http://127.0.0.1:9/x"}, None, PlatformError, "on another host: it is not asked"),
        (200, {}, b"<html>", PlatformError, "with what is no JSON"),
    ],
    ids=["refused", "an error", "elsewhere", "no location", "another host", "no JSON"],
)
def test_only_a_refusal_is_one(platform, server, status, headers, value, kind, says):
    server.answers = {
        RUNS: [(200, {}, {"series": "7.0"})],
        "POST /tenants/aldgate/rollbacks": [(status, headers, value)],
    }
    with pytest.raises(kind, match=says):
        platform.roll_back("aldgate", "b0")


def test_nobody_at_home_is_told_in_a_sentence(platform, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(PlatformError, match=r"aldgate: status \(GET /tenants/aldgate\) got no answer"):
        platform.series("aldgate")


def test_all_that_is_wrong_with_a_file_is_told_at_once(hosts, server):
    text = (
        hosts.read_text()
        .replace(server.base, "http://hosting.example.com")
        .replace("POST /tenants/{tenant}/up", "GET /up")
    )
    text = text.replace("PUT /copies/{copy}", "PUT copies").replace("/rollbacks", "/{series}")
    hosts.write_text(text)
    with pytest.raises(PlatformError) as raised:
        HttpHosts().foreseen(PlatformRequest(str(hosts)))
    assert str(raised.value).replace(str(hosts), "F").splitlines() == [
        'F: restore_beside.request: must be a method and a path, such as "POST /tenants/{tenant}/upgrades" '
        '(got "PUT copies")',
        'F: base: must be https: the token would be sent in the clear (got "http://hosting.example.com")',
        'F: upgrade.request: must not be GET: it changes something (got "GET /upgrades")',
        "F: roll_back.request: {series} is nothing that roll_back fills in; there is attempt, backup, key, lease, "
        "region, ring, tenant, timezone, to",
    ]
