"""Attempts on a tenant by users who may see nothing of it: other tenants' users, and callers without a valid session.

    factory = OdooOutsiders(tenant, pool, carrier)
    for outsider in factory.outsiders(neighbours, [Role.AUDITOR]):
        outsider.attempt(AttemptKind.READ, things)          # -> Attempt(came=REFUSED, by="SessionExpiredException")

Every attempt is one HTTP call. All send the same bytes for the same question, whoever asks.

| attempt                            | what is sent                                                | must be           |
|------------------------------------|-------------------------------------------------------------|-------------------|
| at our address                     | a neighbour's session                                       | refused           |
| at their own tenant                | a neighbour's session                                       | silent about ours |
| the same, naming another database  | a neighbour's session, our database in address and header   | silent about ours |
| without a session, forged, ended   | to our address                                              | refused           |

A call does not say which database it means: session and address decide. One that names ours at another address is
answered for the neighbour's own, or refused. Older series end a session that is shown at an address where it is not
valid: there the auditor of a neighbour signs in anew before each reading.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from ringgate.domain.documents import Ref
from ringgate.domain.errors import ErpError, ErpProtocolError, ErpUnavailable, OurSideError, Throttled
from ringgate.domain.model import Tenant
from ringgate.domain.secrets import Secret
from ringgate.domain.terms import Role
from ringgate.drivers.odoo.sessions import CallCarrier, SessionPool, UserSession, close, database_of
from ringgate.drivers.odoo.values import decode, encode
from ringgate.drivers.odoo.wire import COOKIE, SESSION_KINDS
from ringgate.drivers.transport import NO_AUTH, SecretHeader, exchange, read_all
from ringgate.host.secrets import KnownSecret
from ringgate.isolation.comparison import judge_attempt
from ringgate.isolation.model import Attempt, AttemptKind, PrivateRecord
from ringgate.isolation.texts import text_of

TIMEOUT: Final = 30.0
COMPANY: Final = "company"


@dataclass(frozen=True, slots=True)
class OdooKind:
    """How Odoo keeps a kind of record: `label` is the field that a marker stands in, `owner` leads to the company,
    `report` is the document that shows the record."""

    model: str
    label: str
    owner: str = "company_id"
    writable: bool = True
    report: str = ""


KINDS: Final[Mapping[str, OdooKind]] = {
    "project": OdooKind("project.project", "name"),
    "task": OdooKind("project.task", "name"),
    "time": OdooKind("account.analytic.line", "name"),
    "invoice": OdooKind("account.move", "ref", report="account.report_invoice"),
    "request": OdooKind("purchase.order", "origin"),
    "posting": OdooKind("account.move", "ref", writable=False),
    COMPANY: OdooKind("res.company", "name", owner="", writable=False),
}
ALL: Final = frozenset({AttemptKind.READ, AttemptKind.SEARCH, AttemptKind.REPORT, AttemptKind.WRITE})
"""Exports are offered to those alone whom a tenant lets: the auditor, who is the control, need not be one of them."""
SLACK: Final = 20
"""Records that others may make while a search by the company's name looks for ours, which are among the newest."""
SEEN: Final[Mapping[str, list[Any]]] = {
    "invoice": [("move_type", "=", "out_invoice"), ("state", "=", "posted")],
    "posting": [("move_type", "=", "entry"), ("state", "=", "posted")],
}
"""Kinds of records that every firm has in its books, and which of them to take: none that a run takes away again."""
_CHANGING: Final = re.compile(r"[0-9a-f]{40}o\d+|csrf_token[^,;]*[,;]")
"""Tokens that a page carries anew each time."""


@dataclass(frozen=True, slots=True)
class OdooQuestion:
    """One HTTP call, without a session: `called` names it in errors; `body` is None for a page that is fetched."""

    called: str
    path: str
    body: bytes | None = None


def question(way: AttemptKind, things: Sequence[PrivateRecord]) -> OdooQuestion | None:
    """The call of an attempt on records of one kind; None where there is no such way."""
    kind = KINDS[things[0].ref.kind]
    if way is AttemptKind.WRITE:
        things = [thing for thing in things if thing.made]
    ids = [int(thing.ref.id) for thing in things]
    fields = [field for field in (kind.label, kind.owner) if field]
    if way is AttemptKind.READ:
        return _call(kind, "search_read", [], {"domain": [("id", "in", ids)], "fields": fields})
    if way is AttemptKind.SEARCH:
        clauses = [(field, "ilike", text) for text in sorted({thing.tells[0] for thing in things}) for field in fields]
        domain = ["|"] * (len(clauses) - 1) + clauses
        named = {"domain": domain, "fields": fields, "limit": len(ids) + SLACK, "order": "id desc"}
        return _call(kind, "search_read", [], named)
    if way is AttemptKind.REPORT and kind.report:
        return OdooQuestion(kind.report, f"/report/html/{kind.report}/{','.join(map(str, ids))}")
    if way is AttemptKind.WRITE and kind.writable and ids:
        changed = {kind.label: f"Changed by an outsider [{things[0].tells[0]}]"}
        return _call(kind, "write", [ids, changed], {})
    return None


def _call(kind: OdooKind, method: str, args: list[Any], named: dict[str, Any]) -> OdooQuestion:
    params = {"model": kind.model, "method": method, "args": args, "kwargs": named}
    path = f"/web/dataset/call_kw/{kind.model}/{method}"
    return OdooQuestion(f"{kind.model}.{method}", path, _body(params))


def _body(params: Mapping[str, Any]) -> bytes:
    return encode({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params})


@dataclass(frozen=True, slots=True)
class OdooReply:
    """What came back: `refused_by` if the caller was turned away, the text of an error of the ERP's own, the answer."""

    refused_by: str = ""
    error: str = ""
    answer: str = ""


class OdooAnywhere:
    """Plain HTTP to any address, with any session."""

    def __init__(self, carrier: CallCarrier, timeout: float = TIMEOUT) -> None:
        self._carrier = carrier
        self._http = httpx.Client(timeout=timeout)

    def close(self) -> None:
        self._http.close()

    def ask(
        self, base: str, asked: OdooQuestion, shown: httpx.Auth, headers: Mapping[str, str], query: str
    ) -> OdooReply:
        """Raises ErpUnavailable, Throttled or ErpProtocolError where the answer decides nothing."""
        response = self.send(base + asked.path + query, asked.body, headers, shown)
        status = response.status_code
        if asked.body is None:
            led = urlsplit(response.headers.get("location", "")).path
            if led != asked.path and led.endswith(asked.path):  # the same page in the user's language
                response = self.send(base + led, None, headers, shown)
            return _page(response)
        if status >= 500:
            raise ErpUnavailable(f"{base} answered {asked.called} with HTTP {status}.")
        if not response.is_success:
            return OdooReply(refused_by=str(status))
        try:
            told = decode(response.content)
        except ValueError:
            raise ErpProtocolError(f"The answer of {base} to {asked.called} is not the JSON of Odoo.") from None
        return _meaning(told if isinstance(told, dict) else {"result": told})

    def send(
        self, url: str, body: bytes | None, headers: Mapping[str, str], shown: httpx.Auth = NO_AUTH
    ) -> httpx.Response:
        """A redirection is an answer, too."""
        call = self._carrier.call
        self._carrier.sent += 1
        sent = {"traceparent": f"00-{call.trace_id}-{os.urandom(8).hex()}-01", "x-ringgate-run": call.run_id}
        sent |= dict(headers) if body is None else {**headers, "content-type": "application/json"}
        try:
            request = self._http.build_request("GET" if body is None else "POST", url, content=body, headers=sent)
            response = exchange(self._http, request, shown)
            read_all(response)
        except httpx.HTTPError as error:
            raise ErpUnavailable(f"{url.partition('?')[0]} does not answer: {type(error).__name__}.") from error
        self._http.cookies.clear()  # one caller's session is never shown for another
        if response.status_code == 429:
            raise Throttled("The ERP says that we ask too often (HTTP 429).")
        if response.status_code in (502, 503, 504):
            raise ErpUnavailable(f"{url.partition('?')[0]} answered with HTTP {response.status_code}.")
        return response


def _page(response: httpx.Response) -> OdooReply:
    """A document that was asked for by its address: who may not see it is sent to the log-in page, or told so."""
    status = response.status_code
    if status in (301, 302, 303, 307, 308, 401, 404):
        return OdooReply(refused_by=str(status))
    if response.is_success:
        return OdooReply(answer=response.text)
    return OdooReply(error=f"HTTP {status} {response.text}")


def _meaning(answer: Mapping[str, Any]) -> OdooReply:
    error = answer.get("error")
    if not error:
        return OdooReply(answer=text_of(answer.get("result")))
    data = error.get("data") if isinstance(error, Mapping) else None
    kind = str(data.get("name") or "").rpartition(".")[2] if isinstance(data, Mapping) else ""
    return OdooReply(refused_by=kind) if kind in SESSION_KINDS else OdooReply(error=text_of(error))


@dataclass(slots=True)
class OdooVisitor:
    """One caller: `base` is where calls go, `shown` the session that they show; `neighbour` is whose address that is
    where it is not the tested tenant's. `names` is a database that the call names although it is another's. `renewed`
    gives a new session to show, where one that was shown is of no use any more."""

    client: OdooAnywhere
    name: str
    base: str
    shown: httpx.Auth
    barred: bool
    ways: frozenset[AttemptKind] = ALL
    neighbour: str = ""
    names: str = ""
    renewed: Callable[[], httpx.Auth] | None = None

    def attempt(self, way: AttemptKind, things: Sequence[PrivateRecord]) -> Attempt | None:
        asked = question(way, things)
        if asked is None:
            return None
        if self.renewed is not None and way is AttemptKind.READ:
            self.shown = self.renewed()
        headers, query = ({"x-odoo-database": self.names}, f"?db={self.names}") if self.names else ({}, "")
        try:
            reply = self.client.ask(self.base, asked, self.shown, headers, query)
        except ErpError as error:
            if self.neighbour:  # its errors say nothing of the tested tenant
                raise OurSideError(f"The {self.name} could not be tried: {error}") from error
            raise
        if reply.refused_by in SESSION_KINDS and not self.barred and not self.names:
            raise OurSideError(f"The session of the {self.name} was refused where it is valid, which proves nothing.")
        return judge_attempt(
            way, things, barred=self.barred, refused_by=reply.refused_by, error=reply.error, answer=reply.answer
        )


class OdooOutsiders:
    """Where outsiders of one tenant come from, for one run."""

    def __init__(self, tenant: Tenant, pool: SessionPool, carrier: CallCarrier) -> None:
        self._tenant, self._pool, self._carrier = tenant, pool, carrier
        self._client = OdooAnywhere(carrier)

    def close(self) -> None:
        self._client.close()

    # outsiders and insiders

    def insider(self, role: Role) -> OdooVisitor:
        session = self._alive(self._tenant, role)
        return self._visitor(f"{_words(role)} of {self._tenant.id}", self._tenant, session, barred=False)

    def outsiders(self, neighbours: Sequence[Tenant], roles: Collection[Role]) -> Iterator[OdooVisitor]:
        for neighbour in neighbours:
            known = sorted(set(neighbour.users) & set(roles), key=lambda role: (role is not Role.AUDITOR, role))
            for role in known:
                yield from self._of(neighbour, role, everywhere=role is known[0])
        yield from self._strangers()

    def _of(self, neighbour: Tenant, role: Role, *, everywhere: bool) -> Iterator[OdooVisitor]:
        """One user of another tenant at our address; `everywhere`: all attempts of the table above. A session is seen
        to be valid before it is tried: one that has ended would be refused everywhere and prove nothing."""
        who = f"{_words(role)} of {neighbour.id}"
        session = self._neighbours(neighbour, role)
        name = f"{who} at the address of {self._tenant.id}"
        barred = self._visitor(name, self._tenant, session, barred=True)
        if everywhere and session.series.ends_strayed:
            barred.renewed = lambda: _shown(self._neighbours(neighbour, role))
        yield barred
        if not everywhere:
            return
        ways, ours = ALL - {AttemptKind.WRITE}, database_of(self._tenant)
        home = "at their own tenant"
        for name, names in ((home, ""), (f"{home}, naming another database", ours)):
            session = self._neighbours(neighbour, role)
            yield self._visitor(f"{who} {name}", neighbour, session, barred=False, ways=ways, names=names)

    def _neighbours(self, neighbour: Tenant, role: Role) -> UserSession:
        try:
            return self._alive(neighbour, role)
        except ErpError as error:
            raise OurSideError(
                f"The session of the {_words(role)} of {neighbour.id} cannot be used: {error}"
            ) from error

    def _strangers(self) -> Iterator[OdooVisitor]:
        ended = self._pool.open(self._tenant, Role.AUDITOR, self._carrier)
        passed = ended.client.cookie
        close(ended)
        shown: dict[str, Secret | None] = {
            "somebody without a session": None,
            "somebody with an invented session": KnownSecret(f"{COOKIE}={secrets.token_hex(42)}"),
            "somebody with an empty session": KnownSecret(f"{COOKIE}="),
            "somebody with a session that was ended": passed,
        }
        for name, cookie in shown.items():
            auth = SecretHeader("cookie", cookie) if cookie else NO_AUTH
            yield OdooVisitor(self._client, name, _base(self._tenant), auth, barred=True)

    def _alive(self, tenant: Tenant, role: Role) -> UserSession:
        """A session that has ended would be refused everywhere and prove nothing: it is renewed here."""
        session = self._pool.take(tenant, role, self._carrier)
        session.read("res.users", [session.user_id], ["login"])
        return session

    def _visitor(
        self,
        name: str,
        at: Tenant,
        session: UserSession,
        *,
        barred: bool,
        ways: frozenset[AttemptKind] = ALL,
        names: str = "",
    ) -> OdooVisitor:
        neighbour = "" if at is self._tenant else at.id
        return OdooVisitor(self._client, name, _base(at), _shown(session), barred, ways, neighbour, names)

    # what is there to be seen

    def seen(self) -> tuple[PrivateRecord, ...]:
        session = self._pool.take(self._tenant, Role.AUDITOR, self._carrier)
        (row,) = session.read("res.users", [session.user_id], ["company_id"])
        found: dict[str, list[int]] = {COMPANY: [int(row["company_id"][0])]}
        for kind, domain in SEEN.items():
            model = KINDS[kind].model
            found[kind] = session.call(model, "search", domain=domain, limit=1, order="id desc")
        return tuple(PrivateRecord(Ref(kind, str(ids[0])), (self._tenant.name,)) for kind, ids in found.items() if ids)

    def guesses(self, ref: Ref, reach: int) -> tuple[Ref, ...]:
        """Ids are numbers that count up, for each kind of record."""
        known = int(ref.id)
        near = range(max(1, known - reach), known + reach + 1)
        return tuple(Ref(ref.kind, str(each)) for each in near if each != known)

    def ask_as_stranger(self, about: str) -> Mapping[str, str]:
        """Nobody is signed in with a wrong password here: that would be counted against everybody at our address."""
        base, naming = _base(self._tenant), {"x-odoo-database": about}
        posts: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
            "which databases there are": ("/web/database/list", {}, {}),
            "which version this is": ("/web/webclient/version_info", {}, {}),
            "a record, naming the database": ("/web/dataset/call_kw/res.users/read", naming,
                                              {"model": "res.users", "method": "read", "args": [[1]], "kwargs": {}}),
            "a record by an old interface": ("/jsonrpc", {}, {"service": "db", "method": "db_exist", "args": [about]}),
        }  # fmt: skip
        pages = ("/", "/web/login", f"/web/login?db={about}", f"/web?db={about}", "/web/database/selector",
                 "/web/database/manager", f"/{about}", f"/web/image/res.company/1/logo?db={about}")  # fmt: skip
        told = {}
        for what, (path, headers, params) in posts.items():
            told[what] = self._told(base + path, _body(params), headers, about)
        for page in pages:
            told[f"the page {page.replace(about, '...')}"] = self._told(base + page, None, {}, about)
        return told

    def _told(self, url: str, body: bytes | None, headers: Mapping[str, str], about: str) -> str:
        response = self._client.send(url, body, headers)
        led = response.headers.get("location", "")
        answer = _CHANGING.sub("...", f"{led} {response.text}".strip())
        return f"{response.status_code} {answer.replace(about, '...')}"


def _shown(session: UserSession) -> httpx.Auth:
    cookie = session.client.cookie
    assert cookie is not None
    return SecretHeader("cookie", cookie)


def _base(tenant: Tenant) -> str:
    parts = urlsplit(tenant.api)
    return f"{parts.scheme}://{parts.netloc}"


def _words(role: Role) -> str:
    return role.value.replace("_", " ")
