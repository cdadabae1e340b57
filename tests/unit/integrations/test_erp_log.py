"""What an ERP's log says of a run: from a file, a program and a real HTTP server."""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ringgate.domain.diagnostics import ErpLog, places
from ringgate.host.secrets import EnvSecret
from ringgate.integrations.erp_log import LARGEST, LINES, ErpLogUnreadable, lines_about

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
VALUES = places(NOON, NOON, run_id="abc234", trace_id="f" * 32, tenant="acme")


def test_of_a_large_file_only_the_end_is_looked_through(tmp_path: Path):
    file = tmp_path / "erp.log"
    file.write_text("RG-abc234 long ago\n" + "x" * LARGEST + "\nRG-abc234 now\n" + "f" * 32 + " its trace\nRG-other\n")
    assert lines_about(ErpLog(file=str(file)), VALUES) == ["RG-abc234 now", "f" * 32 + " its trace"]


def test_a_program_is_run_without_a_shell_and_told_of_the_run():
    code = "import sys; print(*sys.argv[1:], sep='\\n')"
    log = ErpLog(command=(sys.executable, "-c", code, "{marker} {since}; $(true)", "else"))
    assert lines_about(log, VALUES) == ["RG-abc234 2026-11-24T11:59:00Z; $(true)"]


def test_lines_are_not_without_end():
    log = ErpLog(command=(sys.executable, "-c", "print('RG-abc234\\n' * 1000)"))
    assert len(lines_about(log, VALUES)) == LINES


@pytest.fixture
def server():
    """A real one: its address, the answers that it gives one after the other, and what it was asked."""
    says, asked = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["authorization"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(says.pop(0).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", says, asked
    server.shutdown()
    server.server_close()


def test_an_address_may_answer_with_lines_or_json(monkeypatch, server):
    monkeypatch.setenv("LOG_TOKEN", "hush-0123456789")
    address, says, asked = server
    says += [
        json.dumps({"data": {"result": [{"values": [["1", "ERROR RG-abc234 boom"], ["2", "another"]]}]}}),
        "RG-abc234 x\ny\n",
    ]
    log = ErpLog(url=f"{address}/raw?q={{marker}}&from={{since}}", token=EnvSecret("LOG_TOKEN"))
    assert lines_about(log, VALUES) == ["ERROR RG-abc234 boom"]
    assert lines_about(log, VALUES) == ["RG-abc234 x"]
    assert asked[0] == ("/raw?q=RG-abc234&from=2026-11-24T11%3A59%3A00Z", "Bearer hush-0123456789")


@pytest.mark.parametrize(
    ("log", "rule"),
    [
        (ErpLog(file="/nowhere/erp.log"), "/nowhere/erp.log cannot be read: No such file"),
        (ErpLog(command=("no-such-program",)), "no-such-program cannot be run: No such file"),
        (ErpLog(command=(sys.executable, "-c", "raise SystemExit('no access')")), "ended with 1: no access"),
        (ErpLog(url="http://127.0.0.1:9/"), "the log's address cannot be asked: ConnectError"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(log, rule):
    with pytest.raises(ErpLogUnreadable) as told:
        lines_about(log, VALUES)
    assert rule in str(told.value)
