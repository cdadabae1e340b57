"""A small HTTP server that speaks the wire of Odoo, and answers what a test tells it to."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.fake_tryton import Answer, reply

SIGN_IN = "/web/session/authenticate"
TOKEN = "e7c1a94b5d0f4e7c"
SIGNED_IN = {
    "uid": 7,
    "user_context": {"lang": "en_US", "tz": "UTC", "uid": 7},
    "server_version_info": [19, 0, 0, "final", 0, ""],
}


class FakeOdoo:
    """Answers by path: `answers` has results, or functions that answer themselves; anything else is an empty list.

    Each answer of its own sets the cookie of the session."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Any] = {SIGN_IN: SIGNED_IN}
        self.seen: list[tuple[str, Any, dict[str, str]]] = []
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

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        self.seen.append((handler.path, body, {name.lower(): value for name, value in handler.headers.items()}))
        answer = self.answers.get(handler.path, [])
        if callable(answer):
            answer(handler, body)
            return
        whole = answer if handler.path.startswith("/json/2/") else {"id": body["id"], "result": answer}
        reply(handler, json.dumps(whole).encode(), set_cookie=f"session_id={TOKEN}; Path=/; HttpOnly")
