"""An estate's servers: one of the ERP for each series that is in use, and the front door before them all."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringgate.estate import ports
from ringgate.estate.frontdoor import FaultControl, Route, Routes, tls
from ringgate.estate.postgres import Cluster
from ringgate.estate.processes import Daemon, answers
from ringgate.estate.protocol import ErpServer, EstateKind, ServerPlace
from ringgate.estate.record import EstateRecord, Place
from ringgate.estate.tools import Tools
from ringgate.host import paths


@dataclass(frozen=True, slots=True)
class Serving:
    """What runs for the estate in `folder`, whose ports begin at `port_base`."""

    kind: EstateKind
    folder: Path
    port_base: int

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def door(self) -> Daemon:
        return Daemon("front door", self.run / "front-door.pid", self.logs / "front-door.log")

    @property
    def faults(self) -> FaultControl:
        return FaultControl(self.run, self.logs)

    def server(self, series: str) -> ErpServer:
        cluster = Cluster(Path(), self.folder / "pg", self.run / "pg", self.logs)
        place = ServerPlace(
            series=series,
            folder=self.run,
            files=self.folder / self.kind.files,
            log=self.logs / f"erp-{series}.log",
            port=ports.server(self.port_base, self.kind.series.index(series)),
            cluster=cluster.sockets,
            database_uri=cluster.url(),
        )
        return self.kind.server(Tools(paths.tools()), place)

    @property
    def servers(self) -> list[ErpServer]:
        """Of every series, whether or not they run."""
        return [self.server(series) for series in self.kind.series]

    def start(self, record: EstateRecord, series: str) -> bool:
        """Makes the server of a series run with its tenants loaded. Says whether it did already.

        One that runs takes up further tenants without leaving requests unanswered.
        """
        server, databases = self.server(series), record.served_from(series)
        if server.serves(databases):
            return True
        if server.running:
            server.load(databases)
            return False
        self.check_ports([server.port])
        server.start(databases)
        return False

    def open_door(self, record: EstateRecord, closed: Collection[str] = ()) -> bool:
        """Makes the front door run and lead to each tenant. Says whether nothing had to be done."""
        listening = [place.port + beside for place in record.tenants.values() for beside in (0, ports.SECURE)]
        command = [sys.executable, "-m", "ringgate.estate.frontdoor", str(self.run), str(self.logs), self.kind.dialect]
        process = self.door.process()
        if process and process.cmdline()[1:] != command[1:]:  # it was started by another version of ours
            self.door.stop()
        ran, before = self.door.running, self._listening()
        self.check_ports(listening)
        tls.prepare(self.run)
        if not ran:
            self.faults.clear()
        self.routes(record, closed)
        if not ran:
            self.door.start(command, env=ports.environment(), cwd=self.folder)
        self.door.await_ready(lambda: all(map(answers, listening)), within=20)
        return ran and sorted(before) == sorted(listening)

    def routes(self, record: EstateRecord, closed: Collection[str] = ()) -> None:
        """Tells the front door where each tenant is. Closed ones, and those under maintenance, answer 503."""

        def route(name: str, place: Place) -> Route:
            backend = self.server(place.series).url.removeprefix("http://")
            opened = name not in closed and place.upgrade is None
            secure = place.port + ports.SECURE
            return Route(port=place.port, backend=backend, secure=secure, series=place.series, open=opened)

        Routes(tenants={name: route(name, place) for name, place in record.tenants.items()}).write(self.run)

    def stop(self) -> None:
        self.door.stop()
        for server in self.servers:
            server.stop()

    def _listening(self) -> list[int]:
        """The ports that the front door was last told to listen on."""
        return [port for route in Routes.read(self.run).tenants.values() for port in (route.port, route.secure) if port]

    def check_ports(self, wanted: Sequence[int]) -> None:
        """A port that this estate's own running servers hold is not taken by somebody else."""
        own = {server.port for server in self.servers if server.running}
        if self.door.running:
            own |= set(self._listening())
        ports.check([port for port in wanted if port not in own], self.folder, self.port_base)
