"""Where a process waits: seconds that each thread spends on the ERP, its database, its programs, or a browser.

    waits = Waits()
    with waits.watched():
        began = waits.of_this_thread()
        ...
        waits.of_this_thread() - began       # Counter({"HTTP": 3.1, "database": 0.2})

What is wrapped is the innermost call that blocks: reading from a socket, not the HTTP client around it. So what our own
side does with questions and answers stays ours. A browser is the exception: the whole call counts, because the page
works meanwhile; what that hides of our own shows in the processor time.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import httpcore._backends.sync as network
import psutil
import psycopg
from playwright._impl._sync_base import SyncBase

BLOCKING: tuple[tuple[str, Any, str], ...] = (
    ("HTTP", network.SyncStream, "read"),
    ("HTTP", network.SyncBackend, "connect_tcp"),
    ("database", psycopg.Connection, "connect"),
    ("database", psycopg.Cursor, "execute"),
    ("programs", subprocess.Popen, "wait"),
    ("programs", subprocess.Popen, "communicate"),
    ("programs", psutil, "wait_procs"),
    ("browser", SyncBase, "_sync"),
    ("until ready", time, "sleep"),
    ("threads", futures, "wait"),
    ("threads", futures.Future, "result"),
)
"""Kind of wait, and what blocks. `until ready`: asking again whether a server or a database is as far; `threads`: other
threads of our own."""


class Waits:
    """Seconds by kind, for each thread. A wait inside a wait counts once."""

    def __init__(self) -> None:
        self._local = threading.local()

    def of_this_thread(self) -> Counter[str]:
        """A copy of what this thread has waited so far."""
        return Counter(self._mine())

    def _mine(self) -> Counter[str]:
        if not hasattr(self._local, "seconds"):
            self._local.seconds, self._local.inside = Counter[str](), False
        found: Counter[str] = self._local.seconds
        return found

    @contextmanager
    def watched(self) -> Iterator[None]:
        with ExitStack() as stack:
            for kind, owner, name in BLOCKING:
                stack.enter_context(patch.object(owner, name, self._timed(kind, owner, name)))
            yield

    def _timed(self, kind: str, owner: Any, name: str) -> Callable[..., Any]:
        real = owner.__dict__[name]
        call = real.__func__ if isinstance(real, classmethod) else real

        def timed(*arguments: Any, **more: Any) -> Any:
            seconds = self._mine()
            if self._local.inside:
                return call(*arguments, **more)
            self._local.inside, began = True, time.perf_counter()
            try:
                return call(*arguments, **more)
            finally:
                seconds[kind] += time.perf_counter() - began
                self._local.inside = False

        return classmethod(timed) if isinstance(real, classmethod) else timed  # type: ignore[return-value]
