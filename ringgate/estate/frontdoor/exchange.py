"""One request at the front door and its answer: refused, answered by a fault, or passed on to the ERP's server.

Each request takes a connection of its own to the ERP's server: on one machine that costs a tenth of a millisecond, it
lets the idle worker take the request, and no connection can turn out to be stale.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import h11

from ringgate.estate.frontdoor import faults
from ringgate.estate.frontdoor.connection import Gone, Headers, Peer, connect, passed_on, tunnel, value_of, without
from ringgate.estate.frontdoor.dialect import ProxiedRequest, TrafficDialect
from ringgate.estate.frontdoor.faults import NetworkFault
from ringgate.estate.frontdoor.routes import Route

LARGEST_READ = 1024 * 1024
"""Bytes of a request that are read before it is passed on, so that rules can see it. Larger ones are streamed."""

TEXT, JSON = "text/plain", "application/json"


@dataclass(slots=True)
class Request:
    """A request, read as far as it was. `rest` says whether the body is still to be streamed, `upgrade` to which
    protocol the client wishes to change."""

    method: bytes
    target: bytes
    headers: Headers
    content: bytes = b""
    rest: bool = False
    upgrade: bytes = b""
    payload: Any = None

    @property
    def path(self) -> str:
        return self.target.partition(b"?")[0].decode("ascii")

    def lead_to(self, path: str) -> None:
        """Another path, with the same query."""
        _, mark, query = self.target.partition(b"?")
        self.target = path.encode("ascii") + mark + query


@dataclass(slots=True)
class KeptAnswer:
    """An answer of the ERP's that a fault gives again, as far as it has come."""

    fault: NetworkFault
    head: h11.Response | None = None
    content: bytearray = field(default_factory=bytearray)


async def read(client: Peer, event: h11.Request) -> Request:
    """A request whose head has come, with its content if that is not large. Raises h11.RemoteProtocolError."""
    request = Request(event.method, event.target, passed_on(event.headers))
    if not value_of(request.headers, b"host"):  # a client of HTTP/1.0; what goes on is HTTP/1.1
        request.headers.append((b"host", b"front-door"))
    length = value_of(request.headers, b"content-length")
    request.rest = bool(value_of(request.headers, b"transfer-encoding")) or int(length or 0) > LARGEST_READ
    request.upgrade = next((value for name, value in event.headers if name == b"upgrade"), b"")
    if client.http.they_are_waiting_for_100_continue:
        await client.send(h11.InformationalResponse(status_code=100, headers=[]))
        request.headers = without(request.headers, b"expect")
    if not request.rest:
        request.content = await _content(client)
    if request.content[:1] == b"{":
        with suppress(ValueError):
            request.payload = json.loads(request.content)
    return request


@dataclass(slots=True)
class Exchange:
    """A client's request to one tenant, and what is done with it. `cached` has answers that faults give again."""

    client: Peer
    request: Request
    tenant: str
    route: Route
    dialect: TrafficDialect
    cached: dict[str, KeptAnswer]

    def as_asked(self) -> ProxiedRequest:
        """The request as rules and the dialect see it."""
        method, path, payload = self.request.method.decode("ascii"), self.request.path, self.request.payload
        return ProxiedRequest(self.tenant, method, path, payload, self.dialect.procedure(method, path, payload))

    async def serve(self, asked: ProxiedRequest, fault: NetworkFault | None, tenants: frozenset[str]) -> None:
        """Answers the request; raises Gone where a fault, or the ERP, ends the connection."""
        if await self._refused(asked, fault, tenants):
            return
        keep = None
        if fault:
            if fault.delay:
                await asyncio.sleep(fault.delay)
            if await self._remembered(fault) or await self._instead(fault):
                return
            if fault.replace:
                self._put(json.dumps(faults.replaced(self.request.payload, fault.replace)).encode())
            if fault.cache == self.tenant or fault.stale:
                keep = self.cached.setdefault(self._question(), KeptAnswer(fault))
        host = self.dialect.host(self.tenant).encode("ascii")
        if host:
            self.request.headers = [(b"host", host), *without(self.request.headers, b"host")]
        await self._pass_on(asked, fault, keep)

    async def _refused(self, asked: ProxiedRequest, fault: NetworkFault | None, tenants: frozenset[str]) -> bool:
        """Answers what is not for the ERP's server; else makes the request's path what that is to see."""
        if not self.route.open:
            await self.answer(503, b"This tenant is under maintenance.", TEXT, ("retry-after", "1"))
            return True
        if fault and (fault.status is not None or fault.answer is not None):
            return False
        if not (fault and fault.crossing):
            passed = self.dialect.passed(asked, tenants)
            if not isinstance(passed, str):
                await self.answer(passed.status, passed.content, passed.content_type)
                return True
            if passed != asked.path:
                self.request.lead_to(passed)
        own = self.dialect.own_answer(asked, self.route.series)
        if own:
            await self.answer(own.status, own.content, own.content_type)
        return own is not None

    async def answer(self, status: int, content: bytes, content_type: str, *headers: tuple[str, str]) -> None:
        """Writes a whole answer of the front door's own."""
        reason = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Fault"
        first = [("content-type", content_type), ("content-length", str(len(content))), *headers]
        await self._send(h11.Response(status_code=status, headers=first, reason=reason), content)

    async def _send(self, head: h11.Response, content: bytes) -> None:
        body = [h11.Data(data=content)] if content and self.request.method != b"HEAD" else []
        await self.client.send(head, *body, h11.EndOfMessage())

    # --- answers that faults give instead of the ERP's ------------------------------------------------------------

    async def _remembered(self, fault: NetworkFault) -> bool:
        """Gives an earlier answer to the same question, or another tenant's, where a fault gives it away."""
        kept = self.cached.get(self._question())
        if not kept or not kept.head or not (fault.stale or (fault.cache and fault.cache != self.tenant)):
            return False
        if fault.stale:  # under the number of the present call
            answer = json.loads(kept.content) | {"id": self.request.payload["id"]}
            await self.answer(200, json.dumps(answer).encode(), JSON)
        else:
            await self._send(kept.head, bytes(kept.content))
        return True

    async def _instead(self, fault: NetworkFault) -> bool:
        """Gives what a fault puts in place of the ERP's answer, if it does."""
        if fault.close == "before":
            raise Gone
        if fault.serve:
            await self.answer(200, fault.serve.encode(), "application/javascript")
        elif fault.status is not None:
            await self.answer(fault.status, fault.text.encode(), TEXT)
        elif fault.answer is not None:
            number = self.request.payload.get("id") if isinstance(self.request.payload, dict) else None
            await self.answer(200, json.dumps({"id": number, "result": fault.answer}).encode(), JSON)
        elif fault.garbage:
            await self.answer(200, b'{"id": 1, "result": [{"name": \x00\xff<', JSON)
        else:
            return False
        return True

    def _question(self) -> str:
        """What is asked, whoever asks it."""
        call = self.request.payload if isinstance(self.request.payload, dict) else {}
        return json.dumps([call.get("method"), call.get("params")], sort_keys=True)

    # --- the ERP's answer -----------------------------------------------------------------------------------------

    def _put(self, content: bytes) -> None:
        """Another content for the request."""
        request = self.request
        request.content = content
        request.headers = [*without(request.headers, b"content-length"), (b"content-length", b"%d" % len(content))]

    async def _pass_on(self, asked: ProxiedRequest, fault: NetworkFault | None, keep: KeptAnswer | None = None) -> None:
        try:
            server = await connect(self.route.address)
        except OSError:
            await self.answer(502, b"The ERP's server does not accept connections.", TEXT)
            return
        try:
            await self._forward(server)
            head = await _head(server)
            if isinstance(head, h11.InformationalResponse):
                await self.client.send(head)
                await tunnel(self.client, server)
                raise Gone
            if head and fault and fault.lend and head.status_code == 401 and not self.request.rest:
                lent = await self._signed_in(asked, *fault.lend)
                self.request.headers = [*without(self.request.headers, b"authorization", b"cookie"), *lent]
                await self._pass_on(asked, None)
            else:
                await self._return(head, server, fault, keep)
        finally:
            server.close()

    async def _forward(self, server: Peer) -> None:
        """Sends the request to the ERP's server, to its end."""
        request = self.request
        last = [(b"connection", b"upgrade"), (b"upgrade", request.upgrade)] if request.upgrade else []
        headers = [*request.headers, *(last or [(b"connection", b"close")])]
        head = h11.Request(method=request.method, target=request.target, headers=headers)
        if not request.rest:
            body = [h11.Data(data=request.content)] if request.content else []
            await server.send(head, *body, h11.EndOfMessage())
            return
        await server.send(head)
        while True:
            event = await self.client.receive()
            await server.send(event)
            if isinstance(event, h11.EndOfMessage):
                return

    async def _return(
        self, head: h11.Response | None, server: Peer, fault: NetworkFault | None, keep: KeptAnswer | None
    ) -> None:
        """Passes the ERP's answer on as it comes; `keep` gets a copy."""
        if head is None:
            await self.answer(502, b"The ERP's server closed the connection without an answer.", TEXT)
            return
        if fault and fault.close == "after":
            raise Gone
        headers = passed_on(head.headers)
        head = h11.Response(status_code=head.status_code, headers=headers, reason=head.reason)
        if head.status_code != 200:
            keep = None  # a refusal does not displace the answer that is kept
        if keep is not None:
            keep.head, keep.content = head, bytearray()
        left = _cut(fault, value_of(headers, b"content-length"))
        unsent: list[h11.Event] = [head]  # goes with what comes first, for each write costs
        while True:
            event = await server.receive()
            if isinstance(event, h11.Data):
                if keep is not None:
                    keep.content += event.data
                if left is not None:
                    event, left = h11.Data(data=bytes(event.data[:left])), left - min(left, len(event.data))
            await self.client.send(*unsent, event)
            unsent = []
            if left == 0:
                raise Gone
            if isinstance(event, h11.EndOfMessage):
                return

    async def _signed_in(self, asked: ProxiedRequest, login: str, password: str) -> Headers:
        """The headers by which the ERP knows a user who has signed in."""
        call = self.dialect.sign_in(asked, login, password)
        content = json.dumps(call.payload).encode()
        server = await connect(self.route.address)
        try:
            headers = [
                ("host", self.dialect.host(self.tenant) or "front-door"),
                ("content-type", JSON),
                ("content-length", str(len(content))),
            ]
            head = h11.Request(method="POST", target=call.path, headers=headers)
            await server.send(head, h11.Data(data=content), h11.EndOfMessage())
            answered = await _head(server)
            if answered is None:
                raise Gone
            answer = json.loads(await _content(server))
        finally:
            server.close()
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in answered.headers}
        found = self.dialect.credentials(login, answer, given)
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in found.items()]


async def _content(peer: Peer) -> bytes:
    """What is left of a message's body."""
    blocks = []
    while isinstance(event := await peer.receive(), h11.Data):
        blocks.append(event.data)
    return b"".join(blocks)


async def _head(server: Peer) -> h11.Response | h11.InformationalResponse | None:
    """The head of the ERP's answer, informational only if it changes the protocol; None if none came."""
    try:
        while True:
            event = await server.receive()
            if isinstance(event, h11.Response) or getattr(event, "status_code", 0) == 101:
                assert isinstance(event, h11.Response | h11.InformationalResponse)
                return event
    except (h11.RemoteProtocolError, Gone, ConnectionError):
        return None


def _cut(fault: NetworkFault | None, length: bytes) -> int | None:
    """After how many bytes of the answer's content the connection ends, None if it does not."""
    if fault is None or fault.truncate is None:
        return None
    return min(fault.truncate, max(int(length) - 1, 0)) if length else fault.truncate
