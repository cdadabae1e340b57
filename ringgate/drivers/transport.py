"""The way onto the network that drivers of HTTP interfaces share, and what went wrong on it, by whose fault it is."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import sys
from collections.abc import Generator
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, TypeVar

if "httpx" not in sys.modules:
    # Its command line, which it loads where click and rich are there, takes longer than all the rest of it.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]  # Python's way to say that a module is not there
import httpx

if sys.modules.get("httpx._main", httpx) is None:
    del sys.modules["httpx._main"]

from ringgate.domain.errors import ErpProtocolError, ErpTimedOut, ErpUnavailable, NoRoute, RinggateError
from ringgate.domain.secrets import Secret
from ringgate.drivers.protocol import TimeLimit

E = TypeVar("E", bound=BaseException)

CERTIFICATE_EXPIRED: Final = 10  # X509_V_ERR_CERT_HAS_EXPIRED
NO_ROUTE_ERRNOS: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN})
OUR_SIDE: Final[dict[type[BaseException], str]] = {
    ssl.SSLCertVerificationError: "The TLS certificate of {} does not fit its name or is not trusted here.",
    socket.gaierror: "The host name of {} does not resolve from here.",
    httpx.ProxyError: "The proxy on the way to {} refused us.",
}


def trusted() -> ssl.SSLContext:
    """The authorities that this machine trusts, or those that SSL_CERT_FILE and SSL_CERT_DIR name instead."""
    return _loaded(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _loaded(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Loading them costs more than ten calls, so it is done once for each place."""
    return httpx.create_ssl_context()


class HttpTransport:
    """Opened when it is first used, shared by all users of a run, and closed with it; then it can be used again.

    `timeout` is in seconds, for connecting and for each wait on a server, unless the run's `limit` says another. It
    keeps no cookies: sessions of several users and tenants share it."""

    def __init__(self, timeout: float, verify: ssl.SSLContext | None = None, *, limit: TimeLimit | None = None) -> None:
        self._timeout, self._verify = timeout, verify
        self._limit = limit or TimeLimit()
        self._http: dict[bool, httpx.Client] = {}

    @property
    def timeout(self) -> float:
        """Seconds for each wait on a server, as of now: to be given to each request."""
        return self._limit.of(self._timeout)

    def http_to(self, scheme: str) -> httpx.Client:
        """The client for addresses of that scheme. One for `http` trusts no authority: to load them takes a while."""
        plain = scheme == "http"
        if plain not in self._http:
            no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
            verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else self._verify or trusted()
            self._http[plain] = httpx.Client(timeout=self._timeout, verify=verify, cookies=no_cookies)
        return self._http[plain]

    def close(self) -> None:
        clients, self._http = self._http, {}
        for client in clients.values():
            client.close()


class SecretHeader(httpx.Auth):
    """A header whose value is a secret. It is put on a request when its bytes are about to be written."""

    def __init__(self, name: str, value: Secret) -> None:
        self._name, self._value = name, value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[self._name] = self._value.reveal()
        yield request


NO_AUTH: Final = httpx.Auth()


def exchange(http: httpx.Client, request: httpx.Request, auth: httpx.Auth = NO_AUTH) -> httpx.Response:
    """Sends a request. Its answer is to be read yet (`read_all`). Raises httpx's errors, without its frames."""
    try:
        return http.send(request, auth=auth, stream=True)
    except BaseException as error:
        raise without_frames(error)  # noqa: B904 - it is the same error


def read_all(response: httpx.Response) -> None:
    """Reads an answer to its end. What goes wrong is httpx's error, without its frames."""
    try:
        response.read()
    except BaseException as error:
        raise without_frames(error)  # noqa: B904 - it is the same error


def without_frames(error: E) -> E:
    """The same error, with nothing left of the calls in which it and its causes arose.

    Libraries that write to the network hold headers and bodies as they are sent: a traceback with the arguments or the
    local variables of their frames would show passwords and tokens."""
    each: BaseException | None = error
    seen: set[int] = set()
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
    return error


def transport_error(error: httpx.HTTPError, base: str) -> RinggateError:
    """What kept an answer of the server at `base` from beginning, by whose fault it is."""
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_code == CERTIFICATE_EXPIRED:
            return ErpUnavailable(f"The TLS certificate of {base} has expired.")
        if isinstance(cause, tuple(OUR_SIDE)):
            return NoRoute(next(words for kind, words in OUR_SIDE.items() if isinstance(cause, kind)).format(base))
        if isinstance(cause, OSError) and cause.errno in NO_ROUTE_ERRNOS:
            return NoRoute(f"There is no route from here to {base}.")
    if isinstance(error, httpx.RemoteProtocolError) and len(chain) > 2:  # below httpx and httpcore: the HTTP parser
        return ErpProtocolError(f"What {base} answers is not HTTP.")
    if isinstance(error, httpx.TimeoutException):
        return ErpTimedOut(f"{base} did not answer in time.")
    what = (
        "does not accept connections" if isinstance(error, httpx.ConnectError) else "closed the connection unanswered"
    )
    return ErpUnavailable(f"{base} {what}.")
