"""Puts an engine together from this machine's folders: the one place that knows where its parts lie."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ringgate.domain.events import Sink
from ringgate.domain.model import RunResult, Tenant
from ringgate.domain.terms import Outcome, Source
from ringgate.drivers.registry import Drivers
from ringgate.execution.paces import TimeLimits
from ringgate.execution.run_once import Engine, new_run_id
from ringgate.host import paths
from ringgate.host.run_locks import RunLocks
from ringgate.host.secrets import redact
from ringgate.host.undo_journal import Journal
from ringgate.sinks import opentelemetry
from ringgate.sinks.opentelemetry import OpenTelemetrySink
from ringgate.store import StoreError
from ringgate.store.sessions import SessionStore, session_store

if TYPE_CHECKING:
    from ringgate.execution.twins import Twins

LOOK_BACK, MOST = timedelta(days=7), 5000
"""How far back, and how many runs, the usual pace is looked up at most."""


results_url = paths.results_url


def new_session() -> str:
    """A label for the results of one invocation: sortable by time, unique."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{new_run_id()[:6]}"


def results_of(session: str, url: str | None = None) -> list[RunResult]:
    """What a session's runs came to, oldest first. `url` is the store's, as `results_url` takes it."""
    store = session_store(results_url(url))
    try:
        return store.results(session=session)
    finally:
        store.close()


@contextmanager
def engine(
    tenants: Iterable[Tenant],
    *,
    session: str,
    release: str = "",
    source: Source = Source.SUITE,
    results: str | None = None,
    sinks: Sequence[Sink] = (),
    neighbours: Sequence[Tenant] = (),
    twins: Twins | None = None,
) -> Iterator[Engine]:
    """An engine for these tenants whose results are stored; its drivers are closed at the end.

    `neighbours` are all tenants of the inventory (default: `tenants`), whose sessions are tried on each other. `twins`
    says of which runs all that they made is compared with runs before."""
    tenants = tuple(tenants)
    store = session_store(results_url(results))
    drivers = Drivers([tenant.erp for tenant in tenants])
    traces = _traces()
    both = ExitStack()
    try:
        journal, run_locks = both.enter_context(journal_and_locks())
        yield Engine(
            drivers=drivers,
            journal=journal,
            run_locks=run_locks,
            evidence=paths.reports() / "evidence",
            sinks=(store, *traces, *sinks),
            redact=redact,
            session=session,
            release=release,
            source=source,
            neighbours=neighbours or tenants,
            time_limits=TimeLimits(partial(history, store)),
            twins=twins,
        )
    finally:
        drivers.close()
        both.close()
        store.close()
        for each in traces:
            each.close()


@contextmanager
def journal_and_locks(shared: str | None = None, *, patience: float = 600.0) -> Iterator[tuple[Journal, RunLocks]]:
    """This machine's, or those in the PostgreSQL that `shared` or `RINGGATE_SHARED` names: then what is left by a
    machine that is gone is found by any other. `patience`: seconds to wait for room. Raises SharedError."""
    url = shared or os.environ.get("RINGGATE_SHARED")
    if not url:
        yield Journal(paths.journal()), RunLocks(paths.locks(), patience=patience)
        return
    from ringgate.shared.database import SharedDatabase, SharedMember
    from ringgate.shared.journal import SharedJournal
    from ringgate.shared.run_locks import SharedRunLocks

    database = SharedDatabase(url)
    try:
        member = SharedMember(database)
        try:
            yield SharedJournal(member), SharedRunLocks(member, paths.locks(), patience=patience)
        finally:
            member.close()
    finally:
        database.close()


def twins(every: int, reviewed: Path | None = None) -> Twins | None:
    """The twins of one run of so many; None for 0. `reviewed` is the file of what people accepted.

    Raises TwinsFileMistake with everything that is wrong with the file."""
    if not every and reviewed is None:
        return None
    from ringgate.execution.twins import Twins
    from ringgate.twins.accepted import NOTHING_REVIEWED, read_reviewed
    from ringgate.twins.files import TwinFolder

    accepted = read_reviewed(reviewed) if reviewed else NOTHING_REVIEWED
    return Twins(TwinFolder(paths.twins()), every, accepted) if every else None


def history(store: SessionStore) -> list[RunResult]:
    """What passed lately, oldest first: the usual pace. Nothing where the store cannot be read."""
    with suppress(StoreError):
        since = datetime.now(UTC) - LOOK_BACK
        return store.results(since=since, outcomes=[Outcome.PASSED], newest=MOST)
    return []


def _traces() -> list[OpenTelemetrySink]:
    """Where traces of runs go, if the environment asks for any; says on standard error why they cannot be sent."""
    if not opentelemetry.wanted():
        return []
    if why := opentelemetry.obstacle():
        print(f"ringgate: {why}", file=sys.stderr)
        return []
    return [opentelemetry.OpenTelemetrySink()]
