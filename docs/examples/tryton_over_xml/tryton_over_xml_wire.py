"""The wire of the example: XML-RPC with what Python itself brings, and whose fault each error is.

| what comes                          | is raised                                                     |
|-------------------------------------|---------------------------------------------------------------|
| nothing, a time-out, HTTP 5xx         | ErpUnavailable: the tenant cannot be used                     |
| HTTP 401                            | Ended: the session is over, or the password was not accepted   |
| HTTP 429                            | Throttled: we ask too often, which is our side's fault         |
| a fault in the answer               | Said: the ERP's own no, which a verb makes a `Refused` of      |
| anything else                       | ErpProtocolError                                              |
"""

from __future__ import annotations

import base64
import http.client
import xmlrpc.client
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

from ringgate.domain.errors import ErpProtocolError, ErpUnavailable, Throttled
from ringgate.host.secrets import hide

PATHS = ("/{}/", "/{}/rpc/")
"""Where series 7.0 and 8.0 answer."""


class Ended(Exception):
    """The server does not know this session, or did not accept these credentials."""


class Said(Exception):
    """The server's own words for why it did not do what it was asked."""


class Wire:
    """One user's way to one tenant. `calls` counts requests."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        self._host, self._database, self._timeout = parts.netloc, parts.path.strip("/"), timeout
        self._path, self._authorization = PATHS[0], ""
        self.calls = 0
        self.user = 0

    def login(self, login: str, password: str) -> None:
        self._authorization = ""
        answer = self.call("common.db.login", login, {"password": password}, "en")
        self.user, token = answer[:2]
        hide(token)
        self._authorization = "Session " + base64.b64encode(f"{login}:{self.user}:{token}".encode()).decode()

    def call(self, method: str, *params: Any) -> Any:
        body = xmlrpc.client.dumps(tuple(map(_sent, params)), method, allow_none=True).encode()
        status, content = self._send(body)
        if status in (404, 405) and self._path == PATHS[0]:  # it is the later series
            self._path = PATHS[1]
            status, content = self._send(body)
        if status == 401:
            raise Ended(f"{method} was answered 401")
        if status == 429:
            raise Throttled(f"{self._host} asks us to slow down.")
        if status >= 500:
            raise ErpUnavailable(f"{self._host} answers {status}.")
        if status != 200:
            raise ErpProtocolError(f"{self._host} answers {status} to {method}.")
        try:
            (answer,), _ = xmlrpc.client.loads(content, use_builtin_types=True)
        except xmlrpc.client.Fault as fault:
            raise Said(fault.faultString) from None
        except (ExpatError, ValueError, xmlrpc.client.Error) as error:
            raise ErpProtocolError(f"{self._host} sends no XML-RPC: {error}") from error
        return _told(answer)

    def _send(self, body: bytes) -> tuple[int, bytes]:
        self.calls += 1
        headers = {"Content-Type": "text/xml"}
        if self._authorization:
            headers["Authorization"] = self._authorization
        connection = http.client.HTTPConnection(self._host, timeout=self._timeout)
        try:
            connection.request("POST", self._path.format(self._database), body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ErpUnavailable(f"{self._host} does not answer: {type(error).__name__}.") from error
        finally:
            connection.close()


def _sent(value: Any) -> Any:
    """Our values as the ERP spells them in XML."""
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, timedelta):
        return {"__class__": "timedelta", "seconds": value.total_seconds()}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, dict):
        return {key: _sent(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_sent(each) for each in value]
    return value


def _told(value: Any) -> Any:
    """What the ERP spells in XML as our values."""
    if isinstance(value, dict):
        match value.get("__class__"):
            case "timedelta":
                return timedelta(seconds=value["seconds"])
            case "date":
                return date(value["year"], value["month"], value["day"])
            case "Decimal":
                return Decimal(value["decimal"])
        return {key: _told(each) for key, each in value.items()}
    return [_told(each) for each in value] if isinstance(value, list) else value
