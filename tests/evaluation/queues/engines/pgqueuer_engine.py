"""PgQueuer: jobs are taken in batches and have a heartbeat each; it has no lock for each tenant and scenario."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import psycopg
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.psycopg import SyncPsycopgDriver
from pgqueuer.models import Job as PgJob
from pgqueuer.queries import Queries, SyncQueries

from tests.evaluation.queues.engines import LEASE, Job


def _pool(url: str) -> Any:
    parts = urlsplit(url)
    folder = parse_qs(parts.query)["host"][0]
    return asyncpg.create_pool(user=parts.username, host=folder, database=parts.path.strip("/"), min_size=1, max_size=4)


class _PgQueuer:
    def __init__(self) -> None:
        self._putting: SyncQueries | None = None

    def install(self, url: str) -> None:
        async def main() -> None:
            async with _pool(url) as pool:
                await Queries.from_asyncpg_pool(pool).install()

        asyncio.run(main())

    def put(self, url: str, jobs: Sequence[tuple[int, float, str]]) -> None:
        if self._putting is None:
            self._putting = SyncQueries(SyncPsycopgDriver(psycopg.connect(url, autocommit=True)))
        payloads: list[bytes | None] = [json.dumps({"number": n, "at": at}).encode() for n, at, _ in jobs]
        self._putting.enqueue(["run"] * len(jobs), payloads, [0] * len(jobs))

    def work(self, url: str, job: Job, concurrency: int) -> None:
        threads = ThreadPoolExecutor(concurrency)

        async def main() -> None:
            async with _pool(url) as pool:
                queuer = PgQueuer.from_asyncpg_pool(pool)

                @queuer.entrypoint("run")
                async def run(given: PgJob) -> None:
                    said = json.loads(given.payload or b"{}")
                    await asyncio.get_running_loop().run_in_executor(threads, job, said["number"], said["at"])

                await queuer.run(
                    batch_size=concurrency // 2,
                    max_concurrent_tasks=concurrency,
                    heartbeat_timeout=timedelta(seconds=LEASE),
                )

        asyncio.run(main())

    def left(self) -> str:
        return "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'run' AND status IN ('queued', 'picked')"


QUEUE = _PgQueuer()
