"""A small HTTP server that speaks the wire of one series of Tryton, and answers what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ringgate.drivers.tryton import wire

Answer = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


class FakeTryton:
    """A server that speaks one series' wire and answers what a test tells it to."""

    def __init__(self, series: str = "7.0") -> None:
        self.dialect = next(d for d in wire.DIALECTS if d.series == series)
        self.version: Any = "7.0.59" if series == "7.0" else "8.0"
        self.answers: dict[str, Answer | Any] = {}
        self.of_database: dict[str, dict[str, Answer | Any]] = {}  # for those that have answers of their own
        self.seen: list[tuple[str, list[Any], dict[str, str]]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                fake._answer(self)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = wire.decode(handler.rfile.read(int(handler.headers["content-length"])))
        headers = {k.lower(): v for k, v in handler.headers.items()}
        self.seen.append((body["method"], body["params"], headers))
        database = handler.path.strip("/").partition("/")[0] or "acme"
        if body["method"] == "common.server.version":
            good, answer = handler.path == self.dialect.root_path, self.version
        else:
            good, answer = handler.path == self.dialect.path(database), self._own(database, body["method"])
        if not good:
            reply(handler, b"method not allowed", 405)
        elif callable(answer):
            answer(handler, body)
        else:
            reply(handler, wire.encode({"id": body["id"], "result": answer}))

    def _own(self, database: str, method: str) -> Answer | Any:
        answers = self.of_database.get(database, self.answers)
        return answers[method] if method in answers else answers.get("*", status(500))


def reply(handler: BaseHTTPRequestHandler, content: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"content_length": str(len(content)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def error(*args: Any) -> Answer:
    return lambda handler, body: reply(handler, json.dumps({"id": body["id"], "error": args}).encode())


def status(code: int) -> Answer:
    return lambda handler, body: reply(handler, b"", code)
