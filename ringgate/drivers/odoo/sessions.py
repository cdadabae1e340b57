"""Signed-in users of Odoo: who is reused, who is renewed, and who stays signed out.

A sign-in costs the server half a second (it hashes the password on purpose), so a driver keeps one session for each
tenant and role of its process. Nothing of a session is written to disk: its token is as good as a password.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from ringgate.domain.errors import (
    ErpProtocolError,
    ErpUnavailable,
    NoRoute,
    OurSideError,
    RinggateError,
    SignInRefused,
)
from ringgate.domain.model import Tenant
from ringgate.domain.terms import Channel, Role
from ringgate.drivers.odoo.series import OdooSeries
from ringgate.drivers.odoo.touches import Touches
from ringgate.drivers.odoo.wire import BusinessError, SessionClient, SessionEnded
from ringgate.drivers.protocol import Call, TimeLimit
from ringgate.drivers.transport import HttpTransport
from ringgate.host.secrets import KnownSecret


class NotThere(BusinessError):
    """A record of reference data that there is none of, or none that the user may see."""


def database_of(tenant: Tenant) -> str:
    """The database that a tenant's address names: `http://host:port/name`."""
    database = urlsplit(tenant.api).path.strip("/")
    if not database:
        raise NoRoute(f"The address {tenant.api!r} of tenant {tenant.id} names no database: write http://host/name.")
    return database


class CallCarrier:
    """What the calls of one connection have in common, their number, and what they touch."""

    def __init__(self, call: Call, transport: HttpTransport) -> None:
        self.call, self.transport, self.sent, self.touches = call, transport, 0, Touches()

    def headers(self) -> dict[str, str]:
        """The run and its W3C trace. To be called once for each request: it counts them."""
        self.sent += 1
        traceparent = f"00-{self.call.trace_id}-{os.urandom(8).hex()}-01"
        return {"traceparent": traceparent, "x-ringgate-run": self.call.run_id}


class UserSession:
    """One user's session on one tenant, with the ids of reference data it has looked up.

    `ids` remembers where names lead (products, accounts, ...); amounts are never remembered. `carrier` is the
    connection whose calls it sends now. `ended` on purpose, it is never renewed; `doubtful` after an outage, it is not
    reused: the tenant may come back as another series.
    """

    def __init__(self, tenant: Tenant, role: Role, password: str | None, carrier: CallCarrier) -> None:
        self.tenant, self.role, self.carrier = tenant, role, carrier
        self.ids: dict[tuple[str, str], int] = {}
        self.ended = self.doubtful = False
        self._password = None if password is None else KnownSecret(password)
        self.client = SessionClient(tenant.api, database_of(tenant), carrier.transport, self._headers)

    def carried_by(self, carrier: CallCarrier) -> None:
        """Its calls are that connection's from now on."""
        self.carrier, self.client.transport = carrier, carrier.transport

    def _headers(self, _called: str) -> Mapping[str, str]:
        return self.carrier.headers()

    @property
    def user_id(self) -> int:
        return self.client.session.user_id if self.client.session else 0

    @property
    def series(self) -> OdooSeries:
        """Asked each time: a session that outlived an upgrade learns of it by signing in again."""
        session = self.client.session
        assert session is not None, "nobody is signed in"
        return session.series

    def login(self) -> None:
        """Signs in anew. Raises SignInRefused if the credentials are not accepted."""
        account = self.tenant.users.get(self.role)
        if account is None:
            raise OurSideError(
                f"Tenant {self.tenant.id} has no user for the role {self.role}: add [users.{self.role}]."
            )
        credentials = account.on(Channel.API)
        password = self._password or credentials.required_password()
        self.ids.clear()
        self.client.login(credentials.login, password)

    def sign_out(self) -> None:
        """Ends the session on the server and keeps its token, so that later calls meet the server's own refusal."""
        self.ended = True
        self.client.logout()

    def call(
        self,
        model: str,
        method: str,
        *,
        ids: Sequence[int] | None = None,
        context: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Any:
        """Calls a method of a model. A session that died is renewed once, unless it was ended on purpose.

        An expired session means that nothing was done, so sending the same call again repeats no write.
        """
        self.carrier.touches.note(self.role, model, method, named)
        try:
            return self._send(model, method, ids, context, named)
        except SessionEnded:
            if self.ended:
                raise
        self.login()
        try:
            return self._send(model, method, ids, context, named)
        except SessionEnded as error:
            raise SignInRefused(
                f"The session of {self.role} on {self.tenant.id} was renewed, and ended again at {model}.{method}."
            ) from error

    def _send(
        self,
        model: str,
        method: str,
        ids: Sequence[int] | None,
        context: Mapping[str, Any] | None,
        named: Mapping[str, Any],
    ) -> Any:
        try:
            return self.client.call(model, method, ids=ids, context=context, **named)
        except (ErpUnavailable, ErpProtocolError):
            self.doubtful = True
            raise

    # what many callers need

    def rows(
        self, model: str, domain: Sequence[Any], fields: Sequence[str], *, limit: int = 0, order: str = "id"
    ) -> list[dict[str, Any]]:
        """Records that match, in order; all of them unless there is a `limit`."""
        named: dict[str, Any] = {"domain": list(domain), "fields": list(fields), "order": order}
        if limit:
            named["limit"] = limit
        found: list[dict[str, Any]] = self.call(model, "search_read", **named)
        return found

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[dict[str, Any]]:
        """These records. Raises BusinessError (MissingError, AccessError) if one cannot be read."""
        found: list[dict[str, Any]] = self.call(model, "read", ids=ids, fields=list(fields)) if ids else []
        return found

    def id_of(self, model: str, name: str, domain: Sequence[Any] = ()) -> int:
        """The id of a record of reference data, remembered by `name`; `domain` finds it (default: by that name).

        Raises NotThere if there is none that this user may see.
        """
        key = (model, name)
        if key not in self.ids:
            found = self.call(model, "search", domain=list(domain) or [("name", "=", name)], limit=1)
            if not found:
                raise NotThere("UserError", f"The ERP has no {model} for {name!r}.")
            self.ids[key] = found[0]
        return self.ids[key]


class SessionPool:
    """The sessions of one process, by tenant and role. For one thread."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._pooled: dict[tuple[str, str, Role], UserSession] = {}

    def take(self, tenant: Tenant, role: Role, carrier: CallCarrier) -> UserSession:
        """The user's session, opened if there is none."""
        key = (tenant.id, tenant.api, role)
        session = self._pooled.pop(key, None)
        if session is not None and (session.ended or session.doubtful or session.client.session is None):
            session = None
        session = session or self.open(tenant, role, carrier)
        self._pooled[key] = session
        session.carried_by(carrier)
        return session

    def open(self, tenant: Tenant, role: Role, carrier: CallCarrier, password: str | None = None) -> UserSession:
        """A session of its own, which the pool does not keep. The caller closes it."""
        session = UserSession(tenant, role, password, carrier)
        session.login()
        return session

    def close(self) -> None:
        """Ends every session on its server; one that does not answer is left to end by itself."""
        transport = self.transport()
        for session in self._pooled.values():
            session.client.transport = transport
            close(session)
        self._pooled.clear()
        transport.close()

    def transport(self, limit: TimeLimit | None = None) -> HttpTransport:
        """A way onto the network, for one run, whose calls may take as long as `limit` says."""
        return HttpTransport(self._timeout, limit=limit)


def close(session: UserSession) -> None:
    """Ends a session, whatever the server says to that."""
    with suppress(RinggateError):
        if not session.ended and session.client.session is not None:
            session.sign_out()
