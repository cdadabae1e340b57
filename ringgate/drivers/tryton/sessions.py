"""Signed-in users: who is reused, who is renewed, and who stays signed out.

A login costs the server a quarter of a second (it hashes the password on purpose), so a driver keeps one session for
each tenant and role of its process. Nothing of a session is written to disk: its token is as good as a password.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from ringgate.domain.errors import (
    ErpProtocolError,
    ErpUnavailable,
    NoRoute,
    OurSideError,
    Refused,
    RinggateError,
    SignInRefused,
)
from ringgate.domain.model import Tenant
from ringgate.domain.terms import Channel, Role
from ringgate.drivers.protocol import Call, TimeLimit
from ringgate.drivers.transport import HttpTransport
from ringgate.drivers.tryton.touches import Touches
from ringgate.drivers.tryton.wire import (
    BusinessError,
    HttpFailure,
    RpcClient,
    SessionEnded,
    WrongSeries,
    trace_headers,
)
from ringgate.host.secrets import KnownSecret


class NotThere(BusinessError):
    """A record of reference data that there is none of, or none that the user may see."""


class UserSession:
    """One user's session on one tenant, with the ids of reference data it has looked up.

    `ids` remembers where names lead (products, accounts, ...), `remembered` what else holds until the next sign-in;
    amounts are never remembered. `carrier` is the
    connection whose calls it sends now. `ended` on purpose, it is never renewed; `doubtful` after an outage, it is not
    reused: the tenant may come back as another series.
    """

    def __init__(self, tenant: Tenant, role: Role, password: str | None, timeout: float) -> None:
        parts = urlsplit(tenant.api)
        database = parts.path.strip("/")
        if not database:
            raise NoRoute(
                f"The address {tenant.api!r} of tenant {tenant.id} names no database: write http://host/name."
            )
        self.tenant, self.role = tenant, role
        self.ids: dict[tuple[str, str], int] = {}
        self.remembered: dict[str, Any] = {}
        self.ended = self.doubtful = False
        self.carrier: Carrier | None = None
        self._password = None if password is None else KnownSecret(password)
        self.client = RpcClient(tenant.api, database, timeout=timeout, headers_hook=self._headers)

    def carried_by(self, carrier: Carrier) -> None:
        """Its calls are that connection's from now on."""
        self.carrier, self.client.line = carrier, carrier.line

    @property
    def user_id(self) -> int:
        return self.client.session.user_id if self.client.session else 0

    def _headers(self, method: str) -> Mapping[str, str]:
        carrier = self.carrier
        if carrier is None:
            return {}
        carrier.sent += 1
        traceparent = f"00-{carrier.call.trace_id}-{os.urandom(8).hex()}-01"
        return trace_headers(carrier.call.run_id, traceparent)

    def login(self) -> None:
        """Signs in anew. Raises SignInRefused if the credentials are not accepted."""
        account = self.tenant.users.get(self.role)
        if account is None:
            raise OurSideError(
                f"Tenant {self.tenant.id} has no user for the role {self.role}: add [users.{self.role}]."
            )
        credentials = account.on(Channel.API)
        password = self._password or credentials.required_password()
        if self.client.session is None and self.carrier is not None:
            self.client.negotiate()
            self.carrier.sent += 1
        self.ids.clear()
        self.remembered.clear()
        self.client.login(credentials.login, password)

    def _speaks_otherwise(self) -> bool:
        """Whether the server is of another series than it was. What it was is forgotten."""
        before = self.client.dialect
        if self.carrier is not None:
            self.carrier.sent += 1
        return self.client.negotiate() is not before

    def sign_out(self) -> None:
        """Ends the session on the server and keeps its token, so that later calls meet the server's own refusal."""
        self.ended = True
        self.client.raw("common.db.logout", [])

    def call(self, method: str, *params: Any, context: Mapping[str, Any] | None = None) -> Any:
        """Calls a method of a model or wizard. A session that died is renewed once, unless it was ended on purpose.

        A 401 means that nothing was done, so sending the same call again after a new login repeats no write. So do a
        404 and a 405, which is how a server that was upgraded meanwhile meets the calls of its former series.
        """
        try:
            return self._send(method, *params, context=context)
        except SessionEnded:
            if self.ended:
                raise
        except (HttpFailure, WrongSeries) as error:
            if self.ended or getattr(error, "status", 405) not in (404, 405) or not self._speaks_otherwise():
                raise
        self.login()
        try:
            return self._send(method, *params, context=context)
        except SessionEnded as error:
            raise SignInRefused(
                f"The session of {self.role} on {self.tenant.id} was renewed, and ended again at {method}."
            ) from error

    def _send(self, method: str, *params: Any, context: Mapping[str, Any] | None) -> Any:
        if self.carrier is not None:
            self.carrier.touches.note(self.role, method, params)
        try:
            return self.client.call(method, *params, context=context)
        except (ErpUnavailable, ErpProtocolError):
            self.doubtful = True
            raise

    def confirmed(self, method: str, *params: Any, context: Mapping[str, Any] | None = None) -> Any:
        """Calls, and says yes once to each warning that comes, as a person in front of the client would."""
        seen: set[str] = set()
        while True:
            try:
                return self.call(method, *params, context=context)
            except BusinessError as error:
                if not error.warning or error.warning in seen:
                    raise
                seen.add(error.warning)
                self.client.confirm(error.warning)

    def wizard(self, name: str, model: str, ids: list[int], *answers: tuple[str, Mapping[str, Any]]) -> Any:
        """Walks a wizard on records of a model: each answer is (transition, {view: values}). Returns the last page.

        A page that has a `view` waits for an answer; one without is the end.
        """
        context = {"active_model": model, "active_id": ids[0], "active_ids": ids}
        session, start, _ = self.call(f"wizard.{name}.create", context=context)
        page: Any = {}
        try:
            for state, values in answers or ((start, {}),):
                page = self.confirmed(f"wizard.{name}.execute", session, dict(values), state, context=context)
        finally:
            if not self.ended:
                self.call(f"wizard.{name}.delete", session)
        return page

    def id_of(self, model: str, name: str, *domain: Any) -> int:
        """The id of a record of reference data, remembered by `name`; `domain` finds it (default: by that name).

        Raises NotThere if there is none that this user may see, and OurSideError if a name fits more than one.
        """
        key = (model, name)
        if key not in self.ids:
            found = self.call(f"model.{model}.search", list(domain) or [("name", "=", name)], 0, 2, None)
            if not found:
                raise NotThere("UserError", f"The ERP has no {model} for {name!r}.")
            if len(found) > 1 and not domain:
                raise OurSideError(
                    f"{self.tenant.id} has more than one {model} called {name!r}, and the inventory does not say which "
                    "is meant: name one that there is once."
                )
            self.ids[key] = found[0]
        return self.ids[key]


class Carrier:
    """What the calls of one connection have in common, their number, what they touch, and who was refused last."""

    def __init__(self, call: Call, line: HttpTransport) -> None:
        self.call, self.line, self.sent, self.touches = call, line, 0, Touches()
        self.refused: UserSession | None = None

    @contextmanager
    def unnoted(self) -> Iterator[None]:
        """What is called meanwhile is no part of the process: it is counted, and not said to be touched by it."""
        touches, self.touches = self.touches, Touches()
        try:
            yield
        finally:
            self.touches = touches


class SessionPool:
    """The sessions of one process, by tenant and role. For one thread."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._pooled: dict[tuple[str, str, Role], UserSession] = {}

    def take(self, tenant: Tenant, role: Role, carrier: Carrier) -> UserSession:
        """The user's session, opened if there is none."""
        key = (tenant.id, tenant.api, role)
        session = self._pooled.pop(key, None)
        if session is not None and (session.ended or session.doubtful or session.client.session is None):
            session.client.close()
            session = None
        session = session or self.open(tenant, role, carrier)
        self._pooled[key] = session
        session.carried_by(carrier)
        return session

    def open(self, tenant: Tenant, role: Role, carrier: Carrier, password: str | None = None) -> UserSession:
        """A session of its own, which the pool does not keep. The caller closes it."""
        session = UserSession(tenant, role, password, self._timeout)
        session.carried_by(carrier)
        try:
            session.login()
        except BaseException:
            session.client.close()
            raise
        return session

    def version(self, tenant: Tenant, carrier: Carrier) -> str:
        """What the tenant's server says it is now, asked the way it was spoken to last."""
        dialects = [
            each.client.known_dialect for key, each in self._pooled.items() if key[:2] == (tenant.id, tenant.api)
        ]
        parts = urlsplit(tenant.api)
        client = RpcClient(tenant.api, parts.path.strip("/"), line=carrier.line, dialect=next(iter(dialects), None))
        return client.version()

    def close(self) -> None:
        """Ends every session on its server; one that does not answer is left to end by itself."""
        line = self.line()
        for session in self._pooled.values():
            session.client.line = line
            close(session)
        self._pooled.clear()

    def line(self, limit: TimeLimit | None = None) -> HttpTransport:
        """A way onto the network, for one run, whose calls may take as long as `limit` says."""
        return HttpTransport(self._timeout, limit=limit)


def close(session: UserSession) -> None:
    """Ends a session, whatever the server says to that, and hangs up."""
    with suppress(RinggateError):
        if not session.ended and session.client.session is not None:
            session.sign_out()
    session.client.close()


@contextmanager
def refusals(verb: str, session: UserSession, model: str = "", record: str = "") -> Iterator[None]:
    """Turns what the ERP refuses inside into `Refused`, with the record's state as read back afterwards."""
    try:
        yield
    except BusinessError as error:
        if session.carrier is not None:
            session.carrier.refused = session
        raise Refused(verb, str(error), state_of(session, model, record)) from error
    except SessionEnded as error:
        raise Refused(verb, str(error)) from error


def state_of(session: UserSession, model: str, record: str) -> str:
    """The state of a record as this user may see it; "" if there is none to be seen."""
    if not record:
        return ""
    field = "status.rec_name" if model == "project.work" else "state"
    if model == "timesheet.line":
        return ""
    try:
        (row,) = session.call(f"model.{model}.read", [int(record)], [field])
    except (BusinessError, ValueError):
        return ""
    return str(row["status."]["rec_name"] if model == "project.work" else row["state"])
