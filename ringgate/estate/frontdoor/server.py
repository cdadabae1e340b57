"""The front door's process: accepts on every tenant's port, and picks the fault that is ordered for each request."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import h11

from ringgate.estate.frontdoor import faults, routes, tls
from ringgate.estate.frontdoor.connection import BLOCK, Gone, Peer, Streams
from ringgate.estate.frontdoor.dialect import TrafficDialect, load_dialect
from ringgate.estate.frontdoor.exchange import Exchange, KeptAnswer, read
from ringgate.estate.frontdoor.routes import Followed

LOOK_EVERY = 0.1
"""Seconds between looks for new ports; everything else is looked up at each request."""

GRACE = 5.0
"""Seconds that requests under way have to finish when the front door is closed."""


class FrontDoor:
    """Serves the tenants of one estate. `run` holds routes and faults, `logs` takes what was done to requests."""

    def __init__(self, run: Path, logs: Path, dialect: TrafficDialect) -> None:
        self.run = run
        self.dialect = dialect
        self.routes = Followed(run / routes.FILE, routes.Routes)
        self.faults = Followed(run / faults.FILE, faults.FaultFile)
        self.injector = faults.Injector(logs / faults.LOG)
        self.cached: dict[str, KeptAnswer] = {}
        self.generation = ""
        self.listening: dict[int, tuple[str, asyncio.Server]] = {}
        self.visits: set[asyncio.Task[None]] = set()
        self.idle: set[asyncio.Task[None]] = set()

    async def serve(self, stop: asyncio.Event) -> None:
        """Serves until it is told to stop, opening and closing ports as the routes change."""
        while not stop.is_set():
            await self._follow()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY)
        for _, server in self.listening.values():
            server.close()
        # Clients that keep an idle connection open would be waited for in vain.
        busy = self.visits - self.idle
        if busy:
            await asyncio.wait(busy, timeout=GRACE)
        for visit in self.visits:
            visit.cancel()
        await asyncio.gather(*self.visits, return_exceptions=True)

    async def _follow(self) -> None:
        known = self.routes.get().tenants
        wanted = {port: tenant for tenant, route in known.items() for port in (route.port, route.secure) if port}
        for port, (tenant, server) in list(self.listening.items()):
            if wanted.get(port) != tenant:
                server.close()
                del self.listening[port]
        for port, tenant in wanted.items():
            if port not in self.listening:
                try:
                    server = await self._open(tenant, port, secure=port == known[tenant].secure)
                except OSError as problem:
                    print(f"port {port} of {tenant}: {problem}", flush=True)
                    continue
                self.listening[port] = (tenant, server)

    async def _open(self, tenant: str, port: int, *, secure: bool) -> asyncio.Server:
        async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self.visits.add(task)
            try:
                await self._visit(tenant, Peer(h11.SERVER, Streams(reader, writer)), task)
            except (ConnectionError, Gone, h11.RemoteProtocolError):
                pass
            except h11.LocalProtocolError as problem:  # what one side said cannot be passed on to the other
                print(f"{tenant}: {problem}", flush=True)
            finally:
                self.visits.discard(task)
                self.idle.discard(task)
                writer.close()

        context = tls.context(self.run, lambda: self._certificate(tenant)) if secure else None
        return await asyncio.start_server(visit, tls.HOST, port, limit=BLOCK, backlog=256, ssl=context)

    def _certificate(self, tenant: str) -> str:
        """Which certificate is shown to who comes to this tenant by TLS now."""
        ordered = (rule for rule in self.faults.get().rules if rule.certificate and rule.tenant in ("", tenant))
        return next((rule.certificate or tls.VALID for rule in ordered), tls.VALID)

    async def _visit(self, tenant: str, client: Peer, task: asyncio.Task[None]) -> None:
        """All requests of one client connection, one after the other."""
        while True:
            self.idle.add(task)
            try:
                head = await client.receive()
                self.idle.discard(task)
                assert isinstance(head, h11.Request)
                request = await read(client, head)
            except h11.RemoteProtocolError as problem:
                await _refuse(client, problem)
                return
            known = self.routes.get().tenants
            if tenant not in known:
                return
            exchange = Exchange(client, request, tenant, known[tenant], self.dialect, self.cached)
            asked, fault = exchange.as_asked(), None
            if exchange.route.open:
                file = self.faults.get()
                if file.generation != self.generation:
                    self.generation = file.generation
                    for question in [name for name, kept in self.cached.items() if kept.fault not in file.rules]:
                        del self.cached[question]
                fault = self.injector.pick(file, asked)
            await exchange.serve(asked, fault, frozenset(known))
            if client.http.our_state is not h11.DONE or client.http.their_state is not h11.DONE:
                return
            client.http.start_next_cycle()


async def _refuse(client: Peer, problem: h11.RemoteProtocolError) -> None:
    """Answers what is not HTTP, if it can be answered."""
    if client.http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    content = str(problem).encode()
    headers = [("content-type", "text/plain"), ("content-length", str(len(content))), ("connection", "close")]
    head = h11.Response(status_code=problem.error_status_hint, headers=headers, reason="Bad Request")
    await client.send(head, h11.Data(data=content), h11.EndOfMessage())


def main(run: str, logs: str, dialect: str) -> int:
    """The process itself: `python -m ringgate.estate.frontdoor <run folder> <log folder> <dialect>`."""

    async def serve() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await FrontDoor(Path(run), Path(logs), load_dialect(dialect)).serve(stop)

    asyncio.run(serve())
    return 0
