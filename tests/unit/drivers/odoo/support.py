"""An Odoo server in a few lines: what it is asked is kept, what it answers is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import httpx

from ringgate.drivers.transport import HttpTransport

BASE = "http://odoo.test"
SIGNED_IN = {
    "uid": 7,
    "user_context": {"lang": "de_DE", "tz": "Europe/Berlin", "uid": 7},
    "server_version_info": [19, 0, 0, "final", 0, ""],
}


class Server:
    """Answers each request by `answer(path, params)`: a result, an exception to be told, or a whole response."""

    def __init__(self, answer: Callable[[str, Any], Any]) -> None:
        self.answer, self.asked = answer, list[tuple[str, Any, httpx.Headers]]()
        self.http = httpx.Client(transport=httpx.MockTransport(self._reply))
        self.timeout = 5.0

    @property
    def transport(self) -> HttpTransport:
        return cast(HttpTransport, self)

    def http_to(self, scheme: str) -> httpx.Client:
        return self.http

    def close(self) -> None:
        self.http.close()

    def _reply(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.asked.append((request.url.path, body.get("params", body), request.headers))
        told = self.answer(request.url.path, body.get("params", body))
        if isinstance(told, httpx.Response):
            return told
        if isinstance(told, httpx.HTTPError):
            raise told
        headers = {"set-cookie": "session_id=q7-begun-9be07a; Path=/; HttpOnly"}
        result = told if isinstance(told, dict) and "error" in told else {"result": told}
        answer = {"jsonrpc": "2.0", "id": body["id"], **result}
        return httpx.Response(200, json=answer, headers=headers)


def error(name: str, message: str = "No.") -> dict[str, Any]:
    """A refusal as the server words it."""
    return {"error": {"code": 200, "message": "Odoo Server Error", "data": {"name": name, "message": message}}}
