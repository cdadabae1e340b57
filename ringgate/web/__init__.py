"""`ringgate serve`: metrics, verdicts, Flagger's hooks, health, and a page that a release manager can leave open.

    with serving(inventory, store, judge, tell=print) as board:
        serve(Server(board, collector_of(board)).app(token), "127.0.0.1", 9797, said=print)

All of it is read from the store of results and the inventory; see `app` for the paths.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Tenant
from ringgate.host.secrets import RedactingFilter
from ringgate.inventory import Inventory, default_path
from ringgate.metrics import HORIZON, Recent, StoreCollector, StoreFollower
from ringgate.metrics.families import Horizons
from ringgate.store import Store
from ringgate.web.app import Server
from ringgate.web.board import LiveState, RefreshIntervals
from ringgate.web.judging import GateJudgement, VerdictSource, inconclusive
from ringgate.web.schedule import Schedule

__all__ = [
    "GateJudgement",
    "LiveState",
    "RefreshIntervals",
    "Reloading",
    "Schedule",
    "Server",
    "VerdictSource",
    "collector_of",
    "inconclusive",
    "serve",
    "serving",
]

GRACE = 5
"""Seconds that answers under way are given when the server is to stop."""


class Reloading:
    """The inventory, read again when a file of it was changed."""

    def __init__(self, path: Path | None = None) -> None:
        self._path, self._seen = path, ""
        self._inventory: Inventory | None = None

    def __call__(self) -> Inventory:
        """Raises InventoryError, again and again until it is repaired."""
        files = sorted((self._path or default_path()).rglob("*.toml"))
        stats = ((each, each.stat()) for each in files)
        seen = "\n".join(f"{each} {stat.st_mtime_ns} {stat.st_size}" for each, stat in stats)
        if self._inventory is None or seen != self._seen:
            self._inventory = None
            self._inventory = Inventory.load(self._path)
            self._seen = seen
        return self._inventory


@contextmanager
def serving(
    load: Callable[[], Inventory],
    store: Store,
    judge: VerdictSource,
    tell: Callable[[str], None],
    pace: RefreshIntervals | None = None,
) -> Iterator[LiveState]:
    """A board whose threads run until the block ends; what they added up is kept then."""
    board = LiveState(StoreFollower(store, Recent()), load, judge, tell, pace)
    board.start()
    try:
        yield board
    finally:
        board.stop()


def collector_of(
    board: LiveState, horizons: Horizons = lambda now: None, horizon: timedelta = HORIZON
) -> StoreCollector:
    """What /metrics tells of a board."""

    def tenants() -> tuple[Tenant, ...]:
        return board.inventory.tenants

    patience = timedelta(seconds=board.pace.store_patience)
    return StoreCollector(
        board.follower, tenants, horizons, board.judgements, horizon, patience=patience, clock=board.clock
    )


def serve(app: ASGIApp, host: str, port: int, said: Callable[[str], None]) -> None:
    """Answers until SIGTERM or SIGINT. `said` is told the address first. Raises RinggateError if it cannot be had."""
    listener = _listener(host, port)
    shown = f"[{host}]" if ":" in host else host
    said(f"http://{shown}:{listener.getsockname()[1]}")
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # a query may hold what nobody should read later
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE,
    )
    _redact_logs()
    # uvicorn raises the signal once more when it has ended; then it must not end what comes after.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)
        raise RinggateError(f"{host}:{port} cannot be listened on ({why}): choose another") from None


def _redact_logs() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(logging.Formatter("ringgate: %(message)s"))
    logger = logging.getLogger("uvicorn")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.WARNING)
