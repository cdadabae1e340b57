"""Procrastinate: a lock for each tenant and scenario; stalled jobs are put back by a task of its own, as it advises."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import procrastinate
from procrastinate import jobs as kinds

from tests.evaluation.queues.engines import LEASE, Job


class _Procrastinate:
    def __init__(self) -> None:
        self._putting: procrastinate.App | None = None

    def install(self, url: str) -> None:
        with procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=url)).open() as app:
            app.schema_manager.apply_schema()

    def put(self, url: str, jobs: Sequence[tuple[int, float, str]]) -> None:
        if self._putting is None:
            self._putting = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=url)).open()
        self._putting.job_manager.batch_defer_jobs(
            [
                kinds.Job(
                    id=None, queue="trial", task_name="run", priority=0, lock=lock, queueing_lock=None,
                    task_kwargs={"number": number, "at": at},
                )
                for number, at, lock in jobs
            ]
        )  # fmt: skip

    def work(self, url: str, job: Job, concurrency: int) -> None:
        connector = procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=4)
        app = procrastinate.App(connector=connector)
        threads = ThreadPoolExecutor(concurrency)

        @app.task(name="run", queue="trial")
        async def run(number: int, at: float) -> None:
            await asyncio.get_running_loop().run_in_executor(threads, job, number, at)

        @app.periodic(cron="*/5 * * * * *")
        @app.task(name="again", queue="trial", queueing_lock="again", pass_context=True)
        async def again(_context: object, timestamp: int) -> None:
            for stalled in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=LEASE):
                await app.job_manager.retry_job(stalled)

        async def main() -> None:
            async with app.open_async():
                await app.run_worker_async(
                    queues=["trial"], concurrency=concurrency, delete_jobs="always", stalled_worker_timeout=LEASE
                )

        asyncio.run(main())

    def left(self) -> str:
        return "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'run' AND status IN ('todo', 'doing')"


QUEUE = _Procrastinate()
