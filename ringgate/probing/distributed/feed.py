"""What a worker has in place of a timetable: jobs of its region's queue, taken as it has room for them.

A job is done once its result is in the store. What this worker cannot begin soon goes back, and so does all that waits
when it stops. Jobs of a worker that died are put back by the dispatcher, and run if they are still fresh.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import procrastinate
import psycopg
from procrastinate.exceptions import ProcrastinateException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import RunResult
from ringgate.domain.terms import Channel, Source
from ringgate.probing.distributed.dispatcher import Dispatcher
from ringgate.probing.distributed.jobs import OF_THE_DEAD, Wanted, queue_name, taking, wanted_by
from ringgate.probing.distributed.jobs import now as time_now
from ringgate.probing.feeds import Tell
from ringgate.probing.plan import Key, Probe
from ringgate.probing.run_queue import RunQueue
from ringgate.probing.timetable import Tick
from ringgate.shared.database import LEASE, RENEWED, SharedMember
from ringgate.store import CounterKey

PAUSE = 0.1
"""Seconds between looks at a queue that had nothing."""

HELD = timedelta(seconds=10)
"""A tick that could not begin here for so long goes back, so that it takes no room from others."""

BACK = timedelta(seconds=3)
"""For so long nobody takes it then."""

CLOSING = 10.0


@dataclass(slots=True)
class _Held:
    """A job of ours. `result`: the run that is not in the store yet."""

    job: Job
    wanted: Wanted
    until: datetime
    result: str = ""


class RegionFeed:
    """`room` is how many jobs are held at once for each channel. `ran` says whether the store has a result of what a
    job asks for, begun since then. `lost` is called with the reason when this process has to end."""

    take_back_every = 5

    def __init__(
        self,
        member: SharedMember,
        dispatcher: Callable[[Tell], Dispatcher],
        region: str,
        room: Mapping[Channel, int],
        ran: Callable[[Wanted, datetime], bool],
        lost: Callable[[str], None],
        failing: Callable[[str], None],
    ) -> None:
        self._member, self._region, self._room, self._lost, self._failing = member, region, room, lost, failing
        self._ran = ran
        self._make_dispatcher = dispatcher
        self._alone = threading.Lock()
        self._held: dict[Key, _Held] = {}
        self._done: list[Job] = []
        self._probes: dict[Key, Probe] = {}
        self._holds, self._closing = threading.Event(), threading.Event()
        self._worker = 0

    # --- from the prober ----------------------------------------------------------------------------------------------

    @property
    def leads(self) -> bool:
        return self._dispatcher.leads

    @property
    def works(self) -> bool:
        """Whether its thread lives and its lease holds: if not, it has to be started again."""
        return self._thread.is_alive() and not self._member.lost.is_set()

    def start(self, run_queue: RunQueue, probes: Sequence[Probe], tell: Tell, now: datetime) -> None:
        self._run_queue, self._tell = run_queue, tell
        self._dispatcher = self._make_dispatcher(tell)
        self.plan(probes, now)
        self._dispatcher.start()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), name="feed", daemon=True)
        self._thread.start()

    def plan(self, probes: Sequence[Probe], now: datetime) -> None:
        self._probes = {each.key: each for each in probes if not each.never}
        self._dispatcher.plan(probes)

    def due(self, now: datetime) -> tuple[list[Tick], Counter[CounterKey]]:
        if self._member.lost.is_set():
            self._lost("this worker lost its lease")
        elif not self._thread.is_alive():
            self._lost("the thread that takes from the queue has ended")
        return [], Counter()

    def ended(self, result: RunResult) -> None:
        if result.source is Source.SELF_TEST:
            return
        with self._alone:
            if held := self._held.get((result.tenant, result.scenario, result.channel)):
                held.result = result.run_id

    def stored(self, results: Sequence[RunResult]) -> None:
        with self._alone:
            for result in results:
                key = (result.tenant, result.scenario, result.channel)
                if (held := self._held.get(key)) and held.result == result.run_id:
                    self._done.append(self._held.pop(key).job)

    def hold(self) -> None:
        """Takes nothing more; what waits goes back."""
        self._holds.set()
        self._run_queue.take_out(lambda tick: not tick.self_test)

    def close(self) -> None:
        self._closing.set()
        self._thread.join(CLOSING)
        self._dispatcher.close()
        self._member.close()

    # --- its thread ---------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        trouble = False
        while not self._closing.is_set():
            try:
                async with taking(self._member.database.url).open_async() as app:
                    await self._on_and_on(app, trouble)
                    return
            except (ProcrastinateException, psycopg.Error, OSError, RinggateError) as problem:
                if not trouble:
                    self._failing(f"the queue cannot be read: {problem.__cause__ or problem}".splitlines()[0])
                trouble = True
                await asyncio.sleep(0.5)

    async def _on_and_on(self, app: procrastinate.App, trouble: bool) -> None:
        manager = app.job_manager
        if not self._worker:
            self._worker = await manager.register_worker()
        seen = looked = compared = 0.0
        while True:
            closing = self._closing.is_set()
            if time.monotonic() - seen > RENEWED:
                await manager.update_heartbeat(self._worker)
                seen = time.monotonic()
            if self._dispatcher.leads and time.monotonic() - looked > RENEWED:
                await self._put_back_the_dead(manager)
                looked = time.monotonic()
            await self._finish(manager)
            if time.monotonic() - compared > RENEWED:
                await self._put_back_what_never_came(manager)
                compared = time.monotonic()
            busy = not self._holds.is_set() and await self._fetch(manager)
            if trouble:
                self._failing("")
                trouble = False
            if closing:
                await self._finish(manager)
                await manager.unregister_worker(self._worker)
                return
            if not busy:
                await asyncio.sleep(PAUSE)

    async def _fetch(self, manager: JobManager) -> bool:
        """As many as there is room for. Says whether there was anything."""
        found = False
        for channel, room in self._room.items():
            while self._run_queue.here(channel) < room and not self._member.lost.is_set():
                job = await manager.fetch_job([queue_name(self._region, channel)], self._worker)
                if job is None:
                    break
                found = True
                await self._take(manager, job)
                if len(self._done) > 50:
                    await self._finish(manager)
        return found

    async def _take(self, manager: JobManager, job: Job) -> None:
        now = time_now()
        try:
            wanted = wanted_by(job)
        except (KeyError, ValueError, TypeError):
            self._failing(f"job {job.id} of the queue is none of ours: it is left out")
            await manager.finish_job(job, Status.FAILED, delete_job=False)
            return
        if self._holds.is_set():
            await manager.retry_job(job)
        elif job.priority == OF_THE_DEAD and await self._has_result(manager, job, wanted):
            self._done.append(job)  # the worker died between the store and the queue
        elif now > wanted.fresh_until:
            self._tell({wanted.missed: 1})
            self._done.append(job)
        elif (tick := wanted.tick(self._probes)) is None:  # the dispatcher has read another inventory
            await manager.retry_job(job, retry_at=now + BACK)
        else:
            with self._alone:
                self._held[wanted.key] = _Held(job, wanted, now + HELD)
            self._run_queue.add([tick])

    async def _has_result(self, manager: JobManager, job: Job, wanted: Wanted) -> bool:
        """Whether a worker that died had run this job, and only not got as far as to say so in the queue."""
        begun = await manager.connector.execute_query_all_async(
            "SELECT at FROM procrastinate_events WHERE job_id = %(job)s AND type = 'started' ORDER BY at DESC LIMIT 2",
            job=job.id,
        )
        before = begun[-1]["at"] if len(begun) == 2 else wanted.slot  # the other is ours, just now
        return await asyncio.to_thread(self._ran, wanted, before)

    async def _finish(self, manager: JobManager) -> None:
        """Jobs that are done are done in the engine, too; what cannot begin here goes back."""
        now, back, stale = time_now(), list[Job](), list[_Held]()
        with self._alone:
            taken = {tick.probe.key for tick in self._run_queue.take_out(lambda tick: self._cannot_begin(tick, now))}
            for key, held in [*self._held.items()]:
                if held.result or self._run_queue.knows(key):
                    continue
                if now > held.wanted.fresh_until and key in taken:
                    stale.append(held)
                elif key in taken or self._holds.is_set():
                    back.append(held.job)
                else:  # left out: another process ran it, or it could not be begun; that was counted
                    self._done.append(held.job)
                del self._held[key]
            done, self._done = self._done, []
        for held in stale:
            self._tell({held.wanted.missed: 1})
        done += [held.job for held in stale]
        for place, job in enumerate(done):
            try:
                await manager.finish_job(job, Status.SUCCEEDED, delete_job=True)
            except (ProcrastinateException, psycopg.Error):
                if await self._is_gone(manager):
                    self._done += done[place:]
                    raise
        for job in back:
            with suppress(ProcrastinateException):
                await manager.retry_job(job, retry_at=now + (timedelta(0) if self._holds.is_set() else BACK))

    def _cannot_begin(self, tick: Tick, now: datetime) -> bool:
        """Whether it has waited here for so long that others may have it, or that nobody is to run it any more."""
        held = self._held.get(tick.probe.key)
        return held is not None and not tick.self_test and now > min(held.until, held.wanted.fresh_until)

    @staticmethod
    async def _is_gone(manager: JobManager) -> bool:
        """Whether it is the database that is away, not the job."""
        try:
            return not await manager.check_connection_async()
        except (ProcrastinateException, psycopg.Error):
            return True

    async def _put_back_what_never_came(self, manager: JobManager) -> None:
        """Jobs that are ours by the queue, and whose answer was lost on the way, as when the database is restarted."""
        with self._alone:
            known = {held.job.id for held in self._held.values()} | {job.id for job in self._done}
        rows = await manager.connector.execute_query_all_async(
            "SELECT id FROM procrastinate_jobs WHERE worker_id = %(worker)s AND status = 'doing'", worker=self._worker
        )
        for lost in [row["id"] for row in rows if row["id"] not in known]:
            with suppress(ProcrastinateException):
                await manager.retry_job_by_id_async(lost, retry_at=time_now(), priority=OF_THE_DEAD)

    async def _put_back_the_dead(self, manager: JobManager) -> None:
        for channel in Channel:
            for job in await manager.get_stalled_jobs(
                queue=queue_name(self._region, channel), seconds_since_heartbeat=LEASE
            ):
                with suppress(ProcrastinateException):
                    await manager.retry_job(job, priority=OF_THE_DEAD)
        await manager.prune_stalled_workers(4 * LEASE)
