"""Counts what a tool asks of the ERP, and how long it waits for it: a plain proxy before the tenant, the same for all.

with Counter("http://127.0.0.1:8471") as counter:
    counter.origin                          # "http://127.0.0.1:40213"
    counter.taken()                         # Asked(requests=Counter({"model.project.work.create": 1, ...}), ...)
"""

from __future__ import annotations

import collections
import contextlib
import http.client
import json
import multiprocessing
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from types import TracebackType
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}


@dataclass
class Asked:
    """`requests` by RPC method, or by HTTP method and path where it is none. `first` and `last` are moments of the
    monotonic clock; `waited` are the seconds in which at least one request was under way."""

    requests: collections.Counter[str] = field(default_factory=collections.Counter)
    first: float = 0.0
    last: float = 0.0
    waited: float = 0.0


class Counter:
    """A proxy for one origin, in a process of its own."""

    def __init__(self, behind: str) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        where = urlsplit(behind).netloc
        self._process = multiprocessing.Process(target=_serve, args=[where, theirs, self._pipe], daemon=True)
        self._process.start()
        theirs.close()
        self.origin = f"http://127.0.0.1:{self._pipe.recv()}"

    def taken(self) -> Asked:
        """What was asked since this was called last."""
        self._pipe.send("taken")
        taken: Asked = self._pipe.recv()
        return taken

    def __enter__(self) -> Counter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()


class _Ledger:
    """What is known of the requests since it was taken last."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._asked, self._open, self._since = Asked(), 0, 0.0

    def begins(self, name: str) -> None:
        with self._guard:
            now = time.monotonic()
            self._asked.requests[name] += 1
            self._asked.first = self._asked.first or now
            if not self._open:
                self._since = now
            self._open += 1

    def ends(self) -> None:
        with self._guard:
            self._asked.last = time.monotonic()
            self._open -= 1
            if not self._open:
                self._asked.waited += self._asked.last - self._since

    def taken(self) -> Asked:
        with self._guard:
            taken, self._asked = self._asked, Asked()
        return taken


def _serve(behind: str, pipe: Connection, other_end: Connection) -> None:
    other_end.close()  # else it would never be seen that who started it is gone
    ledger = _Ledger()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            self.erp = http.client.HTTPConnection(behind, timeout=300)

        def finish(self) -> None:
            self.erp.close()
            super().finish()

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            ledger.begins(_named(self.command, self.path, body))
            try:
                self._answer(body)
            finally:
                ledger.ends()

        def _answer(self, body: bytes) -> None:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            if "Origin" in headers:  # a browser's: the ERP answers its own pages alone
                headers["Origin"] = f"http://{behind}"
            self.erp.request(self.command, self.path, body, {**headers, "Host": behind})
            answer = self.erp.getresponse()
            content = answer.read()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_HEAD = do_OPTIONS = pass_on  # noqa: N815

        def log_message(self, *args: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_port)
    with contextlib.suppress(EOFError):
        while pipe.recv():
            pipe.send(ledger.taken())


def _named(command: str, path: str, body: bytes) -> str:
    if body.startswith(b"{"):
        return str(json.loads(body).get("method", "?"))
    return f"{command} {path}"
