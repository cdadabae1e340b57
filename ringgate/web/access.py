"""Who may ask: everybody on this machine; from elsewhere only who has the token.

The token is a bearer token for programs, or a password with any user name for browsers and for whatever can only put
credentials into an address. Nothing of it is ever written down.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN = frozenset({"/healthz", "/readyz"})
"""What may be asked without the token: it says nothing but whether this server is well."""

LOCAL = ("localhost", "127.0.0.1", "[::1]")
"""Names that may be asked for. By a name of its own that leads to this machine, a stranger's page in a browser here
could else read from a server that needs no token."""


def is_loopback(host: str) -> bool:
    """Whether a server bound to `host` can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class TokenRequired:
    """Lets nobody through without the token. Comparing takes as long for a near miss as for a far one."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._digest = app, _digest(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN or self._knows(scope):
            await self._app(scope, receive, send)
            return
        headers = {"WWW-Authenticate": 'Basic realm="Ringgate", charset="UTF-8"', "Cache-Control": "no-store"}
        refusal = PlainTextResponse("The token is required.\n", 401, headers)
        await refusal(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        for name, value in scope["headers"]:
            if name == b"authorization":
                return hmac.compare_digest(_digest(_offered(value)), self._digest)
        return False


def _offered(header: bytes) -> str:
    """The token of an Authorization header; "" if there is none."""
    kind, _, rest = header.decode("latin-1").partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return ""


def _digest(text: str) -> bytes:
    """Of one length for all, so that comparing does not tell the token's."""
    return hashlib.sha256(text.encode()).digest()
