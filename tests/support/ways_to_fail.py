"""Every way in which a call over HTTP can fail, as answers of `FakeTryton`, and the secrets in such a call."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from ringgate.drivers.tryton import wire
from tests.support.fake_tryton import Answer, error, reply, status

PASSWORD, TOKEN = "correct-horse-9f2c", "e7c1a94b5d0f4e7c"
LOGIN = "common.db.login"


def forms(login: str) -> tuple[str, ...]:
    """As which characters the secrets of a user with this login could come out."""
    header = wire.authorization(login, 7, TOKEN)
    encoded = (base64.b64encode(each.encode()).decode() for each in (PASSWORD, TOKEN, header))
    return (PASSWORD, TOKEN, header.removeprefix("Session "), *encoded)


def raw(content: bytes, code: int = 200) -> Answer:
    return lambda handler, body: reply(handler, content, code)


def result(value: Callable[[dict[str, Any]], Any]) -> Answer:
    return lambda handler, body: reply(handler, json.dumps(value(body)).encode())


def reset(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def cut_short(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    """Half of an answer that echoes what was sent, as proxies do in their error pages."""
    reply(handler, json.dumps(body).encode()[:-9], content_length="9999")
    handler.close_connection = True


def silent(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    handler.connection.settimeout(5)
    handler.connection.recv(1)  # until the client hangs up
    handler.close_connection = True


WAYS: dict[str, Answer] = {
    "HTTP 500": status(500),
    "HTTP 502 that echoes": lambda handler, body: reply(handler, json.dumps(body).encode(), 502),
    "HTTP 401": status(401),
    "HTTP 403": status(403),
    "HTTP 404": status(404),
    "HTTP 405": status(405),
    "HTTP 418": status(418),
    "HTTP 429": status(429),
    "malformed JSON": raw(b'{"id": 1, "result": [7, "' + TOKEN.encode()),
    "no JSON of Tryton": raw(b'{"id": 1, "result": [7, {"__class__": "Decimal", "x": "' + TOKEN.encode() + b'"}]}'),
    "not UTF-8": raw(b'\xff"' + TOKEN.encode()),
    "another question's answer": result(lambda body: {"id": -1, "result": [7, TOKEN]}),
    "neither result nor error": result(lambda body: {"id": body["id"], "told": [7, TOKEN]}),
    "an answer of another shape": result(lambda body: {"id": body["id"], "result": [7, TOKEN, 1, 2]}),
    "a token that is none": result(lambda body: {"id": body["id"], "result": ["7", TOKEN]}),
    "a business error": error("UserError", ["No.", ""]),
    "a fault of the server": error("ValueError", ["no"]),
    "an error of another shape": result(lambda body: {"id": body["id"], "error": {"sent": body}}),
    "reset": reset,
    "cut short": cut_short,
    "silent": silent,
}
