"""Puts in what is due in a region. One of its workers does, elected by a lease; the plan is the same in all of them.

What is put in, and up to when, is one transaction: who takes the lease over goes on from there, so that no slot is put
in twice and none is passed over in silence. Slots from the time without a dispatcher are dropped and counted as missed
once they are stale: nothing is run late in a burst.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import procrastinate
import psycopg
from procrastinate.exceptions import ProcrastinateException

from ringgate.probing.counters import MISSED, counter
from ringgate.probing.distributed.jobs import fresh_until, job_of, wanted_of
from ringgate.probing.feeds import Tell
from ringgate.probing.plan import Probe
from ringgate.probing.timetable import Tick, Timetable
from ringgate.shared.database import SharedError, SharedMember, forget_the_dead
from ringgate.store import CounterKey

TERM = 12.0
"""Seconds for which a dispatcher is elected; renewed each second."""

EVERY = 1.0
LOOK_BACK = timedelta(days=1)
"""How far back it is counted what was missed while there was no dispatcher."""


class Dispatcher:
    """A candidate, and the dispatcher while it is elected. `failing` is told what keeps it from its work, "" after."""

    def __init__(
        self, member: SharedMember, app: procrastinate.App, region: str, tell: Tell, failing: Callable[[str], None]
    ) -> None:
        self._member, self._app, self._region, self._tell, self._failing = member, app, region, tell, failing
        self._probes: Sequence[Probe] = ()
        self._timetable: Timetable | None = None
        self._ended = threading.Event()
        self._trouble = False
        self.leads = False

    def plan(self, probes: Sequence[Probe]) -> None:
        self._probes, self._timetable = tuple(probes), None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="dispatcher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Another may be elected at once."""
        self._ended.set()
        self._thread.join(5.0)
        if self.leads:
            with_none = "UPDATE ringgate_dispatchers SET until = clock_timestamp() WHERE region = %s AND member = %s"
            try:
                self._member.database.do(
                    lambda each: each.execute(with_none, [self._region, self._member.id]), wait=False
                )
            except SharedError:
                return

    def _work(self) -> None:
        while not self._ended.wait(EVERY):
            try:
                self.turn()
                if self._trouble:
                    self._failing("")
                self._trouble = False
            except (SharedError, ProcrastinateException) as problem:
                if not self._trouble:
                    self._failing(str(problem))
                self._trouble = True

    def turn(self) -> int:
        """One look: be elected if nobody is, and put in what is due. Returns how many ticks were put in."""
        passed: Counter[CounterKey] = Counter()
        put: list[Tick] = []

        def work(connection: psycopg.Connection[Any]) -> None:
            passed.clear()
            put.clear()
            moments = self._elected(connection)
            self.leads = moments is not None
            if moments is None:
                self._timetable = None
                return
            since, now = moments
            if self._timetable is None:
                self._timetable = Timetable(self._probes, max(since, now - LOOK_BACK))
            ticks, missed = self._timetable.due(now)
            passed.update(missed)
            passed.update(self._stale(connection))
            for tick in ticks:
                if now > fresh_until(tick):
                    passed[counter(MISSED, tick.probe)] += 1
                else:
                    put.append(tick)
            if put:
                self._put(put, connection)
            connection.execute(
                "UPDATE ringgate_dispatchers SET dispatched_until = %s WHERE region = %s", [now, self._region]
            )

        try:
            self._member.database.do(work, wait=False)
        except BaseException:
            self.leads, self._timetable = False, None  # how far it came is in the database alone
            raise
        if passed:
            self._tell(passed)
        return len(put)

    def _put(self, ticks: Sequence[Tick], connection: psycopg.Connection[Any]) -> None:
        try:
            self._app.job_manager.batch_defer_jobs([job_of(each, self._region) for each in ticks], connection)
        except ProcrastinateException as problem:
            raise problem.__cause__ if isinstance(problem.__cause__, psycopg.Error) else problem from None

    def _stale(self, connection: psycopg.Connection[Any]) -> Counter[CounterKey]:
        """Takes out what nobody has begun in time, and says what it was."""
        rows = connection.execute(
            "DELETE FROM procrastinate_jobs WHERE status = 'todo' AND split_part(queue_name, '/', 1) = %s "
            "AND (args->>'fresh_until')::timestamptz < clock_timestamp() RETURNING args",
            [self._region],
        )
        return Counter(wanted_of(args).missed for (args,) in rows)

    def _elected(self, connection: psycopg.Connection[Any]) -> tuple[datetime, datetime] | None:
        """Up to when was put in, and the time now, both by the database; None while another is elected."""
        if self._member.lost.is_set():
            return None
        row = connection.execute(
            "INSERT INTO ringgate_dispatchers AS d (region, member, until, dispatched_until) "
            "VALUES (%(region)s, %(me)s, clock_timestamp() + %(term)s * interval '1 second', clock_timestamp()) "
            "ON CONFLICT (region) DO UPDATE SET member = %(me)s, until = excluded.until "
            "WHERE d.member = %(me)s OR d.until < clock_timestamp() RETURNING dispatched_until, clock_timestamp()",
            {"region": self._region, "me": self._member.id, "term": TERM},
        ).fetchone()
        if row is not None and not self.leads:
            forget_the_dead(connection)
        return row
