"""Who is told: a mail catcher and a receiver of webhooks on this machine, and the people with their keys."""

from __future__ import annotations

import email
import email.policy
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from ringgate.evidence.signing import SigningKey

HOME = "127.0.0.1"
PEOPLE = {"grace": "release-manager", "linus": "head-of-finance"}
"""Who approves, and as what."""


@dataclass
class Told:
    """What came by mail and by webhook: each message's title and text."""

    mails: list[str] = field(default_factory=list)
    hooks: list[str] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        content = envelope.original_content or b""
        message = email.message_from_bytes(content, policy=email.policy.default)
        body = message.get_body(("plain", "html"))
        self.mails.append(f"{message['subject']}: {body.get_content() if body else ''}")
        return "250 OK"


@contextmanager
def listening() -> Iterator[Told]:
    """Both receivers, for the length of a `with` block; `addresses` are theirs as Apprise writes them."""
    told = Told()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.hooks.append(f"{given.get('title')}: {given.get('message')}")
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: the demo prints what it found."""

    hook = ThreadingHTTPServer((HOME, 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    mail = Controller(told, hostname=HOME, port=_free_port())
    mail.start()
    told.addresses = {
        "OPS_MAIL": f"mailto://{HOME}:{mail.port}?from=rollout@example.com&to=operations@example.com",
        "OPS_HOOK": f"json://{HOME}:{hook.server_port}/rollouts",
    }
    try:
        yield told
    finally:
        mail.stop()
        hook.shutdown()
        hook.server_close()


def keys_of(folder: Path) -> dict[str, SigningKey]:
    """A new key for each person, in a file that nobody else may read."""
    folder.mkdir(parents=True, mode=0o700)
    keys = {name: SigningKey.new() for name in PEOPLE}
    for name, key in keys.items():
        file = folder / name
        file.touch(mode=0o600)
        file.write_text(key.private_text, encoding="utf-8")
    return keys


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOME, 0))
        port: int = taken.getsockname()[1]
        return port
