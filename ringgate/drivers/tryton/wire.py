"""The JSON-RPC wire of Tryton: series, sessions and errors, and nothing of any business verb.

    client = RpcClient("http://127.0.0.1:8071", "aldgate")
    client.login("synthetic.accountant", password)            # -> Session(user_id=7, ...)
    client.call("model.account.invoice.search", [("state", "=", "draft")], 0, None, None)

Every difference between the series 7.0 and 8.0 that shows on the wire stands in `Dialect`. Nothing is retried here:
a dead session raises `SessionEnded`, and the driver decides whether to sign in again.

`answers.py` says what each answer means.
"""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from ringgate.domain.errors import (
    ErpError,
    ErpMisbehaved,
    ErpProtocolError,
    ErpTimedOut,
    NoRoute,
    SignInRefused,
)
from ringgate.domain.secrets import Secret
from ringgate.drivers.transport import NO_AUTH, HttpTransport, SecretHeader, exchange, read_all, transport_error
from ringgate.drivers.tryton.answers import BusinessError, HttpFailure, RpcAnswer, SessionEnded, WrongSeries
from ringgate.drivers.tryton.values import decode, encode
from ringgate.host.secrets import KnownSecret, hide, unhide

__all__ = [
    "DIALECTS",
    "BusinessError",
    "Dialect",
    "HeadersHook",
    "HttpFailure",
    "RpcClient",
    "SessionEnded",
    "TrytonSession",
    "WrongSeries",
    "decode",
    "encode",
    "trace_headers",
]

HeadersHook = Callable[[str], Mapping[str, str]]
"""Given the RPC method about to be called, returns headers to send with it (see `trace_headers`)."""

# --- what a call carries --------------------------------------------------------------------------------------------


def trace_headers(run_id: str = "", traceparent: str = "") -> dict[str, str]:
    """W3C `traceparent` (a fresh one unless given) and `x-ringgate-run`, as a `HeadersHook` may return them."""
    headers = {"traceparent": traceparent or f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"}
    if run_id:
        headers["x-ringgate-run"] = run_id
    return headers


# --- series ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dialect:
    """How one series speaks. `{database}` stands for the database's name."""

    series: str  # "7.0", "8.0"
    root_path: str  # where methods without a database are called, the version among them
    rpc_path: str  # where everything else is called
    login_items: int  # items of a login's answer; the first two are user id and token
    posting_number: str  # the field of account.move that is numbered on posting
    model_of_a_rule: str  # where a rule of access or a button names its model

    def path(self, database: str) -> str:
        return self.rpc_path.format(database=database)

    def session(self, login: str, answer: Any) -> TrytonSession | None:
        """Reads the answer to `common.db.login`; None if it has not this series' shape.

        It raises nothing: a frame that holds the answer would show the token in it."""
        if not isinstance(answer, list) or len(answer) != self.login_items:
            return None
        user_id, token = answer[:2]
        return TrytonSession(login, user_id, token) if isinstance(user_id, int) and isinstance(token, str) else None


DIALECTS: Final = (
    Dialect(
        "7.0",
        root_path="/",
        rpc_path="/{database}/",
        login_items=2,
        posting_number="post_number",
        model_of_a_rule="model.model",
    ),
    Dialect(
        "8.0",
        root_path="/rpc/",
        rpc_path="/{database}/rpc/",
        login_items=3,
        posting_number="number",
        model_of_a_rule="model",
    ),
)


@dataclass(frozen=True)
class TrytonSession:
    """A live session. `repr` hides the token."""

    login: str
    user_id: int
    token: str = field(repr=False)

    @property
    def authorization(self) -> Secret:
        """The value of the Authorization header."""
        return KnownSecret(authorization(self.login, self.user_id, self.token))


def authorization(login: str, user_id: int, token: str) -> str:
    """The value of the Authorization header that shows a session."""
    return "Session " + base64.b64encode(f"{login}:{user_id}:{token}".encode()).decode("ascii")


# --- the client -----------------------------------------------------------------------------------------------------


class RpcClient:
    """One user's way into one database. Not for use by several threads at once.

    `base_url` is scheme, host and port (a path after them is ignored); `timeout` is in seconds, for connecting and for
    each wait on the server. `dialect` is negotiated on first use unless given, and `line` is its own.
    """

    def __init__(
        self,
        base_url: str,
        database: str,
        *,
        timeout: float = 30.0,
        headers_hook: HeadersHook | None = None,
        dialect: Dialect | None = None,
        verify: ssl.SSLContext | None = None,
        line: HttpTransport | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise NoRoute(f"{base_url!r} is no address of an ERP: write http:// or https://, a host and a port.")
        self.database = database
        self.session: TrytonSession | None = None
        self.context: dict[str, Any] = {}
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._dialect = dialect
        self._headers_hook = headers_hook
        self._url: httpx.URL | None = None
        self._auth: httpx.Auth = NO_AUTH
        self._sequence = 0
        self.line = line or HttpTransport(timeout, verify)

    def __enter__(self) -> RpcClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hangs up, and forgets the session."""
        self.logout_locally()
        self.line.close()

    @property
    def dialect(self) -> Dialect:
        return self._dialect or self.negotiate()

    @property
    def known_dialect(self) -> Dialect | None:
        """The dialect, where it was negotiated already."""
        return self._dialect

    def negotiate(self) -> Dialect:
        """Asks the server for its version, at each series' own place, and keeps the dialect that fits.

        Raises ErpProtocolError if a Tryton of an unknown series, or no Tryton at all, answers.
        """
        refusals: list[ErpError] = []
        for candidate in DIALECTS:
            try:
                version = self._ask_version(candidate)
            except (ErpProtocolError, ErpMisbehaved) as error:
                refusals.append(error)
                continue
            except HttpFailure as error:
                if error.status != 404:
                    raise
                refusals.append(error)
                continue
            for dialect in DIALECTS:
                if isinstance(version, str) and (version == dialect.series or version.startswith(dialect.series + ".")):
                    self._dialect, self._url = dialect, None
                    return dialect
            known = " and ".join(d.series for d in DIALECTS)
            raise ErpProtocolError(f"{self._base} runs Tryton {version!s:.20}, but the series known here are {known}.")
        raise ErpProtocolError(f"{self._base} does not answer as a Tryton server: {refusals[-1]}")

    def _ask_version(self, dialect: Dialect) -> Any:
        body = {"id": 0, "method": "common.server.version", "params": []}
        return self._send(httpx.URL(self._base + dialect.root_path), body)

    def version(self) -> str:
        """The version that the server says it is now. No session is needed."""
        if self._dialect is not None:
            try:
                return str(self._ask_version(self._dialect))[:32]
            except (ErpProtocolError, ErpMisbehaved, HttpFailure):
                pass  # it may have been upgraded since the dialect was negotiated
        return str(self._ask_version(self.negotiate()))[:32]

    def login(self, user: str, password: Secret | str, *, preferences: bool = True) -> TrytonSession:
        """Signs in and keeps the session; also the user's preferences, which are the context of all calls.

        Raises SignInRefused if the credentials are not accepted.
        """
        password = password if isinstance(password, Secret) else KnownSecret(password)
        self.logout_locally()
        try:
            session = self.dialect.session(user, self.raw("common.db.login", [user, {"password": password}, "en"]))
        except SessionEnded:
            raise SignInRefused(f"{self._base} does not accept the sign-in of {user!r} to {self.database!r}.") from None
        if session is None:
            series = self.dialect.series
            raise ErpProtocolError(f"The answer to a login has not the shape that Tryton {series} sends.")
        self.resume(session)
        if preferences:
            try:
                self.context = self._preferences(user)
            except BaseException:
                self.logout_locally()  # calls without the user's context would mean something else
                raise
        return session

    def _preferences(self, user: str) -> dict[str, Any]:
        try:
            context = self.raw("model.res.user.get_preferences", [True, {}])
        except SessionEnded:
            raise SignInRefused(
                f"{self._base} accepts the sign-in of {user!r}, and does not know the session a moment later."
            ) from None
        if not isinstance(context, dict):
            raise ErpProtocolError("The user's preferences are not of the shape that Tryton sends.")
        return context

    def resume(self, session: TrytonSession) -> None:
        """Goes on with a session that was opened before."""
        self.logout_locally()
        self.session = session
        self._auth = SecretHeader("authorization", session.authorization)
        for value in (session.token, session.authorization.reveal()):
            hide(value)

    def logout(self) -> None:
        """Ends the session on the server."""
        if self.session is not None:
            self.raw("common.db.logout", [])
        self.logout_locally()

    def logout_locally(self) -> None:
        """Forgets the session without telling the server."""
        if self.session is not None:
            for value in (self.session.token, self.session.authorization.reveal()):
                unhide(value)
        self.session = None
        self.context = {}
        self._auth = NO_AUTH

    def call(self, method: str, *params: Any, context: Mapping[str, Any] | None = None) -> Any:
        """Calls a method of a model, wizard or report: `call("model.party.party.read", [1], ["name"])`.

        `context` is laid over the user's preferences. Returns the decoded result.
        """
        return self.raw(method, [*params, {**self.context, **context} if context else self.context])

    def confirm(self, warning: str) -> None:
        """Answers "yes" to the UserWarning of this name, so that the same call goes through when it is sent again."""
        self.call("model.res.user.warning.skip", warning, False)

    def raw(self, method: str, params: list[Any]) -> Any:
        """Calls a method with exactly these params (no context added)."""
        if self._url is None:
            self._url = httpx.URL(self._base + self.dialect.path(self.database))
        self._sequence += 1
        extra = self._headers_hook(method) if self._headers_hook else {}
        return self._send(self._url, {"id": self._sequence, "method": method, "params": params}, extra)

    def _send(self, url: httpx.URL, body: dict[str, Any], extra: Mapping[str, str] = MappingProxyType({})) -> Any:
        """Posts a call and returns its result. No frame of it holds a secret: what is sent is wrapped until then, and
        what was answered is taken apart where nothing is raised."""
        method: str = body["method"]
        headers = {"content-type": "application/json", **extra}
        http = self.line.http_to(url.scheme)
        request = http.build_request("POST", url, content=encode(body), headers=headers, timeout=self.line.timeout)
        try:
            response = exchange(http, request, self._auth)
        except httpx.HTTPError as error:
            raise transport_error(error, self._base) from error
        try:
            read_all(response)
        except httpx.TimeoutException as error:
            raise ErpTimedOut(f"{self._base} timed out in the middle of its answer to {method}.") from error
        except httpx.HTTPError as error:
            raise ErpProtocolError(f"The answer of {self._base} to {method} was cut short or garbled.") from error
        answer = RpcAnswer(response, body["id"], self._base, method)
        if answer.error is not None:
            raise answer.error
        return answer.result
