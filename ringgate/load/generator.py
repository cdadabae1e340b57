"""The users of a load: threads that run processes again and again over the API, and take each back as any run does.

Of a closed load each user stays on one tenant and runs the processes in turn. Of an open one arrivals come by chance,
over all tenants and processes in turn; one for which nobody is free waits, and what it waited counts. It ends by
itself: when its time is over, when too much goes wrong, or when it is told to stop.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ringgate.domain.model import RunResult, Scenario, SignalSample, Tenant
from ringgate.domain.terms import Channel, Outcome
from ringgate.drivers.registry import DriverError, Drivers
from ringgate.execution.run_once import Engine, run_once
from ringgate.host.run_locks import RunLocks
from ringgate.load.outcome import LoadOutcome, LoadRun, Reading
from ringgate.load.profile import LoadProfile

TRIED_AGAIN = frozenset({"unavailable", "timed-out", "throttled"})
"""Kinds of failure after which programs ask again."""

PAUSE = 1.0
"""Seconds before the first try again, at most; each one after that waits up to twice as long."""

LATE = 0.5
"""Seconds that an arrival may wait for a user to be free."""

LOOKED_AT = 20
"""The last runs by which a load that does harm is stopped."""

BEFORE = 2
"""How often platform signals are read before the load."""

Read = Callable[[], tuple[Sequence[SignalSample], Sequence[str]]]
"""The platform's signals now, and what was wrong with reading them."""


def own_drivers(tenants: Sequence[Tenant]) -> Drivers:
    """Those of one user: nobody shares a session."""
    return Drivers([tenant.erp for tenant in tenants])


class LoadLocks(RunLocks):
    """Users of a load run beside each other as real ones do; that they run at all is agreed on before it begins."""

    def __init__(self) -> None:
        """No folder: nothing is locked."""

    @contextmanager
    def room(self, tenant: Tenant, scenario: str) -> Iterator[None]:
        yield

    @contextmanager
    def posting(self, tenant: str) -> Iterator[None]:
        yield


@dataclass(frozen=True, slots=True)
class LoadTerms:
    """`grace`: seconds in which what runs is finished or undone at the end. `stop_at`: the part of the last runs that
    may go wrong. `read_every`: seconds between two readings of `resources`, which says of each signal what of the
    platform it measures."""

    grace: float = 60.0
    stop_at: float = 0.5
    read_every: float = 5.0
    resources: Mapping[str, str] = field(default_factory=dict)


class LoadGenerator:
    """Runs one load, once. `make` makes the drivers of one user; `tell` is given a line now and then."""

    def __init__(
        self,
        profile: LoadProfile,
        scenarios: Sequence[Scenario],
        tenants: Sequence[Tenant],
        engine: Engine,
        terms: LoadTerms,
        *,
        read: Read | None = None,
        make: Callable[[Sequence[Tenant]], Drivers] = own_drivers,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._profile, self._scenarios, self._tenants, self._terms = profile, scenarios, tenants, terms
        self._read, self._make, self._tell = read, make, tell
        self._over, self._hurry = threading.Event(), threading.Event()
        self._engine = replace(engine, run_locks=LoadLocks(), stopping=self._hurry.is_set)
        self._guard = threading.Lock()
        self._runs: list[LoadRun] = []
        self._readings: list[Reading] = []
        self._left: list[str] = []
        self._unread: set[str] = set()
        self._last: deque[str] = deque(maxlen=LOOKED_AT)
        self._why = ""
        self._late = self._busy = 0
        self._began, self._dice = time.monotonic(), random.Random(profile.seed)  # noqa: S311 - no secret
        self._arrived: queue.Queue[tuple[float, int] | None] = queue.Queue()

    def stop(self, why: str) -> None:
        """End soon: begin nothing more, and finish what runs. Told again, what runs is undone at once. Safe in a
        signal."""
        if self._over.is_set():
            self._hurry.set()
        self._why = self._why or why
        self._over.set()

    def run(self) -> LoadOutcome:
        """Makes the load, and returns when it is over and what it wrote is taken back, or its grace is."""
        began = datetime.now(UTC)
        with self._reading():
            self._began, cpu = time.monotonic(), time.process_time()
            users = [threading.Thread(target=self._user, args=(number,), daemon=True, name=f"user-{number}")
                     for number in range(self._profile.users)]  # fmt: skip
            for each in users:
                each.start()
            self._arrive() if self._profile.is_open else self._wait_for_end()
            lasted, ours = self._now(), (time.process_time() - cpu) / max(self._now(), 1e-9)
            self._over.set()
            for _ in users:
                self._arrived.put(None)
            self._end(users)
        with self._guard:
            return LoadOutcome(
                profile=self._profile, scenarios=tuple(each.id for each in self._scenarios),
                tenants=tuple(each.id for each in self._tenants), began=began,
                lasted=min(lasted, self._profile.seconds), runs=tuple(sorted(self._runs, key=lambda run: run.at)),
                readings=tuple(self._readings), stopped=self._why, ours=ours, late=self._late,
                left=tuple(self._left), unread=tuple(sorted(self._unread)),
            )  # fmt: skip

    # --- the course of it ---------------------------------------------------------------------------------------------

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _wait_for_end(self) -> None:
        while not self._over.is_set() and (left := self._profile.seconds - self._now()) > 0:
            self._over.wait(min(left, 10.0))
            self._say()

    def _arrive(self) -> None:
        said = 0.0
        for number, moment in enumerate(self._profile.moments()):
            while not self._over.is_set() and (left := moment - self._now()) > 0:
                self._over.wait(min(left, 10.0))
            if self._over.is_set():
                return
            self._arrived.put((moment, number))
            if self._now() - said >= 10:
                said = self._now()
                self._say()
        self._over.wait(max(0.0, self._profile.seconds - self._now()))

    def _say(self) -> None:
        with self._guard:
            lately = [run for run in self._runs if run.at > self._now() - 30]
            wrong = sum(1 for run in self._runs if run.kind)
            total, busy = len(self._runs), self._busy
        slowest = max((run.taken for run in lately), default=0.0)
        self._tell(
            f"{self._now():4.0f} s: {self._profile.wanted(min(self._now(), self._profile.seconds - 1e-3)):.3g} "
            f"{'arrivals/s' if self._profile.is_open else 'users'}, {busy} busy, {total} runs, {wrong} went wrong; the "
            f"slowest lately took {slowest:.1f} s"
        )

    def _end(self, users: Sequence[threading.Thread]) -> None:
        until = time.monotonic() + self._terms.grace
        for each in users:
            while each.is_alive() and time.monotonic() < until and not self._hurry.is_set():
                each.join(0.1)
        self._hurry.set()
        until = time.monotonic() + self._terms.grace
        for each in users:
            each.join(max(0.0, until - time.monotonic()))
        if still := sum(each.is_alive() for each in users):
            with self._guard:
                self._left.append(f"{still} runs did not end within {self._terms.grace:g} s: `ringgate recover`")

    # --- a user -------------------------------------------------------------------------------------------------------

    def _user(self, number: int) -> None:
        drivers = self._make(self._tenants)
        try:
            engine = replace(self._engine, drivers=drivers)
            for at, tenant, scenario in self._turns(number):
                self._one(at, tenant, scenario, engine)
        except Exception as error:  # nothing can be run like this
            self.stop(f"{type(error).__name__}: {error}")
        finally:
            with suppress(DriverError):
                drivers.close()

    def _turns(self, user: int) -> Iterator[tuple[float, Tenant, Scenario]]:
        """What this user does next, and when they came, until it is over."""
        if self._profile.is_open:
            while (arrival := self._arrived.get()) is not None and not self._over.is_set():
                moment, number = arrival
                of = len(self._tenants)
                yield moment, self._tenants[number % of], self._scenarios[number // of % len(self._scenarios)]
            return
        begins = self._begins(user)
        dice = random.Random(self._profile.seed * 100_003 + user)  # noqa: S311 - no secret
        tenant, number = self._tenants[user % len(self._tenants)], user // len(self._tenants)
        self._over.wait(max(0.0, begins - self._now()))
        while not self._over.is_set() and self._now() < self._profile.seconds:
            yield self._now(), tenant, self._scenarios[number % len(self._scenarios)]
            number += 1
            self._over.wait(self._profile.think * dice.uniform(0.5, 1.5))

    def _begins(self, user: int) -> float:
        return next(stage.begins for stage in self._profile.stages() if stage.level > user)

    def _one(self, at: float, tenant: Tenant, scenario: Scenario, engine: Engine) -> None:
        with self._guard:
            self._busy += 1
        try:
            began = self._now()
            result, tries, calls = self._tried(tenant, scenario, engine)
            if result is None:
                return
            seconds = self._now() - began - result.undo_seconds
            kind = "" if result.outcome is Outcome.PASSED else result.failure.kind if result.failure else "skipped"
            run = LoadRun(
                at, scenario.id, tenant.id, seconds, max(0.0, began - at), result.undo_seconds, calls, tries, kind
            )
            self._keep(run)
        finally:
            with self._guard:
                self._busy -= 1

    def _tried(self, tenant: Tenant, scenario: Scenario, engine: Engine) -> tuple[RunResult | None, int, int]:
        """The last try, how many there were, and the calls of all. None for one that was told to stop."""
        calls = 0
        for tries in range(1, self._profile.retries + 2):
            result = run_once(scenario, tenant, Channel.API, engine)
            calls += result.calls
            self._note_left(result)
            if result.outcome is Outcome.STOPPED:
                break
            kind = result.failure.kind if result.failure else ""
            if kind not in TRIED_AGAIN or tries > self._profile.retries or self._over.is_set():
                return result, tries, calls
            self._over.wait(self._dice.uniform(0.5, 1.0) * PAUSE * 2 ** (tries - 1))
        return None, 0, calls

    def _note_left(self, result: RunResult) -> None:
        if result.residue:
            with self._guard:
                self._left += [f"{each.tenant}: {each.verb} {each.marker}: {each.reason}" for each in result.residue]

    def _keep(self, run: LoadRun) -> None:
        with self._guard:
            self._runs.append(run)
            self._late += run.waited > LATE
            self._last.append(run.kind)
            wrong = [kind for kind in self._last if kind]
        if len(self._last) == LOOKED_AT and len(wrong) >= self._terms.stop_at * LOOKED_AT and not self._over.is_set():
            kinds = ", ".join(sorted(set(wrong)))
            self.stop(f"{len(wrong)} of the last {LOOKED_AT} runs went wrong ({kinds})")

    # --- the platform -------------------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Reads signals before the load, and then again and again beside it."""
        if self._read is None:
            yield
            return
        for number in range(BEFORE, 0, -1):
            self._read_once(-number * self._terms.read_every)
            if self._over.wait(self._terms.read_every):
                break
        ended = threading.Event()

        def go_on() -> None:
            while not ended.wait(self._terms.read_every):
                self._read_once(None)

        reader = threading.Thread(target=go_on, name="signals", daemon=True)
        reader.start()
        try:
            yield
        finally:
            ended.set()
            reader.join()

    def _read_once(self, at: float | None) -> None:
        assert self._read is not None
        samples, problems = self._read()
        at = self._now() if at is None else at
        with self._guard:
            self._unread.update(problems)
            self._readings += [
                Reading(at, each.signal, each.value, self._terms.resources.get(each.signal, ""), each.unit, each.limit)
                for each in samples
            ]
