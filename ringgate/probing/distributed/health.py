"""Health and figures of one worker over HTTP, for whoever starts workers and scales them.

/healthz   200 while it works; 503: start it again
/readyz    200 while it can reach the queue of its region
/metrics   for Prometheus, among them the age of the queue: the oldest tick that nobody has begun
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from ringgate.shared.database import ALIVE, SharedError, SharedMember


class WorkerFigures:
    """What one worker says of itself and of its region's queue."""

    def __init__(self, member: SharedMember, region: str, works: Callable[[], bool], leads: Callable[[], bool]) -> None:
        self.works, self._member, self._region, self._leads = works, member, region, leads

    def reachable(self) -> bool:
        try:
            return bool(self._member.database.do(lambda each: each.execute("SELECT 1").fetchone(), wait=False))
        except SharedError:
            return False

    def text(self) -> bytes:
        """Raises SharedError."""
        registry = CollectorRegistry()
        labels = ["region", "queue"]
        age = Gauge("ringgate_queue_age_seconds", "Age of the oldest tick that nobody has begun.", labels,
                    registry=registry)  # fmt: skip
        waiting = Gauge("ringgate_queue_waiting", "Ticks that nobody has begun.", labels, registry=registry)
        running = Gauge("ringgate_queue_running", "Ticks under way.", labels, registry=registry)
        workers = Gauge("ringgate_workers_alive", "Workers that gave a sign of life.", ["region"], registry=registry)
        leads = Gauge("ringgate_worker_dispatches", "1 for the elected dispatcher.", ["region"], registry=registry)
        rows, alive = self._member.database.do(self._read, wait=False)
        for queue, oldest, waits, runs in rows:
            age.labels(self._region, queue).set(oldest)
            waiting.labels(self._region, queue).set(waits)
            running.labels(self._region, queue).set(runs)
        workers.labels(self._region).set(alive)
        leads.labels(self._region).set(self._leads())
        return generate_latest(registry)

    def _read(self, connection: psycopg.Connection[Any]) -> tuple[list[tuple[str, float, int, int]], int]:
        rows = connection.execute(
            "SELECT split_part(queue_name, '/', 2), coalesce(extract(epoch FROM clock_timestamp() - "
            "min((args->>'slot')::timestamptz) FILTER (WHERE status = 'todo')), 0)::float, "
            "count(*) FILTER (WHERE status = 'todo'), count(*) FILTER (WHERE status = 'doing') "
            "FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND split_part(queue_name, '/', 1) = %s "
            "GROUP BY queue_name",
            [self._region],
        ).fetchall()
        known = {row[0]: row for row in rows}
        (alive,) = connection.execute(f"SELECT count(*) FROM {ALIVE} AS alive").fetchone() or (0,)  # noqa: S608
        return [known.get(queue, (queue, 0.0, 0, 0)) for queue in ("api", "browser")], alive


def serving(address: str, port: int, figures: WorkerFigures) -> ThreadingHTTPServer:
    """Answers by threads of its own until it is shut down. Raises OSError where the port is taken."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                try:
                    self._say(200, figures.text())
                except SharedError as problem:
                    self._say(503, f"{problem}\n".encode())
                return
            fine = {"/healthz": figures.works, "/readyz": figures.reachable}.get(self.path)
            if fine is None:
                self._say(404, b"there is /healthz, /readyz and /metrics\n")
            else:
                self._say(*((200, b"ok\n") if fine() else (503, b"not now\n")))

        def _say(self, status: int, text: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer((address, port), Answer)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
