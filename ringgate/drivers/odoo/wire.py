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
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from ringgate.domain.errors import (
    ErpError,
    ErpMisbehaved,
    ErpProtocolError,
    ErpTimedOut,
    ErpUnavailable,
    NoRoute,
    RinggateError,
    SignInRefused,
    Throttled,
)
from ringgate.domain.secrets import Secret
from ringgate.drivers.odoo.series import OdooSeries, series_of
from ringgate.drivers.odoo.values import decode, encode
from ringgate.drivers.transport import NO_AUTH, HttpTransport, SecretHeader, exchange, read_all, transport_error
from ringgate.host.secrets import KnownSecret, ReadSecret, hide, unhide

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
    """A live session. `context` goes with every call (language, time zone)."""

    login: str
    user_id: int
    series: OdooSeries
    context: Mapping[str, Any]


class _Client:
    """What both ways of calling share: one address and one database. No frame of a call holds a secret: what is sent
    is wrapped until then, and what was answered is taken apart where nothing is raised."""

    def __init__(
        self, base_url: str, database: str, transport: HttpTransport, headers_hook: HeadersHook | None = None
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise NoRoute(f"{base_url!r} is no address of an ERP: write http:// or https://, a host and a port.")
        self.base, self.database = f"{parts.scheme}://{parts.netloc}", database
        self.transport, self._headers_hook = transport, headers_hook

    def _post(
        self, path: str, body: Any, auth: httpx.Auth, called: str, named: Mapping[str, str] = MappingProxyType({})
    ) -> httpx.Response:
        """The answer to one POST, read to its end. `named` are headers that are no secret."""
        extra = self._headers_hook(called) if self._headers_hook else {}
        headers = {"content-type": "application/json", **named, **extra}
        http = self.transport.http_to(urlsplit(self.base).scheme)
        request = http.build_request(
            "POST", self.base + path, content=encode(body), headers=headers, timeout=self.transport.timeout
        )
        try:
            response = exchange(http, request, auth)
        except httpx.HTTPError as error:
            raise transport_error(error, self.base) from error
        try:
            read_all(response)
        except httpx.TimeoutException as error:
            raise ErpTimedOut(f"{self.base} timed out in the middle of its answer to {called}.") from error
        except httpx.HTTPError as error:
            raise ErpProtocolError(f"The answer of {self.base} to {called} was cut short or garbled.") from error
        return response


class SessionClient(_Client):
    """One user's way into one database, by sign-in and cookie. Not for use by several threads at once."""

    def __init__(
        self, base_url: str, database: str, transport: HttpTransport, headers_hook: HeadersHook | None = None
    ) -> None:
        super().__init__(base_url, database, transport, headers_hook)
        self.session: OdooSession | None = None
        self._cookie: Secret | None = None
        self._sequence = 0

    def login(self, user: str, password: Secret | str) -> OdooSession:
        """Signs in. Raises SignInRefused if the credentials are not accepted."""
        password = password if isinstance(password, Secret) else KnownSecret(password)
        self.forget()
        params = {"db": self.database, "login": user, "password": password}
        try:
            told = _SignIn(self._json("/web/session/authenticate", params, "sign-in", ""))
        except SessionEnded:
            raise self._refused(user) from None
        except BusinessError as error:
            raise ErpUnavailable(f"{self.base} does not let anybody sign in to this database: {error}") from error
        if told.refused:
            raise self._refused(user)
        if told.user_id is None or told.context is None or self._cookie is None:
            raise ErpProtocolError("The answer to a sign-in has not the shape that Odoo sends.")
        self.session = OdooSession(user, told.user_id, series_of(told.version), told.context)
        return self.session

    def _refused(self, user: str) -> SignInRefused:
        return SignInRefused(f"{self.base} does not accept the sign-in of {user!r} to {self.database!r}.")

    @property
    def cookie(self) -> Secret | None:
        """The header that the server knows the session by. It changes its token now and then."""
        return self._cookie

    def logout(self) -> None:
        """Ends the session on the server. Its token is kept, so that later calls meet the server's own refusal."""
        self._json("/web/session/destroy", {}, "web.session", "destroy")

    def forget(self) -> None:
        """Forgets the session without telling the server."""
        self.session = None
        self._keep(None)

    def _keep(self, cookie: Secret | None) -> None:
        """The session's cookie is this one from now on."""
        for hidden in _hidden_in(self._cookie):
            unhide(hidden)
        self._cookie = cookie
        for value in _hidden_in(cookie):
            hide(value)

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
        auth = NO_AUTH if self._cookie is None else SecretHeader("cookie", self._cookie)
        response = self._post(path, body, auth, called)
        answer = _Answer(self.base, model, method)
        answer.read_numbered(response, self._sequence, signed_in=self._cookie is not None)
        if answer.error is not None:
            raise answer.error
        if cookie := _cookie_of(response):
            self._keep(cookie)
        return answer.result


class KeyClient(_Client):
    """One user's way into one database by an API key, for series that have `/json/2`. There is no session to end."""

    def __init__(
        self,
        base_url: str,
        database: str,
        transport: HttpTransport,
        key: Secret | str,
        headers_hook: HeadersHook | None = None,
    ) -> None:
        super().__init__(base_url, database, transport, headers_hook)
        self._key = _Bearer(key if isinstance(key, Secret) else KnownSecret(key))

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
        auth = SecretHeader("authorization", self._key)
        response = self._post(f"/json/2/{model}/{method}", body, auth, called, {"x-odoo-database": self.database})
        answer = _Answer(self.base, model, method)
        answer.read_plain(response)
        if answer.error is not None:
            raise answer.error
        return answer.result


@dataclass(frozen=True, slots=True)
class _Bearer(ReadSecret):
    """The header that a key goes in: not read before it is sent."""

    key: Secret

    @property
    def reference(self) -> str:
        return self.key.reference

    def _read(self) -> str:
        return f"bearer {self.key.reveal()}"


def _cookie_of(response: httpx.Response) -> Secret | None:
    """The session's cookie, where the server sets one."""
    for header in response.headers.get_list("set-cookie"):
        name, _, value = header.partition(";")[0].partition("=")
        if name.strip() == COOKIE:
            return KnownSecret(f"{COOKIE}={value.strip()}")
    return None


def _hidden_in(cookie: Secret | None) -> tuple[str, ...]:
    """The forms in which a session's token could come out: the header, and the token alone."""
    whole = "" if cookie is None else cookie.reveal()
    return (whole, whole.partition("=")[2]) if whole else ()


# --- what an answer means -------------------------------------------------------------------------------------------


class _SignIn:
    """What the answer to a sign-in says. 14.0 answers a wrong password without an error. Its `repr` shows nothing."""

    __slots__ = ("context", "refused", "user_id", "version")

    def __init__(self, told: Any) -> None:
        self.refused = told is None or (isinstance(told, Mapping) and not told.get("uid"))
        known = told if isinstance(told, Mapping) else {}
        user_id, context = known.get("uid"), known.get("user_context")
        self.user_id = user_id if isinstance(user_id, int) else None
        self.context: Mapping[str, Any] | None = context if isinstance(context, Mapping) else None
        self.version = known.get("server_version_info") or known.get("server_version")


class _Answer:
    """What an answer says: a `result`, or the `error` that it means. Its `repr` shows neither."""

    __slots__ = ("_base", "_called", "_method", "_model", "error", "result")

    def __init__(self, base: str, model: str, method: str) -> None:
        self._base, self._model, self._method = base, model, method
        self._called = f"{model}.{method}".strip(".")
        self.result: Any = None
        self.error: RinggateError | None = None

    def read_numbered(self, response: httpx.Response, asked: int, *, signed_in: bool) -> None:
        """An answer to call number `asked` of a session."""
        base, called = self._base, self._called
        if response.status_code == 404 and signed_in:  # where one address serves several databases, only the session
            self.error = SessionEnded(f"{base} no longer knows our session.")  # says which is meant
            return
        if response.status_code != 200:
            self.error = self._status_error(response.status_code)
            return
        try:
            answer = decode(response.content)
        except ValueError:  # which holds the answer
            self.error = ErpProtocolError(f"The answer of {base} to {called} is not the JSON of Odoo.")
            return
        error = answer.get("error") if isinstance(answer, dict) else None
        # A call that is turned away before it is read (a session that ended) is answered without its number.
        numbers = (asked, None) if error else (asked,)
        if not isinstance(answer, dict) or answer.get("id") not in numbers:
            self.error = ErpProtocolError(f"The answer of {base} to {called} is not an answer to our question.")
            return
        if error:
            data = error.get("data") if isinstance(error, Mapping) else None
            self.error = self._meaning(data.get("name"), data.get("message")) if isinstance(data, Mapping) else None
            self.error = self.error or ErpProtocolError(
                f"The error that answers {called} has not the shape that Odoo sends."
            )
            return
        self.result = answer.get("result")

    def read_plain(self, response: httpx.Response) -> None:
        """An answer to a call by key, whose HTTP code says whether it is an error."""
        status = response.status_code
        if status in (401, 429) or status >= 500:
            self.error = self._status_error(status)
            return
        try:
            told = decode(response.content)
        except ValueError:
            told = None
            if status == 200:
                words = f"The answer of {self._base} to {self._called} is not the JSON of Odoo."
                self.error = ErpProtocolError(words)
                return
        if status == 200:
            self.result = told
        elif isinstance(told, Mapping) and "name" in told:
            self.error = self._meaning(told["name"], told.get("message"))
        else:
            self.error = self._status_error(status)

    def _status_error(self, status: int) -> RinggateError:
        """What an HTTP code other than 200 means."""
        base, called = self._base, self._called
        known: dict[int, RinggateError] = {
            401: SessionEnded(f"{base} no longer knows our session."),
            403: ErpMisbehaved(f"{base} does not offer {called} to us (HTTP 403)."),
            404: ErpUnavailable(f"{base} does not serve this database (HTTP 404)."),
            429: Throttled(f"{base} says that we ask too often (HTTP 429)."),
        }
        if status in known:
            return known[status]
        kind = ErpUnavailable if status >= 500 else ErpProtocolError
        return kind(f"{base} answered {called} with HTTP {status}.")

    def _meaning(self, named: Any, message: Any) -> RinggateError:
        """What an exception of the server means, by the last part of its name."""
        kind, said = str(named or "").rpartition(".")[2], " ".join(str(message or "").split())
        base, called = self._base, self._called
        if kind in SESSION_KINDS:
            return SessionEnded(f"{base} no longer knows our session.")
        if kind in BUSINESS_KINDS:
            return BusinessError(kind, said or kind, self._model, self._method)
        if kind in UNAVAILABLE_KINDS:
            return ErpUnavailable(f"{base} does not reach the database behind {called}: {said[:200] or kind}.")
        return ErpMisbehaved(f"The server failed inside {called}: {kind} {said[:200]}".rstrip())
