"""What a server knows, kept fresh in threads of its own: figures of the store, the inventory, and judgements.

Nobody who asks waits for the store or for a gate: they get what was last found out, or are told that it is too old.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ringgate.domain.errors import RinggateError
from ringgate.host.secrets import redact
from ringgate.inventory import Inventory, InventoryError
from ringgate.metrics import StoreFollower
from ringgate.web.judging import GateJudgement, VerdictSource, inconclusive

Place = tuple[str, str]
"""Ring, release."""

KEPT_JUDGEMENTS = 100


@dataclass(frozen=True, slots=True)
class RefreshIntervals:
    """How often things are done, in seconds, and from when on what is known is too old.

    `answer` is how long one who asks for what was never judged waits at most: less than an Argo metric's 10 s.
    `first_judgement` is how long the runs' figures wait at most for the first verdicts: two threads that read row after
    row would take turns at each, and both be slow.
    """

    follow: float = 2.0
    judge: float = 10.0
    store_patience: float = 20.0
    judgement_patience: float = 60.0
    answer: float = 5.0
    first_judgement: float = 5.0


class LiveState:
    """Follows, judges and answers. Safe for threads. `tell` is given each new error in one sentence."""

    def __init__(
        self,
        follower: StoreFollower,
        load_inventory: Callable[[], Inventory],
        judge: VerdictSource,
        tell: Callable[[str], None],
        pace: RefreshIntervals | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.follower, self.pace = follower, pace or RefreshIntervals()
        self.clock = clock or (lambda: datetime.now(UTC))
        self._load, self._judge, self._tell = load_inventory, judge, tell
        self._guard, self._stop = threading.Lock(), threading.Event()
        self._judged_once = threading.Event()
        self._inventory = load_inventory()
        self._judgements: dict[Place, GateJudgement] = {}
        self._under_way: dict[Place, Future[GateJudgement]] = {}
        self._errors = KnownErrors(tell)
        self._asked = ThreadPoolExecutor(2, thread_name_prefix="asked")
        self._threads = [
            threading.Thread(target=self._follow_on, name="follow", daemon=True),
            threading.Thread(target=self._again, args=(self.judge, self.pace.judge), name="judge", daemon=True),
        ]

    # --- life ---------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Whoever asks first is told what is noted already; what the runs come to may take some seconds."""
        try:
            self.follower.note()
        except RinggateError as error:
            self._errors.say("store", str(error))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the threads and keeps what was added up."""
        self._stop.set()
        self._judged_once.set()
        for thread in self._threads:
            thread.join()
        self._asked.shutdown(wait=False, cancel_futures=True)
        try:
            self.follower.keep()
        except RinggateError as error:
            self._tell(redact(str(error)))

    @property
    def alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    def _follow_on(self) -> None:
        self._judged_once.wait(self.pace.first_judgement)
        self._again(self.follow, self.pace.follow)

    def _again(self, work: Callable[[], None], seconds: float) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                work()
            except Exception as error:  # a thread that ended would leave everything standing still
                self._errors.say(work.__name__, f"{type(error).__name__}: {error}")
            # However much there is to read, it takes at most a fifth of a processor.
            self._stop.wait(max(seconds, 4 * (time.monotonic() - began)))

    # --- what the threads do ----------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Reads what is new in the store and in the inventory."""
        try:
            self.follower.follow()
            self._errors.over("store")
        except RinggateError as error:
            self._errors.say("store", str(error))
        try:
            inventory = self._load()
        except InventoryError as error:  # the last one that was right goes on
            self._errors.say("inventory", str(error))
        else:
            self._errors.over("inventory")
            with self._guard:
                self._inventory = inventory

    def judge(self) -> None:
        """Judges the release that each ring has now."""
        try:
            for ring, release in self.current().items():
                self._judged(ring, release)
        finally:
            self._judged_once.set()

    def _judged(self, ring: str, release: str) -> GateJudgement:
        now = self.clock()
        try:
            judgement = self._judge(ring, release, now)
            self._errors.over(f"gate {ring}")
        except RinggateError as error:
            judgement = inconclusive(ring, release, now, f"it could not be judged: {redact(str(error))}")
            self._errors.say(f"gate {ring}", str(error))
        with self._guard:
            self._judgements.pop((ring, release), None)
            self._judgements[ring, release] = judgement
            while len(self._judgements) > KEPT_JUDGEMENTS:
                del self._judgements[next(iter(self._judgements))]
        return judgement

    # --- what is asked ------------------------------------------------------------------------------------------------

    @property
    def inventory(self) -> Inventory:
        with self._guard:
            return self._inventory

    @property
    def errors(self) -> Mapping[str, str]:
        """What is wrong with our own side now: `store`, `inventory`, `gate <ring>`."""
        return self._errors.now()

    def current(self) -> dict[str, str]:
        """The release that each ring has, in the order of the rollout; rings without a deployment are not in it."""
        with self.follower.reading() as (_, around, _at):
            latest = {each.ring: each.release for each in around.deployments}
        return {ring: latest[ring] for ring in self.inventory.rings if ring in latest}

    def store_error(self) -> str:
        """Why what is known of the store is too old to be believed; "" if it is not."""
        with self.follower.reading() as (_, around, _read_at):
            at = around.at
        age = (self.clock() - at).total_seconds() if at else None
        if age is not None and age <= self.pace.store_patience:
            return ""
        said = self.errors.get("store", "")
        since = f"has not been read for {age:.0f} s" if age is not None else "has not been read yet"
        return f"the store of results {since}{f': {said}' if said else ''}"

    def verdict(self, ring: str, release: str = "") -> GateJudgement:
        """What holds for this ring now. Never raises, and never gives an old verdict for a new one."""
        now = self.clock()
        if error := self.store_error():
            return inconclusive(ring, release, now, error)
        if ring not in self.inventory.rings:
            named = f'the inventory has no ring "{ring[:64]}"' if ring else "no ring was named"
            return inconclusive(ring[:64], release[:128], now, named)
        release = release or self.current().get(ring, "")
        if not release:
            return inconclusive(ring, "", now, f"no deployment to ring {ring} has been noted (ringgate event deploy)")
        with self._guard:
            known = self._judgements.get((ring, release))
        if known and now - known.at <= timedelta(seconds=self.pace.judgement_patience):
            return known
        try:
            return self._being_judged(ring, release).result(self.pace.answer)
        except (TookTooLong, RuntimeError):
            return inconclusive(ring, release, now, "it is still being judged: ask again", action="wait")

    def _being_judged(self, ring: str, release: str) -> Future[GateJudgement]:
        """The judgement that is under way, or else a new one. Raises RuntimeError when the server ends."""
        with self._guard:
            under_way = self._under_way.get((ring, release))
            if under_way is None or under_way.done():
                under_way = self._under_way[ring, release] = self._asked.submit(self._judged, ring, release)
                self._under_way = {place: each for place, each in self._under_way.items() if not each.done()}
            return under_way

    def judgements(self) -> list[GateJudgement]:
        """What holds for each ring's own release, in the order of the rollout; of what is too old, nothing."""
        if self.store_error():
            return [inconclusive(*place, self.clock(), self.store_error()) for place in self.current().items()]
        with self._guard:
            known = dict(self._judgements)
        fresh = self.clock() - timedelta(seconds=self.pace.judgement_patience)
        found = [known[place] for place in self.current().items() if place in known]
        return [each for each in found if each.at >= fresh]


@dataclass
class KnownErrors:
    """What is wrong now, by its subject. Each is told once, until it was over."""

    tell: Callable[[str], None]
    _now: dict[str, str] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def say(self, subject: str, text: str) -> None:
        text = redact(text)
        with self._guard:
            new = self._now.get(subject) != text
            self._now[subject] = text
        if new:
            self.tell(text)

    def over(self, subject: str) -> None:
        with self._guard:
            self._now.pop(subject, None)

    def now(self) -> dict[str, str]:
        with self._guard:
            return dict(self._now)
