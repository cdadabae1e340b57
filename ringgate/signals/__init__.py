"""Platform signals: what a user's own databases, Prometheus and services say beside the runs, kept in the store.

    signals = load(Path("deploy/signals.toml"), inventory.tenants)
    for error in poll(signals, store, datetime.now(UTC)):
        print(error)     # queue-backlog: environment variable ERP_DATABASE_URL is not set: ...

Each round of a signal also leaves one sample named `<signal>/up`: 1 if all its sources were read, 0 if one was not, and
then no other. So a value of an earlier round is never taken for one of now.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import SignalSample, Tenant
from ringgate.host.secrets import redact
from ringgate.signals.schema import SignalReading, Signals, SignalsError, load
from ringgate.signals.sources import SourceError, read
from ringgate.store import CounterKey, Store

__all__ = ["Poller", "Signals", "SignalsError", "SourceError", "load", "poll", "polling", "read_once"]

AT_ONCE = 8
"""Sources that are read at the same time."""
UP = "/up"


def poll(signals: Signals, store: Store, now: datetime) -> list[str]:
    """Reads every source once, keeps what they said as of `now`, and returns what went wrong, without secrets.

    Raises StoreTrouble; what a source does never raises.
    """
    samples, counts, errors = _read(signals, now)
    store.sampled(samples)
    store.count(counts)
    return errors


def read_once(signals: Signals, now: datetime) -> tuple[list[SignalSample], list[str]]:
    """What every source says now, and what went wrong, without secrets. Keeps nothing, and never raises."""
    samples, _, errors = _read(signals, now)
    return [each for each in samples if not each.signal.endswith(UP)], errors


def _read(signals: Signals, now: datetime) -> tuple[list[SignalSample], dict[CounterKey, int], list[str]]:
    samples: list[SignalSample] = []
    errors: list[str] = []
    counts: dict[CounterKey, int] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="signals") as pool:
        begun: Mapping[SignalReading, Future[list[SignalSample]]] = {
            each: pool.submit(read, each, now, signals.timeout.total_seconds()) for each in signals.readings
        }
    for name in dict.fromkeys(each.signal for each in begun):
        found: list[SignalSample] = []
        wrong: list[str] = []
        for each, future in begun.items():
            if each.signal == name:
                _gather(each, future, found, wrong)
        samples += [SignalSample(now, name + UP, float(not wrong)), *([] if wrong else found)]
        errors += wrong
        counts[(f"{'failed' if wrong else 'read'}{UP}", "", name, "")] = 1
    return samples, counts, errors


def _gather(
    reading: SignalReading, future: Future[list[SignalSample]], found: list[SignalSample], wrong: list[str]
) -> None:
    whose = f"{reading.signal} of {reading.tenant}" if reading.tenant else reading.signal
    try:
        found += future.result()
    except RinggateError as error:
        wrong.append(redact(f"{whose}: {error}"))
    except Exception as error:  # a driver's own: the next source must be read all the same
        wrong.append(redact(f"{whose}: {type(error).__name__}: {error}"))


class Poller:
    """Reads the sources again and again in a thread of its own, until it is stopped. `tell` is given each error."""

    def __init__(self, signals: Signals, store: Store, tell: Callable[[str], None]) -> None:
        self._signals, self._store, self._tell = signals, store, tell
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="signals", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends after the round that is under way."""
        self._stop.set()
        self._thread.join()

    def _go_on(self) -> None:
        told: set[str] = set()
        while not self._stop.is_set():
            try:
                errors = set(poll(self._signals, self._store, datetime.now(UTC)))
            except RinggateError as error:  # the store; the gap is seen by whoever reads it
                errors = {redact(str(error))}
            for each in sorted(errors - told):  # once, and again after it went well
                self._tell(each)
            told = errors
            self._stop.wait(self._signals.interval.total_seconds())


@contextmanager
def polling(file: Path | None, tenants: Sequence[Tenant], url: str, tell: Callable[[str], None]) -> Iterator[None]:
    """Reads what the file names into the store at `url` while the block lasts. Raises SignalsError."""
    if file is None:
        yield
        return
    signals, store = load(file, tenants), Store(url)
    poller = Poller(signals, store, tell)
    poller.start()
    try:
        yield
    finally:
        poller.stop()
        store.close()
