"""The way onto the network: opened when it is first used, shared by all users of a run, and closed with it.

So an idle tenant holds no connection, however many users are kept signed in at it.
"""

from __future__ import annotations

import os
import ssl
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx


def trusted() -> ssl.SSLContext:
    """The authorities that this machine trusts, or those that SSL_CERT_FILE and SSL_CERT_DIR name instead."""
    return _loaded(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _loaded(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Loading them costs more than ten calls, so it is done once for each place."""
    return httpx.create_ssl_context()


class Line:
    """`timeout` is in seconds, for connecting and for each wait on a server. Closed, it can be used again.

    It keeps no cookies: sessions of several users and tenants share it."""

    def __init__(self, timeout: float, verify: ssl.SSLContext | None = None) -> None:
        self._timeout, self._verify = timeout, verify
        self._http: httpx.Client | None = None

    @property
    def http(self) -> httpx.Client:
        if self._http is None:
            no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
            verify = self._verify or trusted()
            self._http = httpx.Client(timeout=self._timeout, verify=verify, cookies=no_cookies)
        return self._http

    def close(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            http.close()
