"""A server as its tests need it: with a clock that is set by hand and a gate that says what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from starlette.applications import Starlette

from ringgate.inventory import Inventory, InventoryError
from ringgate.metrics import Recent, StoreFollower
from ringgate.store import Store
from ringgate.web import GateJudgement, LiveState, RefreshIntervals, Server, collector_of
from tests.unit.metrics.test_metrics import NOON
from tests.unit.report.sample import four_tenants


class Client:
    """Asks an application without a network between."""

    def __init__(self, app: Starlette, headers: dict[str, str | bytes]) -> None:
        self._app, self._headers = app, headers

    def get(self, path: str, **more) -> httpx.Response:
        return self._ask("GET", path, **more)

    def post(self, path: str, **more) -> httpx.Response:
        return self._ask("POST", path, **more)

    def _ask(self, method: str, path: str, **more) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1", headers=self._headers
            ) as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())


class World:
    """A server with a clock that is set by hand, a real store, and a gate that says what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.now = NOON + timedelta(minutes=10)
        self.url = f"sqlite:///{folder}/results.sqlite"
        self.store = Store(self.url, clock=lambda: self.now)
        self.told: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.judge: Callable[[str, str, datetime], GateJudgement] = self.passing
        self.inventory = Inventory(Path("tenants"), tuple(four_tenants()), ("canary", "early", "broad"), {})
        self.spoilt = False
        self.board = LiveState(
            StoreFollower(self.store, Recent(), clock=lambda: self.now),
            self._load,
            self._judged,
            self.told.append,
            RefreshIntervals(answer=0.2),
            clock=lambda: self.now,
        )

    def _load(self) -> Inventory:
        if self.spoilt:
            raise InventoryError([])
        return self.inventory

    def passing(self, ring: str, release: str, now: datetime) -> GateJudgement:
        return GateJudgement(ring, release, "pass", "promote", now, ("the evidence is in",), evidence={"failures": 0.4})

    def _judged(self, ring: str, release: str, now: datetime) -> GateJudgement:
        self.asked.append((ring, release))
        return self.judge(ring, release, now)

    def says(self, verdict: str, action: str, *reasons: str) -> None:
        self.judge = lambda ring, release, now: GateJudgement(ring, release, verdict, action, now, reasons)

    def turn(self) -> None:
        """What the threads do once."""
        self.board.follow()
        self.board.judge()

    def client(self, token: str = "", headers: dict[str, str | bytes] | None = None) -> Client:
        return Client(Server(self.board, collector_of(self.board)).app(token), headers or {})
