"""The front door's process: accepts on every tenant's port, applies the fault that is ordered, passes the rest on.

Each request takes a connection of its own to the ERP's server: on one machine that costs a tenth of a millisecond, it
lets the idle worker take the request, and no connection can turn out to be stale.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringgate.estate.frontdoor import faults, routes, tls, wire
from ringgate.estate.frontdoor.dialect import ProxiedRequest, TrafficDialect, load_dialect
from ringgate.estate.frontdoor.faults import NetworkFault
from ringgate.estate.frontdoor.routes import Followed, Route
from ringgate.estate.frontdoor.wire import Head

LOOK_EVERY = 0.1
"""Seconds between looks for new ports; everything else is looked up at each request."""

LARGEST_READ = 1024 * 1024
"""Bytes of a request that are read before it is passed on, so that rules can see it. Larger ones are streamed."""

LAST_WORDS = 5.0
"""Seconds that requests under way have to finish when the front door is closed."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Gone(Exception):
    """The connection is at an end: nothing more can be said on it."""


@dataclass(slots=True)
class Request:
    """A request, read as far as it was. `rest` says whether the body is still to be streamed."""

    head: Head
    content: bytes
    rest: bool
    payload: Any = None

    @property
    def method(self) -> str:
        return self.head.first[0]

    @property
    def path(self) -> str:
        return self.head.first[1].partition("?")[0]

    @path.setter
    def path(self, path: str) -> None:
        method, target, version = self.head.first
        _, mark, query = target.partition("?")
        self.head.first = (method, path + mark + query, version)


class FrontDoor:
    """Serves the tenants of one estate. `run` holds routes and faults, `logs` takes what was done to requests."""

    def __init__(self, run: Path, logs: Path, dialect: TrafficDialect) -> None:
        self.run = run
        self.dialect = dialect
        self.routes = Followed(run / routes.FILE, routes.Routes)
        self.faults = Followed(run / faults.FILE, faults.FaultFile)
        self.injector = faults.Injector(logs / faults.LOG)
        self.cached: dict[str, list[bytes]] = {}
        self.generation = ""
        self.doors: dict[int, tuple[str, asyncio.Server]] = {}
        self.visits: set[asyncio.Task[None]] = set()
        self.idle: set[asyncio.Task[None]] = set()

    async def serve(self, stop: asyncio.Event) -> None:
        """Serves until it is told to stop, opening and closing ports as the routes change."""
        while not stop.is_set():
            await self._follow()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY)
        for _, server in self.doors.values():
            server.close()
        # Clients that keep an idle connection open would be waited for in vain.
        busy = self.visits - self.idle
        if busy:
            await asyncio.wait(busy, timeout=LAST_WORDS)
        for visit in self.visits:
            visit.cancel()
        await asyncio.gather(*self.visits, return_exceptions=True)

    async def _follow(self) -> None:
        known = self.routes.get().tenants
        wanted = {port: tenant for tenant, route in known.items() for port in (route.port, route.secure) if port}
        for port, (tenant, server) in list(self.doors.items()):
            if wanted.get(port) != tenant:
                server.close()
                del self.doors[port]
        for port, tenant in wanted.items():
            if port not in self.doors:
                try:
                    server = await self._open(tenant, port, secure=port == known[tenant].secure)
                except OSError as problem:
                    print(f"port {port} of {tenant}: {problem}", flush=True)
                    continue
                self.doors[port] = (tenant, server)

    async def _open(self, tenant: str, port: int, *, secure: bool) -> asyncio.Server:
        async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self.visits.add(task)
            try:
                await self._visit(tenant, reader, writer, task)
            except (ConnectionError, Gone, asyncio.IncompleteReadError):
                pass
            finally:
                self.visits.discard(task)
                self.idle.discard(task)
                writer.close()

        context = tls.context(self.run, lambda: self._certificate(tenant)) if secure else None
        return await asyncio.start_server(visit, tls.HOST, port, limit=wire.LARGEST_HEAD, backlog=256, ssl=context)

    def _certificate(self, tenant: str) -> str:
        """Which certificate is shown to who comes to this tenant by TLS now."""
        ordered = (rule for rule in self.faults.get().rules if rule.certificate and rule.tenant in ("", tenant))
        return next((rule.certificate or tls.VALID for rule in ordered), tls.VALID)

    async def _visit(
        self, tenant: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None]
    ) -> None:
        """All requests of one client connection, one after the other."""
        while True:
            self.idle.add(task)
            try:
                head = await wire.read_head(reader)
            except wire.BadMessage as problem:
                writer.write(wire.answer(400, str(problem).encode(), "text/plain", "connection: close"))
                return
            finally:
                self.idle.discard(task)
            route = self.routes.get().tenants.get(tenant)
            if head is None or route is None:
                return
            request = await _receive(head, reader, writer)
            client = (reader, writer)
            if not await self._serve(tenant, route, request, client) or not head.keeps_alive:
                return

    async def _serve(self, tenant: str, route: Route, request: Request, client: Streams) -> bool:
        """Answers one request; says whether the client's connection can take another."""
        called = self.dialect.procedure(request.method, request.path, request.payload)
        asked = ProxiedRequest(tenant, request.method, request.path, request.payload, called)
        fault = None
        if route.open:
            file = self.faults.get()
            if file.generation != self.generation:
                self.generation, self.cached = file.generation, {}
            fault = self.injector.pick(file, asked)
        refusal = self._refusal(asked, route, request, fault)
        if refusal:
            client[1].write(refusal)
            await client[1].drain()
            return not request.rest
        if fault:
            if fault.delay:
                await asyncio.sleep(fault.delay)
            instead = self._remembered(tenant, request, fault) or _instead(fault, request)
            if instead is not None:
                client[1].write(instead)
                await client[1].drain()
                return bool(instead) and not request.rest
            if fault.replace:
                request.content = json.dumps(faults.replaced(request.payload, fault.replace)).encode()
        keeps = fault is not None and (fault.cache == tenant or fault.stale)
        keep = self.cached.setdefault(_key(request), []) if keeps else None
        host = self.dialect.host(tenant)
        if host:
            request.head.headers = [("host", host), *(pair for pair in request.head.headers if pair[0] != "host")]
        return await self._pass_on(asked, route, request, client, fault, keep)

    def _remembered(self, tenant: str, request: Request, fault: NetworkFault) -> bytes | None:
        """An earlier answer to the same question, or another tenant's, where a fault gives it away."""
        if not fault.stale and (not fault.cache or fault.cache == tenant):
            return None
        kept = b"".join(self.cached.get(_key(request), ()))
        return _answered_again(kept, request) if kept and fault.stale else kept or None

    def _refusal(
        self, asked: ProxiedRequest, route: Route, request: Request, fault: NetworkFault | None
    ) -> bytes | None:
        """What the front door answers by itself, if anything; the request's path is made what the server is to see."""
        if not route.open:
            return wire.answer(503, b"This tenant is under maintenance.", "text/plain", "retry-after: 1")
        if fault and (fault.status is not None or fault.answer is not None):
            return None
        if not (fault and fault.crossing):
            passed = self.dialect.passed(asked, self.routes.get().tenants)
            if not isinstance(passed, str):
                return wire.answer(passed.status, passed.content, passed.content_type)
            if passed != request.path:
                request.path = passed
        own = self.dialect.own_answer(asked, route.series)
        return wire.answer(own.status, own.content, own.content_type) if own else None

    async def _pass_on(
        self,
        asked: ProxiedRequest,
        route: Route,
        request: Request,
        client: Streams,
        fault: NetworkFault | None,
        keep: list[bytes] | None = None,
    ) -> bool:
        try:
            server = await asyncio.open_connection(*route.address, limit=wire.LARGEST_HEAD)
        except OSError:
            client[1].write(wire.answer(502, b"The ERP's server does not accept connections.", "text/plain"))
            await client[1].drain()
            return not request.rest
        try:
            if request.head.get("upgrade"):
                await _tunnel(request, client, server)
                return False
            await _send(request, client[0], server[1])
            head = await _head(server[0])
            if head and fault and fault.lend and head.first[1] == "401" and not request.rest:
                lent = await _signed_in(self.dialect, asked, route, *fault.lend)
                headers = [pair for pair in request.head.headers if pair[0] not in ("authorization", "cookie")]
                request.head.headers = [*headers, *lent.items()]
                return await self._pass_on(asked, route, request, client, None)
            return await _answer(request, head, client[1], server[0], fault, keep)
        finally:
            server[1].close()


async def _receive(head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
    if head.get("expect").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        head.headers = [pair for pair in head.headers if pair[0] != "expect"]
    length = head.length or 0
    rest = head.chunked or length > LARGEST_READ
    content = b"" if rest else await reader.readexactly(length)
    payload = None
    if content[:1] == b"{":
        with suppress(ValueError):
            payload = json.loads(content)
    return Request(head, content, rest, payload)


def _key(request: Request) -> str:
    """What is asked, whoever asks it."""
    call = request.payload if isinstance(request.payload, dict) else {}
    return json.dumps([call.get("method"), call.get("params")], sort_keys=True)


def _answered_again(kept: bytes, request: Request) -> bytes:
    """An answer as it was kept, under the number of the present call."""
    answer = json.loads(kept.partition(b"\r\n\r\n")[2]) | {"id": request.payload["id"]}
    return wire.answer(200, json.dumps(answer).encode(), "application/json")


def _instead(fault: NetworkFault, request: Request) -> bytes | None:
    """What a fault puts in place of the ERP's answer: None nothing, b"" silence and the connection's end."""
    if fault.serve:
        return wire.answer(200, fault.serve.encode(), "application/javascript")
    if fault.status is not None:
        return wire.answer(fault.status, fault.text.encode(), "text/plain")
    if fault.answer is not None:
        number = request.payload.get("id") if isinstance(request.payload, dict) else None
        return wire.answer(200, json.dumps({"id": number, "result": fault.answer}).encode(), "application/json")
    if fault.garbage:
        return wire.answer(200, b'{"id": 1, "result": [{"name": \x00\xff<', "application/json")
    return b"" if fault.close == "before" else None


async def _send(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = request.head
    if not request.rest and head.length not in (None, len(request.content)):
        head = Head(head.first, [pair for pair in head.headers if pair[0] != "content-length"])
        head.headers.append(("content-length", str(len(request.content))))
    writer.write(head.encode(("connection", "close")) + request.content)
    if request.rest:
        async for block in wire.body(reader, head, to_the_end=False):
            writer.write(block)
            await writer.drain()
    await writer.drain()


async def _head(server: asyncio.StreamReader) -> Head | None:
    """The head of the ERP's answer, None if none came."""
    try:
        return await wire.read_head(server)
    except (wire.BadMessage, ConnectionError):
        return None


async def _signed_in(
    dialect: TrafficDialect, asked: ProxiedRequest, route: Route, login: str, password: str
) -> Mapping[str, str]:
    """The headers by which the ERP knows a user who has signed in."""
    call = dialect.sign_in(asked, login, password)
    content = json.dumps(call.payload).encode()
    reader, writer = await asyncio.open_connection(*route.address, limit=wire.LARGEST_HEAD)
    try:
        host = dialect.host(asked.tenant) or "front-door"
        head = Head(("POST", call.path, "HTTP/1.1"), [("host", host), ("content-type", "application/json")])
        head.headers.append(("content-length", str(len(content))))
        await _send(Request(head, content, rest=False), reader, writer)
        answered = await wire.read_head(reader)
        if answered is None:
            raise Gone
        answer = json.loads(await reader.readexactly(answered.length or 0))
    finally:
        writer.close()
    return dialect.credentials(login, answer, dict(answered.headers))


async def _answer(
    request: Request,
    head: Head | None,
    client: asyncio.StreamWriter,
    server: asyncio.StreamReader,
    fault: NetworkFault | None,
    keep: list[bytes] | None,
) -> bool:
    """Passes the ERP's answer on; says whether the client's connection can take another request. `keep` gets a copy."""
    if head is None:
        client.write(wire.answer(502, b"The ERP's server closed the connection without an answer.", "text/plain"))
        await client.drain()
        return True
    if fault and fault.close == "after":
        raise Gone
    bodiless = request.method == "HEAD" or head.first[1] in ("204", "304")
    ends_with_connection = not bodiless and not head.chunked and head.length is None
    first = head.encode(("connection", "close" if ends_with_connection else "keep-alive"))
    client.write(first)
    if keep is not None and head.first[1] == "200":
        keep[:] = [first]
    else:
        keep = None
    if not bodiless:
        left = None if not fault or fault.truncate is None else min(fault.truncate, max((head.length or 2**62) - 1, 0))
        async for block in wire.body(server, head, ends_with_connection):
            client.write(block if left is None else block[:left])
            if keep is not None:
                keep.append(block)
            await client.drain()
            if left is not None:
                left -= min(left, len(block))
                if not left:
                    raise Gone
    await client.drain()
    return not ends_with_connection


async def _tunnel(request: Request, client: Streams, server: Streams) -> None:
    """After an upgrade (WebSocket) bytes go both ways until one side closes."""
    head = request.head
    upgrade = [("connection", "upgrade"), ("upgrade", head.get("upgrade"))]
    server[1].write(head.encode(*upgrade) + request.content)

    async def pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while block := await source.read(wire.BLOCK):
            target.write(block)
            await target.drain()

    ways = [asyncio.create_task(pipe(client[0], server[1])), asyncio.create_task(pipe(server[0], client[1]))]
    _, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in left:
        way.cancel()
    await asyncio.gather(*ways, return_exceptions=True)


def main(run: str, logs: str, dialect: str) -> int:
    """The process itself: `python -m ringgate.estate.frontdoor <run folder> <log folder> <dialect>`."""

    async def serve() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await FrontDoor(Path(run), Path(logs), load_dialect(dialect)).serve(stop)

    asyncio.run(serve())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
