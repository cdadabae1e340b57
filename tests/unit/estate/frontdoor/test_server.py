"""The front door in front of a little server of the test's own: what goes through, and what each fault does to it."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from ringgate.estate.frontdoor import FaultControl, NetworkFault, Route, Routes, tls
from ringgate.estate.frontdoor.faults import FILE, FaultFile
from ringgate.estate.frontdoor.server import FrontDoor
from ringgate.estate.processes import answers, free_port
from ringgate.estate.tryton.dialect import TrytonDialect

CALL = {"id": 1, "method": "model.party.search", "params": [[], {}]}


class Echo(BaseHTTPRequestHandler):
    """Answers every POST with what it was sent, and remembers it; to a stranger with status 401."""

    protocol_version = "HTTP/1.1"
    seen: list[bytes]

    def do_POST(self) -> None:
        content = self._content()
        self.seen.append(content)
        self.send_response(401 if self.headers["authorization"] == "a stranger's" else 200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _content(self) -> bytes:
        if self.headers["content-length"]:
            return self.rfile.read(int(self.headers["content-length"]))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "7")
        self.end_headers()

    def do_GET(self) -> None:
        if self.headers["upgrade"]:
            self._change_protocol()
            return
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for part in (b"one ", b"two ", self.headers["host"].encode()):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def _change_protocol(self) -> None:
        """From now on every line comes back."""
        self.send_response(101)
        self.send_header("connection", "upgrade")
        self.send_header("upgrade", self.headers["upgrade"])
        self.end_headers()
        while line := self.rfile.readline():
            self.wfile.write(line)

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Stage:
    """A front door with two tenants, `alpha` served and `beta` closed."""

    folder: Path
    client: httpx.Client
    faults: FaultControl
    ports: dict[str, int]
    seen: list[bytes] = field(default_factory=list)

    def call(self, **more: object) -> httpx.Response:
        return self.client.post("/alpha/", json={**CALL, **more})


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    seen: list[bytes] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Echo,), {"seen": seen}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ports = {"alpha": free_port(), "beta": free_port()}
    backend = f"127.0.0.1:{server.server_port}"
    Routes(
        tenants={
            name: Route(port=port, backend=backend, series="7.0", open=name == "alpha") for name, port in ports.items()
        }
    ).write(tmp_path)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    serving = FrontDoor(tmp_path, tmp_path, TrytonDialect()).serve(stop)
    thread = threading.Thread(target=loop.run_until_complete, args=[serving], daemon=True)
    thread.start()
    while not all(map(answers, ports.values())):
        assert thread.is_alive()
    with httpx.Client(base_url=f"http://127.0.0.1:{ports['alpha']}", timeout=5, trust_env=False) as client:
        yield Stage(tmp_path, client, FaultControl(tmp_path, tmp_path), ports, seen)
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    assert not thread.is_alive()
    loop.close()
    server.shutdown()
    server.server_close()


def test_requests_and_answers_go_through_unchanged(stage: Stage) -> None:
    assert stage.call().json() == CALL
    assert stage.client.get("/page").text == f"one two 127.0.0.1:{stage.ports['alpha']}"
    assert stage.client.post("/alpha/", content=b"x" * 3_000_000).content == b"x" * 3_000_000


def test_a_connection_takes_many_requests(stage: Stage) -> None:
    before = stage.client.get("/").extensions["network_stream"].get_extra_info("client_addr")
    stage.call()
    assert stage.client.get("/").extensions["network_stream"].get_extra_info("client_addr") == before


def test_a_tenants_address_leads_to_no_other_tenant(stage: Stage) -> None:
    assert stage.client.post("/beta/", json=CALL).status_code == 404
    listed = stage.client.post("/", json={"id": 7, "method": "common.db.list", "params": []})
    assert listed.json() == {"id": 7, "result": ["alpha"]}
    assert stage.seen == []


def test_nobody_learns_which_other_names_are_tenants(stage: Stage) -> None:
    known, unknown = (stage.client.post(f"/{name}/", json=CALL) for name in ("beta", "omega"))
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert stage.client.get("/beta/data").text == stage.client.get("/omega/data").text
    assert stage.seen == []


def test_paths_of_other_tenants_may_be_let_through(stage: Stage) -> None:
    with stage.faults.during(NetworkFault(tenant="alpha", path="^/(?!alpha/)", crossing=True)):
        assert stage.client.post("/beta/", json=CALL).json() == CALL


def test_a_result_may_be_given_instead_of_the_erps(stage: Stage) -> None:
    with stage.faults.during(NetworkFault(rpc="search", answer=["alpha", "beta"])):
        assert stage.call().json() == {"id": 1, "result": ["alpha", "beta"]}
    with stage.faults.during(NetworkFault(rpc="search", status=404, text="There are alpha and beta.")):
        assert stage.call().text == "There are alpha and beta."
    assert stage.seen == []


def test_what_one_tenant_was_answered_may_be_given_to_another(stage: Stage) -> None:
    routes = Routes.read(stage.folder).tenants
    backend, other = routes["alpha"].backend, free_port()
    Routes(tenants={**routes, "gamma": Route(port=other, backend=backend, series="7.0")}).write(stage.folder)
    while not answers(other):
        pass
    with stage.faults.during(NetworkFault(rpc="search", cache="alpha")):
        assert httpx.post(f"http://127.0.0.1:{other}/gamma/", json={**CALL, "id": 5}).json()["id"] == 5
        assert stage.call(id=7).json()["id"] == 7
        refused = stage.client.post("/alpha/", json={**CALL, "id": 8}, headers={"authorization": "a stranger's"})
        assert refused.status_code == 401
        assert httpx.post(f"http://127.0.0.1:{other}/gamma/", json={**CALL, "id": 5}).json()["id"] == 7
    assert len(stage.seen) == 3


def test_an_old_answer_may_be_given_for_ever_to_the_same_question(stage: Stage) -> None:
    with stage.faults.during(NetworkFault(rpc="search", stale=True)):
        assert stage.call().json() == CALL
        assert stage.call(id=9).json() == {**CALL, "id": 9}
        assert stage.call(params=["another"]).json()["params"] == ["another"]
    assert len(stage.seen) == 2
    with stage.faults.during(NetworkFault(rpc="search", stale=True)):
        stage.call()
        assert len(stage.seen) == 3, "what was kept is of the time before"
        (rule,) = FaultFile.model_validate_json((stage.folder / FILE).read_text()).rules
        stage.faults.set([rule, NetworkFault(tenant="beta", rpc="search", delay=0.01)])
        stage.call()
        assert len(stage.seen) == 3, "another tenant's fault is no reason to forget it"


def test_a_script_may_be_given_instead_of_a_file(stage: Stage) -> None:
    with stage.faults.during(NetworkFault(method="^GET$", path=r"^/custom\.js$", serve="throw 1;")):
        given = stage.client.get("/custom.js")
        assert stage.client.get("/other.js").text.startswith("one two")
    assert (given.text, given.headers["content-type"]) == ("throw 1;", "application/javascript")


def test_who_comes_by_tls_is_shown_a_certificate_of_the_estates_own(stage: Stage) -> None:
    tls.prepare(stage.folder)
    routes, secure = Routes.read(stage.folder).tenants, free_port()
    Routes(tenants={**routes, "alpha": routes["alpha"].model_copy(update={"secure": secure})}).write(stage.folder)
    while not answers(secure):
        pass
    trusting = ssl.create_default_context(cafile=str(stage.folder / tls.FOLDER / tls.AUTHORITY))

    def call() -> object:
        return httpx.post(f"https://127.0.0.1:{secure}/alpha/", json=CALL, verify=trusting, trust_env=False).json()

    assert call() == CALL
    with stage.faults.during(NetworkFault(tenant="beta", certificate="expired")):
        assert call() == CALL
    with stage.faults.during(NetworkFault(tenant="alpha", certificate="expired")):
        assert stage.call().json() == CALL, "requests themselves are left alone"
        with pytest.raises(httpx.ConnectError, match="expired"):
            call()
    with (
        stage.faults.during(NetworkFault(certificate="of-another")),
        pytest.raises(httpx.ConnectError, match="not valid for"),
    ):
        call()
    assert call() == CALL
    with pytest.raises(httpx.ConnectError, match="verify failed"):
        httpx.post(f"https://127.0.0.1:{secure}/alpha/", json=CALL, trust_env=False)


def test_a_closed_tenant_says_so(stage: Stage) -> None:
    closed = httpx.get(f"http://127.0.0.1:{stage.ports['beta']}/", trust_env=False)
    assert (closed.status_code, closed.headers["retry-after"]) == (503, "1")


def test_a_silent_server_is_a_bad_gateway(stage: Stage) -> None:
    Routes(tenants={"alpha": Route(port=stage.ports["alpha"], backend=f"127.0.0.1:{free_port()}", series="7.0")}).write(
        stage.folder
    )
    assert stage.call().status_code == 502


def test_a_status_takes_the_answers_place_and_the_erp_sees_nothing(stage: Stage) -> None:
    with stage.faults.during(NetworkFault(rpc="party", status=503)):
        assert stage.call().status_code == 503
        assert stage.call(method="model.other").status_code == 200
    assert [json.loads(each)["method"] for each in stage.seen] == ["model.other"]
    assert stage.call().status_code == 200


def test_a_truncated_answer_ends_too_early(stage: Stage) -> None:
    with (
        stage.faults.during(NetworkFault(truncate=10)),
        pytest.raises(httpx.RemoteProtocolError, match="10 bytes"),
    ):
        stage.call()
    with stage.faults.during(NetworkFault(truncate=10_000)), pytest.raises(httpx.RemoteProtocolError):
        stage.call()


def test_garbage_is_no_json(stage: Stage) -> None:
    with stage.faults.during(NetworkFault(garbage=True)):
        answer = stage.call()
    assert answer.status_code == 200
    with pytest.raises(ValueError):  # noqa: PT011 (the class is json's own or unicode's)
        answer.json()


@pytest.mark.parametrize(("when", "carried_out"), [("before", 0), ("after", 1)])
def test_a_closed_connection_is_silent(stage: Stage, when: str, carried_out: int) -> None:
    with stage.faults.during(NetworkFault.model_validate({"close": when})), pytest.raises(httpx.RemoteProtocolError):
        stage.call()
    assert len(stage.seen) == carried_out


def test_a_request_can_be_replaced(stage: Stage) -> None:
    rule = NetworkFault(where={"params.0": "accountant"}, replace={"params.1.password": "the right one"})
    with stage.faults.during(rule):
        sent = stage.call(params=["accountant", {"password": "wrong"}]).json()
        other = stage.call(params=["auditor", {"password": "wrong"}]).json()
    assert sent["params"][1]["password"] == "the right one"
    assert other["params"][1]["password"] == "wrong"
    assert [hit["action"] for hit in stage.faults.hits()] == []


def test_a_damaged_file_changes_nothing(stage: Stage) -> None:
    stage.faults.set([NetworkFault(status=503)])
    assert stage.call().status_code == 503
    for name in ("routes.json", "faults.json"):
        (stage.folder / name).write_text("{")
    assert stage.call().status_code == 503


def said(stage: Stage, raw: bytes, until: bytes = b"") -> bytes:
    """What the front door answers to these bytes, until it closes the connection or has said `until`."""
    found = b""
    with socket.create_connection(("127.0.0.1", stage.ports["alpha"]), timeout=5) as connection:
        connection.sendall(raw)
        while (not until or until not in found) and (block := connection.recv(65536)):
            found += block
    return found


def test_what_is_not_http_is_refused(stage: Stage) -> None:
    assert said(stage, b"SSH-2.0-OpenSSH_9.2\r\n\r\n").startswith(b"HTTP/1.1 400 Bad Request")
    assert said(stage, b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: few\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert stage.seen == []


CLOSING = b"GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize("raw", [CLOSING, b"GET /x HTTP/1.0\r\n\r\n"])
def test_a_client_that_wants_one_answer_gets_one(stage: Stage, raw: bytes) -> None:
    assert b"one two" in said(stage, raw).replace(b"\r\n4\r\n", b"").replace(b"4\r\n", b"")


def test_a_head_alone_may_be_asked_for(stage: Stage) -> None:
    head = stage.client.head("/alpha/page")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "7", b"")
    with stage.faults.during(NetworkFault(method="HEAD", status=503)):
        assert (stage.client.head("/alpha/page").status_code, stage.client.get("/").status_code) == (503, 200)


def test_a_client_may_wait_to_be_told_to_go_on(stage: Stage) -> None:
    head = b"POST /alpha/ HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stage.ports["alpha"]), timeout=5) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"{}")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"{}")


def test_a_request_in_chunks_goes_through(stage: Stage) -> None:
    assert stage.client.post("/alpha/", content=iter([b"some ", b"parts"])).content == b"some parts"


def test_after_a_change_of_protocol_bytes_go_both_ways(stage: Stage) -> None:
    wish = b"GET /alpha/socket HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stage.ports["alpha"]), timeout=5) as connection:
        connection.sendall(wish)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 101 ")
        assert b"upgrade: echo" in answer
        for word in (b"hello\n", b"again\n"):
            connection.sendall(word)
            assert connection.recv(65536) == word
