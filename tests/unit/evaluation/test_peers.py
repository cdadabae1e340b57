"""What the comparison with other tools counts, and when it says that something is wrong."""

from __future__ import annotations

import sys
import urllib.request
from collections import Counter as Tally
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.evaluation.bench.peers.__main__ import same, told
from tests.evaluation.bench.peers.counter import Asked, Counter
from tests.evaluation.bench.peers.measuring import Measured, ToolFailed, measured
from tests.evaluation.bench.peers.tools import API, BROWSER

ASK = 'import sys, urllib.request as u; u.urlopen(sys.argv[1], b\'{"method": "model.party.read"}\').read()'


def start(seconds: float = 1.0, **requests: int) -> Measured:
    return Measured(seconds, seconds, seconds, seconds, Asked(Tally({"login": 4, **requests})))


@pytest.fixture
def erp() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"yes")

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_what_a_tool_asks_is_counted_by_method_and_its_time_split(erp: str, tmp_path: Path) -> None:
    with Counter(erp) as counter:
        urllib.request.urlopen(counter.origin, b"{}").close()  # of somebody else, before
        found = measured([sys.executable, "-c", ASK, f"{counter.origin}/acme/"], tmp_path, {}, counter)
    assert found.asked.requests == {"model.party.read": 1}
    assert 0 < found.asked.waited < found.wall
    assert 0 < found.before <= found.own < found.wall
    assert found.cpu > 0


def test_a_tool_that_fails_is_told_with_what_it_said(erp: str, tmp_path: Path) -> None:
    with Counter(erp) as counter, pytest.raises(ToolFailed, match="ended with 1:\nledger is off"):
        measured([sys.executable, "-c", "raise SystemExit('ledger is off')"], tmp_path, {}, counter)


def test_a_tool_that_asks_for_something_else_than_the_script_is_no_peer() -> None:
    starts = {tool.name: start(post=1) for tool in API}
    same(API, starts)
    starts["Tavern"] = start(post=1, **{"common.server.version": 3})
    same(API, starts)  # how often it asks for the version is its own business
    with pytest.raises(ToolFailed, match=r"Locust asked for {'read': 1} more, {'post': 1} less"):
        same(API, {**starts, "Locust": start(read=1)})


def test_whether_ringgate_is_first_is_told_with_who_is_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    once = {tool.name: [start(2.0)] for tool in API} | {"Ringgate": [start(1.0)], "bare httpx": [start(0.5)]}
    more = {tool.name: [start(3.0)] for tool in API}
    assert told(API, once, more, 3)
    assert not told(API, {**once, "Robot Framework": [start(0.9)]}, more, 3)
    assert "Ringgate is not first: wall (Robot Framework 0.90, Ringgate 1.00)" in capsys.readouterr().out
    on_screen = {tool.name: [start(2.0)] for tool in BROWSER} | {"bare Playwright": [start(0.5)]}
    later = {tool.name: [start(3.0)] for tool in BROWSER}
    assert not told(BROWSER, {**on_screen, "Elastic Synthetics": [start(1.0)]}, later, 3)
    assert told(BROWSER, {**on_screen, "Ringgate": [start(1.0)]}, later, 3)


def test_each_project_is_laid_out_once_for_each_run(tmp_path: Path) -> None:
    for tool in (*API, *BROWSER):
        folder = tool.lay_out(tmp_path, 3, {"ERP": "http://erp/acme", "WEB": "http://erp/#acme", "COMPANY": "Acme"})
        if tool.repeated:
            assert len(list((folder / tool.repeated).parent.glob("test_*"))) == 3
        assert not [file for file in folder.rglob("*.toml") if "@" in file.read_text()]
        assert tool.lines() > 20
