"""Attempts on a tenant by users who may see nothing of it: other tenants' users, and callers without a valid session.

    factory = OutsiderFactory(tenant, pool, carrier)
    for outsider in factory.outsiders(neighbours):
        outsider.attempt(AttemptKind.READ, things)          # -> Attempt(came=REFUSED, by="401")

Every attempt is one HTTP call. All send the same bytes for the same question, whoever asks: neither the number of the
call nor the user's own context tells them apart, so that something on the way that remembers answers is met by exactly
the question it remembers.

| attempt                                 | what is sent                                           | must be           |
|-----------------------------------------|--------------------------------------------------------|-------------------|
| at our address                          | a neighbour's session, to our address and database     | refused           |
| at our address, as a cookie             | the same in the web client's cookie                    | refused           |
| through their own address               | a neighbour's session, to theirs and our database      | refused           |
| at their own tenant                     | a neighbour's session, to their address and database   | silent about ours |
| without a session, forged, ended        | to our address and database                            | refused           |
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from ringgate.domain.documents import Ref
from ringgate.domain.errors import ErpError, ErpProtocolError, ErpUnavailable, OurSideError, Throttled
from ringgate.domain.model import Tenant
from ringgate.domain.secrets import Secret
from ringgate.domain.terms import Role
from ringgate.drivers.transport import NO_AUTH, SecretHeader, exchange, read_all
from ringgate.drivers.tryton.sessions import Carrier, SessionPool, UserSession, close
from ringgate.drivers.tryton.values import decode, encode
from ringgate.drivers.tryton.wire import Dialect, authorization, trace_headers
from ringgate.host.secrets import KnownSecret
from ringgate.isolation.comparison import judge_attempt
from ringgate.isolation.model import Attempt, AttemptKind, PrivateRecord
from ringgate.isolation.texts import text_of

TIMEOUT: Final = 30.0
COMPANY: Final = "company"
COOKIE: Final = "tryton_session"


@dataclass(frozen=True, slots=True)
class Kind:
    """How Tryton keeps a kind of record: `label` is the field that a marker stands in, `owner` leads to the name of the
    company, `writable` says that the label can be changed, `report` renders the record."""

    model: str
    label: str
    owner: str = "company.party.name"
    writable: bool = True
    report: str = ""


KINDS: Final[Mapping[str, Kind]] = {
    "project": Kind("project.work", "name"),
    "task": Kind("project.work", "name"),
    "time": Kind("timesheet.line", "description"),
    "invoice": Kind("account.invoice", "description", report="account.invoice"),
    "request": Kind("purchase.requisition", "description"),
    "posting": Kind("account.move", "origin.rec_name", writable=False),
    "account": Kind("account.account", "name", writable=False),
    COMPANY: Kind("company.company", "rec_name", owner="party.name", writable=False),
}
ALL: Final = frozenset(AttemptKind)
SLACK: Final = 20
"""Records that others may make while a search by the company's name looks for ours, which are among the newest."""
SEEN: Final[Mapping[str, list[Any]]] = {
    "account": [("type", "!=", None)],
    "invoice": [("type", "=", "out"), ("state", "in", ["posted", "paid"])],
    "posting": [("state", "=", "posted")],
    "project": [("type", "=", "project"), ("name", "not ilike", "%[RG-%")],
}
"""Kinds of records that every firm has in its books, and which of them to take: none that a run takes away again."""


def question(way: AttemptKind, things: Sequence[PrivateRecord]) -> tuple[str, list[Any]] | None:
    """The method and the params of an attempt on records of one kind; None where there is no such way."""
    kind = KINDS[things[0].ref.kind]
    if way is AttemptKind.WRITE:
        things = [thing for thing in things if thing.made]
    ids = [int(thing.ref.id) for thing in things]
    model = f"model.{kind.model}"
    if way is AttemptKind.READ:
        domain: list[Any] = [("id", "in", ids)]
        return f"{model}.search_read", [domain, 0, None, None, [kind.label, kind.owner], {}]
    if way is AttemptKind.SEARCH:
        texts = sorted({thing.tells[0] for thing in things})
        domain = ["OR", *(((field, "ilike", f"%{text}%"),) for text in texts for field in _searched(kind))]
        return f"{model}.search_read", [domain, 0, len(ids) + SLACK, [("id", "DESC")], [kind.label, kind.owner], {}]
    if way is AttemptKind.EXPORT:
        return f"{model}.export_data", [ids, ["id", *(f.replace(".", "/") for f in (kind.label, kind.owner))], {}]
    if way is AttemptKind.REPORT and kind.report:
        data = {"model": kind.model, "id": ids[0], "ids": ids, "action_id": None}
        return f"report.{kind.report}.execute", [ids, data, {}]
    if way is AttemptKind.WRITE and kind.writable and ids:
        return f"{model}.write", [ids, {kind.label: f"Changed by an outsider [{things[0].tells[0]}]"}, {}]
    return None


def _searched(kind: Kind) -> tuple[str, ...]:
    return (kind.owner,) if kind.label in ("rec_name", "origin.rec_name") else (kind.label, kind.owner)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the HTTP status, the text of the ERP's error, and its result where there is one."""

    status: int
    error: str = ""
    result: Any = None
    raw: str = ""


class AnyAddressClient:
    """Plain HTTP to any address, with any session."""

    def __init__(self, carrier: Carrier, timeout: float = TIMEOUT) -> None:
        self._carrier = carrier
        self._http = httpx.Client(timeout=timeout)

    def close(self) -> None:
        self._http.close()

    def call(self, url: str, method: str, params: list[Any], shown: httpx.Auth = NO_AUTH) -> Reply:
        """One call with the session `shown`. Raises ErpUnavailable, Throttled or ErpProtocolError where the answer
        decides nothing."""
        body = encode({"id": 1, "method": method, "params": params})
        response = self.send("POST", url, body, {"content-type": "application/json"}, shown)
        if response.status_code >= 500:
            raise ErpUnavailable(f"{_base(url)} answered {method} with HTTP {response.status_code}.")
        if not response.is_success:
            return Reply(response.status_code, raw=response.text)
        try:
            answer = decode(response.content)
        except ValueError:
            raise ErpProtocolError(f"The answer of {_base(url)} to {method} is not the JSON of Tryton.") from None
        if not isinstance(answer, dict):  # some series answer with the bare result
            answer = {"result": answer}
        said = text_of(answer.get("error", ""))
        return Reply(response.status_code, said, answer.get("result"), response.text)

    def send(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], shown: httpx.Auth = NO_AUTH
    ) -> httpx.Response:
        call = self._carrier.call
        self._carrier.sent += 1
        traced = trace_headers(call.run_id, f"00-{call.trace_id}-{os.urandom(8).hex()}-01")
        try:
            request = self._http.build_request(method, url, content=body, headers={**headers, **traced})
            response = exchange(self._http, request, shown)
            read_all(response)
        except httpx.HTTPError as error:
            raise ErpUnavailable(f"{_base(url)} does not answer: {type(error).__name__}.") from error
        if response.status_code == 429:
            raise Throttled(f"{_base(url)} says that we ask too often (HTTP 429).")
        if response.status_code in (502, 503, 504):
            raise ErpUnavailable(f"{_base(url)} answered with HTTP {response.status_code}.")
        return response


class Visitor:
    """One caller: `url` is where calls go, `shown` the session that they show, `neighbour` whose address that
    is where it is not the tested tenant's."""

    def __init__(
        self,
        http: AnyAddressClient,
        name: str,
        url: str,
        shown: httpx.Auth,
        *,
        barred: bool,
        ways: frozenset[AttemptKind],
        neighbour: str = "",
    ) -> None:
        self.name, self.barred, self.ways = name, barred, ways
        self._client, self._url, self._shown, self._neighbour = http, url, shown, neighbour

    def attempt(self, way: AttemptKind, things: Sequence[PrivateRecord]) -> Attempt | None:
        asked = question(way, things)
        if asked is None:
            return None
        try:
            reply = self._client.call(self._url, *asked, self._shown)
        except ErpError as error:
            if self._neighbour:  # its errors say nothing of the tested tenant
                raise OurSideError(f"The {self.name} could not be tried: {error}") from error
            raise
        if reply.status == 401 and not self.barred:
            raise OurSideError(f"The session of the {self.name} was refused where it is valid, which proves nothing.")
        answer = text_of(reply.result)
        refused_by = "" if 200 <= reply.status < 300 else str(reply.status)
        return judge_attempt(way, things, barred=self.barred, refused_by=refused_by, error=reply.error, answer=answer)


class OutsiderFactory:
    """Where outsiders of one tenant come from, for one run."""

    def __init__(self, tenant: Tenant, pool: SessionPool, carrier: Carrier) -> None:
        self._tenant, self._pool, self._carrier = tenant, pool, carrier
        self._client = AnyAddressClient(carrier)
        self._database = urlsplit(tenant.api).path.strip("/")

    def close(self) -> None:
        self._client.close()

    # outsiders and insiders

    def insider(self, role: Role) -> Visitor:
        session = self._pool.take(self._tenant, role, self._carrier)
        session.call("model.res.user.read", [session.user_id], ["login"])  # a session that died is renewed here
        return self._visitor(f"{_words(role)} of {self._tenant.id}", self._tenant, session, barred=False)

    def outsiders(self, neighbours: Sequence[Tenant], roles: Collection[Role]) -> Iterator[Visitor]:
        for neighbour in neighbours:
            known = sorted(set(neighbour.users) & set(roles), key=lambda role: (role is not Role.AUDITOR, role))
            for role in known:
                yield from self._of(neighbour, role, everywhere=role is known[0])
        yield from self._strangers()

    def _of(self, neighbour: Tenant, role: Role, *, everywhere: bool) -> Iterator[Visitor]:
        """One user of another tenant at our address; `everywhere`: all attempts of the table above. One user is enough
        where nobody may be let in, and at the own tenant the one who may read most (the auditor).

        Whether the session is valid is seen first: one that has ended would be refused everywhere and prove nothing."""
        try:
            session = self._pool.take(neighbour, role, self._carrier)
            session.call("model.res.user.read", [session.user_id], ["login"])
        except ErpError as error:
            raise OurSideError(
                f"The session of the {_words(role)} of {neighbour.id} cannot be used: {error}"
            ) from error
        who = f"{_words(role)} of {neighbour.id}"
        yield self._visitor(f"{who} at the address of {self._tenant.id}", self._tenant, session, barred=True)
        if not everywhere:
            return
        yield self._visitor(
            f"{who} through their own address", neighbour, session, barred=True, database=self._database
        )
        yield self._visitor(
            f"{who} at their own tenant", neighbour, session, barred=False, ways=ALL - {AttemptKind.WRITE}
        )
        live = session.client.session
        assert live is not None
        cookie = SecretHeader("cookie", KnownSecret(f"{COOKIE}={live.login}:{live.user_id}:{live.token}"))
        url = self._url(self._tenant, self._dialect)
        name = f"{who} at the address of {self._tenant.id}, with a cookie"
        yield Visitor(
            self._client, name, url, cookie, barred=True, ways=frozenset({AttemptKind.READ, AttemptKind.REPORT})
        )

    def _strangers(self) -> Iterator[Visitor]:
        url = self._url(self._tenant, self._dialect)
        live = self._pool.take(self._tenant, Role.AUDITOR, self._carrier)
        ended = self._pool.open(self._tenant, Role.AUDITOR, self._carrier)
        assert ended.client.session is not None
        passed = ended.client.session.authorization
        close(ended)
        login, user = self._tenant.users[Role.AUDITOR].login, live.user_id
        shown: dict[str, Secret | None] = {
            "somebody without a session": None,
            "somebody with an invented session": KnownSecret(authorization(login, user, secrets.token_hex(32))),
            "somebody with an empty session": KnownSecret(authorization(login, user, "")),
            "somebody with a session that is none": KnownSecret("Session x"),
            "somebody with a session that was ended": passed,
        }
        for name, header in shown.items():
            auth = SecretHeader("authorization", header) if header else NO_AUTH
            yield Visitor(self._client, name, url, auth, barred=True, ways=ALL)

    def _visitor(
        self,
        name: str,
        at: Tenant,
        session: UserSession,
        *,
        barred: bool,
        ways: frozenset[AttemptKind] = ALL,
        database: str = "",
    ) -> Visitor:
        live = session.client.session
        assert live is not None
        dialect = self._dialect if at is self._tenant else session.client.dialect
        url = self._url(at, dialect, database)
        shown = SecretHeader("authorization", live.authorization)
        neighbour = "" if at is self._tenant else at.id
        return Visitor(self._client, name, url, shown, barred=barred, ways=ways, neighbour=neighbour)

    @property
    def _dialect(self) -> Dialect:
        return self._pool.take(self._tenant, Role.AUDITOR, self._carrier).client.dialect

    def _url(self, at: Tenant, dialect: Dialect, database: str = "") -> str:
        return _base(at.api) + dialect.path(database or urlsplit(at.api).path.strip("/"))

    # what is there to be seen

    def seen(self) -> tuple[PrivateRecord, ...]:
        session = self._pool.take(self._tenant, Role.AUDITOR, self._carrier)
        (row,) = session.call("model.res.user.read", [session.user_id], ["company"])
        found = {COMPANY: [row["company"]]}
        for kind, domain in SEEN.items():
            found[kind] = session.call(f"model.{KINDS[kind].model}.search", domain, 0, 1, [("id", "DESC")])
        return tuple(PrivateRecord(Ref(kind, str(ids[0])), (self._tenant.name,)) for kind, ids in found.items() if ids)

    def guesses(self, ref: Ref, reach: int) -> tuple[Ref, ...]:
        """Ids are numbers that count up, for each kind of record."""
        known = int(ref.id)
        near = range(max(1, known - reach), known + reach + 1)
        return tuple(Ref(ref.kind, str(each)) for each in near if each != known)

    def ask_as_stranger(self, about: str) -> Mapping[str, str]:
        """Nobody is signed in with a wrong password here: that would be counted against the users."""
        base, root = _base(self._tenant.api), self._dialect.root_path
        asked: dict[str, tuple[str, str, bytes]] = {
            "which databases there are": ("POST", root, _body("common.db.list", [])),
            "which version this is": ("POST", root, _body("common.server.version", [])),
            "a method that there is not": ("POST", root, _body("common.db.dump", [about])),
        }
        for dialect_path in dict.fromkeys((self._dialect.path(about), f"/{about}/", f"/{about}/rpc/")):
            read = _body("model.party.party.read", [[1], ["name"], {}])
            asked[f"a record at {dialect_path.replace(about, '...')}"] = ("POST", dialect_path, read)
            asked[f"all methods at {dialect_path.replace(about, '...')}"] = (
                "POST", dialect_path, _body("system.listMethods", []),
            )  # fmt: skip
        for page in ("/", f"/{about}", f"/{about}/", f"/?database={about}", f"/{about}/timesheet/employees"):
            asked[f"the page {page.replace(about, '...')}"] = ("GET", page, b"")
        told = {}
        for what, (method, path, body) in asked.items():
            headers = {"content-type": "application/json"} if body else {}
            response = self._client.send(method, base + path, body, headers)
            told[what] = f"{response.status_code} {response.text.replace(about, '...')}"
        return told


def _body(method: str, params: list[Any]) -> bytes:
    return encode({"id": 1, "method": method, "params": params})


def _base(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _words(role: Role) -> str:
    return role.value.replace("_", " ")
