"""Where all regions are judged: takes their segments into a store, each once and in order, and says what is wrong."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from filelock import FileLock

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import SignalSample
from ringgate.host import paths
from ringgate.host.secrets import redact
from ringgate.judging.regions.feeds import RegionState, feeds_of, keep_feeds
from ringgate.judging.regions.sending import segments_in
from ringgate.judging.regions.wire import Segment, SegmentError, decoded
from ringgate.store import Store

TOGETHER = 1_000
"""Runs in one transaction."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What taking in came to for one region: how many segments and runs were new, and why it could not go on."""

    region: str
    segments: int
    runs: int
    problem: str = ""


def take_segments(store: Store, folder: Path) -> list[Taken]:
    """Takes in what is new in the folder, by region. Killed in between, it is simply done again: no run, deployment or
    sample comes in twice. What is missing, cut off or changed stops its region alone, and is remembered as its problem.

    Raises StoreError, and OSError where the folder cannot be read."""
    feeds = {each.region: each for each in feeds_of(store).feeds}
    files: dict[str, dict[int, Path]] = {}
    for region, number, path in segments_in(folder):
        files.setdefault(region, {})[number] = path
    taken = []
    for region, theirs in sorted(files.items()):
        feed, said = feeds.get(region, RegionState(region)), Taken(region, 0, 0)
        later = sorted(number for number in theirs if number > feed.number)
        problem = ""
        for number in later:
            try:
                segment = _next(theirs[number], number, feed)
            except SegmentError as error:
                problem = str(error)
                break
            runs = _take(store, segment)
            feed = replace(feed, number=number, until=segment.until, problem="")
            keep_feeds(store, feed)
            said = replace(said, segments=said.segments + 1, runs=said.runs + runs)
        if problem != feed.problem:
            keep_feeds(store, replace(feed, problem=problem))
        taken.append(replace(said, problem=problem))
    return taken


def _next(path: Path, number: int, feed: RegionState) -> Segment:
    """The segment of this file, if it goes on where the last one ended. Raises SegmentError."""
    if feed.number and number != feed.number + 1:
        raise SegmentError(f"{path.name}: it is there, and number {feed.number + 1} before it is not")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SegmentError(f"{path.name}: it cannot be read ({error})") from None
    segment = decoded(text, path.name)
    if (segment.region, segment.number) != (feed.region, number):
        raise SegmentError(f"{path.name}: it says that it is number {segment.number} of {segment.region}")
    if feed.until is not None and segment.since != feed.until:
        raise SegmentError(f"{path.name}: it begins at {segment.since}, and what was taken in ends at {feed.until}")
    return segment


def _take(store: Store, segment: Segment) -> int:
    known = {each.id for each in store.deployments()}
    for deployment in segment.deployments:
        if deployment.id not in known:
            store.deployed(deployment)
    for prober in segment.probers:
        store.seen(replace(prober, id=f"{segment.region}/{prober.id}", detail={"covers": f"region {segment.region}"}))
    for start in range(0, len(segment.runs), TOGETHER):
        store.add(*segment.runs[start : start + TOGETHER], known=True)
    store.sampled(_new(segment.samples, store, segment.since, segment.until))
    return len(segment.runs)


def _new(samples: Sequence[SignalSample], store: Store, since: datetime, until: datetime) -> list[SignalSample]:
    """Those that are not there: a segment's samples come in together, or not at all."""
    if not samples:
        return []
    there = Counter(_key(each) for each in store.samples(since=since - timedelta(microseconds=1)) if each.at < until)
    new = []
    for each in samples:
        if there[_key(each)]:
            there[_key(each)] -= 1
        else:
            new.append(each)
    return new


def _key(sample: SignalSample) -> tuple[object, ...]:
    return sample.at, sample.signal, sample.value, sample.ring, sample.tenant


EVERY = 10.0
"""Seconds between two looks at the folder."""


@contextmanager
def one_at_a_time(url: str) -> Iterator[None]:
    """Nobody else of this machine takes in into this store meanwhile."""
    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    paths.locks().mkdir(parents=True, exist_ok=True)
    with FileLock(paths.locks() / f"regions-{name}.lock"):
        yield


def take_in(url: str, folder: Path) -> list[Taken]:
    """What is new in the folder, into the store at `url`. Raises StoreError, OSError."""
    with one_at_a_time(url):
        store = Store(url)
        try:
            return take_segments(store, folder)
        finally:
            store.close()


@contextmanager
def taking_in(folder: Path | None, url: str, tell: Callable[[str], None]) -> Iterator[None]:
    """Takes in what comes, again and again in a thread, while the block lasts. `tell` is given each problem once."""
    if folder is None:
        yield
        return
    stop = threading.Event()

    def go_on() -> None:
        told: set[str] = set()
        while not stop.is_set():
            try:
                problems = {f"region {each.region}: {each.problem}" for each in take_in(url, folder) if each.problem}
            except (RinggateError, OSError) as error:
                problems = {redact(str(error))}
            for each in sorted(problems - told):
                tell(each)
            told = problems
            stop.wait(EVERY)

    thread = threading.Thread(target=go_on, name="regions", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
