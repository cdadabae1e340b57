"""The JSON wire of Odoo: sign-in, calls and errors, and nothing of any business verb.

    client = SessionClient("http://127.0.0.1:8101", "bleecker", transport)
    client.login("synthetic.accountant", password)                     # -> Session(user_id=7, series 19.0)
    client.call("account.move", "search_read", domain=[("state", "=", "draft")], fields=["name"])
    client.call("account.move", "action_post", ids=[42])

`SessionClient` signs in as the web client does and calls `/web/dataset/call_kw`, on every series. `KeyClient` uses an
API key on `/json/2`, from 19.0 on. Nothing is retried here.

| what came back                                                | raised                           |
|---------------------------------------------------------------|----------------------------------|
| connection refused or reset, time-out, 404 on sign-in, 5xx, expired certificate | `ErpUnavailable` |
| name does not resolve, no route, wrong TLS name, proxy        | `NoRoute`                        |
| AccessDenied or no user on sign-in                            | `SignInRefused`                  |
| SessionExpiredException, AccessDenied or 404 on a call, 401   | `SessionEnded`                   |
| 429                                                           | `Throttled`                      |
| truncated or malformed answer, another HTTP code              | `ErpProtocolError`               |
| UserError, ValidationError, AccessError, MissingError ...     | `BusinessError` (driver: `Refused`) |
| any other exception of the server, 403                        | `ErpMisbehaved`                  |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from ringgate.domain.errors import (
    ErpError,
    ErpMisbehaved,
    ErpProtocolError,
    ErpUnavailable,
    NoRoute,
    RinggateError,
    SignInRefused,
    Throttled,
)
from ringgate.drivers.odoo.series import OdooSeries, series_of
from ringgate.drivers.odoo.values import decode, encode
from ringgate.drivers.transport import HttpTransport, transport_error

HeadersHook = Callable[[str], Mapping[str, str]]
"""Given the method about to be called ("account.move.action_post"), returns headers to send with it."""

BUSINESS_KINDS: Final = frozenset(
    {"UserError", "ValidationError", "AccessError", "MissingError", "RedirectWarning", "LockError", "except_orm"}
)
SESSION_KINDS: Final = frozenset({"SessionExpiredException", "AccessDenied", "CheckIdentityException"})
UNAVAILABLE_KINDS: Final = frozenset({"OperationalError", "InterfaceError", "PoolError", "NotFound"})
"""The database does not answer behind a server that does, or is none that the server serves here."""
BY_PLACE: Final = {"create": "vals_list", "write": "vals", "search": "domain", "search_count": "domain"}
"""Arguments that older series call otherwise, and that all of them take by their place."""
COOKIE: Final = "session_id"


class SessionEnded(ErpError):
    """The server does not know our session any more. The driver renews it once, then gives up."""

    kind = "session"


class BusinessError(ErpError):
    """The server answered with a business error.

    `error_kind` is Odoo's own word ("UserError", "AccessError", ...), `message` is for people, in the user's language,
    `model` and `method` what was called, "" where it was not the server that said so.
    """

    kind = "business"

    def __init__(self, error_kind: str, message: str, model: str = "", method: str = "") -> None:
        super().__init__(message)
        self.error_kind, self.message, self.model, self.method = error_kind, message, model, method


@dataclass(frozen=True, slots=True)
class OdooSession:
    """A live session. `context` goes with every call (language, time zone); `repr` hides the token."""

    login: str
    user_id: int
    token: str
    series: OdooSeries
    context: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Session(login={self.login!r}, user_id={self.user_id}, series={self.series.name})"


class _Client:
    """What both ways of calling share: one address, one database, and one table of errors."""

    def __init__(
        self, base_url: str, database: str, transport: HttpTransport, headers_hook: HeadersHook | None = None
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise NoRoute(f"{base_url!r} is no address of an ERP: write http:// or https://, a host and a port.")
        self.base, self.database = f"{parts.scheme}://{parts.netloc}", database
        self.transport, self._headers_hook = transport, headers_hook

    def _post(self, path: str, body: Any, headers: Mapping[str, str], called: str) -> httpx.Response:
        """The answer to one POST, read to its end."""
        extra = self._headers_hook(called) if self._headers_hook else {}
        headers = {"content-type": "application/json", **headers, **extra}
        http = self.transport.http
        request = http.build_request(
            "POST", self.base + path, content=encode(body), headers=headers, timeout=self.transport.timeout
        )
        try:
            response = http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise transport_error(error, self.base) from error
        try:
            response.read()
        except httpx.TimeoutException as error:
            raise ErpUnavailable(f"{self.base} timed out in the middle of its answer to {called}.") from error
        except httpx.HTTPError as error:
            raise ErpProtocolError(f"The answer of {self.base} to {called} was cut short or garbled.") from error
        return response

    def _decoded(self, response: httpx.Response, called: str) -> Any:
        try:
            return decode(response.content)
        except ValueError as error:
            raise ErpProtocolError(f"The answer of {self.base} to {called} is not the JSON of Odoo.") from error

    def _status_error(self, status: int, called: str) -> RinggateError:
        if status == 401:
            return SessionEnded(f"{self.base} no longer knows our session.")
        if status == 403:
            return ErpMisbehaved(f"{self.base} does not offer {called} to us (HTTP 403).")
        if status == 429:
            return Throttled(f"{self.base} says that we ask too often (HTTP 429).")
        if status == 404:
            return ErpUnavailable(f"{self.base} does not serve this database (HTTP 404).")
        if status >= 500:
            return ErpUnavailable(f"{self.base} answered {called} with HTTP {status}.")
        return ErpProtocolError(f"{self.base} answered {called} with HTTP {status}.")

    def _error(self, named: Any, message: Any, model: str, method: str) -> RinggateError:
        """What an exception of the server means, by the last part of its name."""
        kind, said = str(named or "").rpartition(".")[2], " ".join(str(message or "").split())
        called = f"{model}.{method}".strip(".")
        if kind in SESSION_KINDS:
            return SessionEnded(f"{self.base} no longer knows our session.")
        if kind in BUSINESS_KINDS:
            return BusinessError(kind, said or kind, model, method)
        if kind in UNAVAILABLE_KINDS:
            return ErpUnavailable(f"{self.base} does not reach the database behind {called}: {said[:200] or kind}.")
        return ErpMisbehaved(f"The server failed inside {called}: {kind} {said[:200]}".rstrip())


class SessionClient(_Client):
    """One user's way into one database, by sign-in and cookie. Not for use by several threads at once."""

    def __init__(
        self, base_url: str, database: str, transport: HttpTransport, headers_hook: HeadersHook | None = None
    ) -> None:
        super().__init__(base_url, database, transport, headers_hook)
        self.session: OdooSession | None = None
        self._token = ""
        self._sequence = 0

    def login(self, user: str, password: str) -> OdooSession:
        """Signs in. Raises SignInRefused if the credentials are not accepted."""
        self.forget()
        params = {"db": self.database, "login": user, "password": password}
        try:
            told = self._json("/web/session/authenticate", params, "sign-in", "")
        except SessionEnded:
            told = None
        except BusinessError as error:
            raise ErpUnavailable(f"{self.base} does not let anybody sign in to this database: {error}") from error
        if isinstance(told, Mapping) and not told.get("uid"):  # 14.0 answers a wrong password without an error
            told = None
        if told is None:
            raise SignInRefused(f"{self.base} does not accept the sign-in of {user!r} to {self.database!r}.")
        uid, context = told.get("uid"), told.get("user_context")
        if not isinstance(uid, int) or not isinstance(context, Mapping) or not self._token:
            raise ErpProtocolError("The answer to a sign-in has not the shape that Odoo sends.")
        series = series_of(told.get("server_version_info") or told.get("server_version"))
        self.session = OdooSession(user, uid, self._token, series, context)
        return self.session

    @property
    def token(self) -> str:
        """What the server gave us last: it changes the token of a session now and then."""
        return self._token

    def logout(self) -> None:
        """Ends the session on the server. Its token is kept, so that later calls meet the server's own refusal."""
        self._json("/web/session/destroy", {}, "web.session", "destroy")

    def forget(self) -> None:
        """Forgets the session without telling the server."""
        self.session, self._token = None, ""

    def call(
        self,
        model: str,
        method: str,
        *,
        ids: Sequence[int] | None = None,
        context: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Any:
        """Calls a public method of a model, on the records `ids` if given. `context` is laid over the user's."""
        own = self.session.context if self.session else {}
        values = dict(named)
        args: list[Any] = [list(ids)] if ids is not None else []
        if method in BY_PLACE:
            args.append(values.pop(BY_PLACE[method]))
        values["context"] = {**own, **context} if context else own
        params = {"model": model, "method": method, "args": args, "kwargs": values}
        return self._json(f"/web/dataset/call_kw/{model}/{method}", params, model, method)

    def _json(self, path: str, params: Any, model: str, method: str) -> Any:
        called = f"{model}.{method}".strip(".")
        self._sequence += 1
        body = {"jsonrpc": "2.0", "method": "call", "id": self._sequence, "params": params}
        headers = {"cookie": f"{COOKIE}={self._token}"} if self._token else {}
        response = self._post(path, body, headers, called)
        if response.status_code == 404 and self._token:  # where one address serves several databases, only the session
            raise SessionEnded(f"{self.base} no longer knows our session.")  # says which is meant
        if response.status_code != 200:
            raise self._status_error(response.status_code, called)
        answer = self._decoded(response, called)
        # A call that is turned away before it is read (a session that ended) is answered without its number.
        numbers = (body["id"], None) if isinstance(answer, dict) and answer.get("error") else (body["id"],)
        if not isinstance(answer, dict) or answer.get("id") not in numbers:
            raise ErpProtocolError(f"The answer of {self.base} to {called} is not an answer to our question.")
        if error := answer.get("error"):
            data = error.get("data") if isinstance(error, Mapping) else None
            if not isinstance(data, Mapping):
                raise ErpProtocolError(f"The error that answers {called} has not the shape that Odoo sends.")
            raise self._error(data.get("name"), data.get("message"), model, method)
        if token := _cookie_of(response):
            self._token = token
        return answer.get("result")


class KeyClient(_Client):
    """One user's way into one database by an API key, for series that have `/json/2`. There is no session to end."""

    def __init__(
        self,
        base_url: str,
        database: str,
        transport: HttpTransport,
        key: str,
        headers_hook: HeadersHook | None = None,
    ) -> None:
        super().__init__(base_url, database, transport, headers_hook)
        self._key = key

    def call(
        self,
        model: str,
        method: str,
        *,
        ids: Sequence[int] | None = None,
        context: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Any:
        """Calls a public method of a model, on the records `ids` if given."""
        called = f"{model}.{method}"
        body = {**named, **({"ids": list(ids)} if ids is not None else {}), "context": dict(context or {})}
        headers = {"authorization": f"bearer {self._key}", "x-odoo-database": self.database}
        response = self._post(f"/json/2/{model}/{method}", body, headers, called)
        if response.status_code == 200:
            return self._decoded(response, called)
        if response.status_code in (401, 429) or response.status_code >= 500:
            raise self._status_error(response.status_code, called)
        try:
            told = decode(response.content)
        except ValueError:
            told = None
        if not isinstance(told, Mapping) or "name" not in told:
            raise self._status_error(response.status_code, called)
        raise self._error(told["name"], told.get("message"), model, method)


def _cookie_of(response: httpx.Response) -> str:
    """The session's token, where the server sets one."""
    for header in response.headers.get_list("set-cookie"):
        name, _, value = header.partition(";")[0].partition("=")
        if name.strip() == COOKIE:
            return value.strip()
    return ""
