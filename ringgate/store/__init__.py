"""What was run and what happened around it, kept: SQLite in WAL mode by default, PostgreSQL by URL, the same code.

store = Store("sqlite:////home/qa/.local/state/ringgate/results.sqlite")
store.on(RunFinished(result))
store.results(session="20261122T2300-k3v9x2")
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from ringgate.domain.events import Event, RunFinished
from ringgate.domain.model import Deployment, RunResult, SignalSample, Source
from ringgate.store import tables
from ringgate.store.rows import aware, result_of, row_of
from ringgate.store.tables import SCHEMA_VERSION, StoreError

LATE = timedelta(seconds=60)
"""How much later than its moment a row may become visible to others: transactions end in another order."""

Tally = tuple[str, str, str, str]
"""What is counted: a word, tenant, scenario, channel; "" where it does not apply."""


@dataclass(frozen=True, slots=True)
class ProberState:
    """A process that probes, as it last said of itself. Times are aware; `stopped_at` is None while it is meant to
    run, or after it was killed: then `seen_at` grows old."""

    id: str
    started_at: datetime
    seen_at: datetime
    stopped_at: datetime | None = None
    detail: Mapping[str, Any] | None = None


class Store:
    """Keeps every finished run exactly once (by its run id), and gives them back. A sink. Safe for threads."""

    def __init__(self, url: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`url` is SQLAlchemy's; a PostgreSQL one is `postgresql+psycopg://...`. Creates what is missing."""
        self._engine, self._clock = tables.opened(url), clock

    # --- runs -----------------------------------------------------------------------------------------------------

    def on(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self.add(event.result)

    def add(self, *results: RunResult, known: bool = False) -> None:
        """Keeps them all, or none. With `known`, those that are kept already are passed over."""
        with self._writing() as connection:
            if known:
                kept = self._kept(connection, [each.run_id for each in results])
                results = tuple(each for each in results if each.run_id not in kept)
            if not results:
                return
            now = self._clock().astimezone(UTC)
            connection.execute(insert(tables.runs), [row_of(each) | {"recorded_at": now} for each in results])
            self._count_touches(connection, [each for each in results if each.touched])

    def _kept(self, connection: Connection, run_ids: Sequence[str]) -> set[str]:
        column, found = tables.runs.c.run_id, set[str]()
        for start in range(0, len(run_ids), 500):  # databases take so many parameters and no more
            found.update(connection.execute(select(column).where(column.in_(run_ids[start : start + 500]))).scalars())
        return found

    def _count_touches(self, connection: Connection, results: Sequence[RunResult]) -> None:
        runs: Counter[tuple[str, str, frozenset[str]]] = Counter()
        last: dict[tuple[str, str, frozenset[str]], datetime] = {}
        for each in results:
            key = (each.scenario, each.channel.value, each.touched)
            runs[key] += 1
            last[key] = each.started_at.astimezone(UTC)
        rows = [
            {"scenario": scenario, "channel": channel, "digest": _digest(touches), "touched": sorted(touches),
             "runs": runs[scenario, channel, touches], "last_at": last[scenario, channel, touches]}
            for scenario, channel, touches in runs
        ]  # fmt: skip
        key_columns = ["scenario", "channel", "digest"]
        for row in sorted(rows, key=lambda each: [each[name] for name in key_columns]):  # one order, or writers lock up
            new = _insert(connection, tables.touches).values(**row)
            more = {"runs": tables.touches.c.runs + new.excluded.runs, "last_at": new.excluded.last_at}
            connection.execute(new.on_conflict_do_update(index_elements=key_columns, set_=more))

    def usage(self) -> dict[str, dict[str, int]]:
        """What runs touched: touch -> scenario and channel (`time-entry over api`) -> number of runs."""
        columns = tables.touches.c
        query = select(columns.scenario, columns.channel, columns.touched, columns.runs)
        found: dict[str, dict[str, int]] = {}
        with self._reading() as connection:
            for scenario, channel, touched, count in connection.execute(query):
                name = f"{scenario} over {channel}"
                for touch in touched:
                    uses = found.setdefault(touch, {})
                    uses[name] = uses.get(name, 0) + count
        return found

    def results(
        self,
        *,
        session: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        ring: str | None = None,
        release: str | None = None,
        sources: Iterable[Source] | None = None,
        newest: int | None = None,
    ) -> list[RunResult]:
        """All results that fit, or the `newest` of them, oldest first. `since` is inclusive and `until` exclusive, of
        their start."""
        columns = tables.runs.c
        query = select(tables.runs).order_by(columns.started_at.desc(), columns.run_id.desc()).limit(newest)
        for column, wanted in ((columns.session, session), (columns.ring, ring), (columns.release, release)):
            if wanted is not None:
                query = query.where(column == wanted)
        if since is not None:
            query = query.where(columns.started_at >= since.astimezone(UTC))
        if until is not None:
            query = query.where(columns.started_at < until.astimezone(UTC))
        if sources is not None:
            query = query.where(columns.source.in_([each.value for each in sources]))
        with self._reading() as connection:
            return [result_of(row._mapping) for row in connection.execute(query)][::-1]

    def recorded(self, after: datetime | None, until: datetime | None = None) -> list[tuple[datetime, RunResult]]:
        """What was recorded since shortly before `after`, in that order, each with that moment; all for None.

        For those who follow the store: ask again with the last moment, and pass over the run ids that are known.
        `until` (exclusive) cuts a long time into pieces that fit into memory."""
        columns = tables.runs.c
        query = select(tables.runs).where(columns.recorded_at.is_not(None)).order_by(columns.recorded_at)
        if after is not None:
            query = query.where(columns.recorded_at >= after.astimezone(UTC) - LATE)
        if until is not None:
            query = query.where(columns.recorded_at < until.astimezone(UTC))
        with self._reading() as connection:
            return [(aware(row.recorded_at), result_of(row._mapping)) for row in connection.execute(query)]

    def last_session(self) -> str | None:
        """The label of the session that ran something last; a prober, whose sessions have no end, only if none else."""
        columns = tables.runs.c
        query = select(columns.session).where(columns.session != "").order_by(columns.started_at.desc()).limit(1)
        probing = (Source.PROBE.value, Source.SELF_TEST.value)
        with self._reading() as connection:
            ended = connection.execute(query.where(columns.source.not_in(probing))).scalar()
            return ended or connection.execute(query).scalar()

    # --- what happened around them ------------------------------------------------------------------------------------

    def deployed(self, deployment: Deployment) -> None:
        """Notes that a release reached a ring."""
        row = {**asdict(deployment), "at": deployment.at.astimezone(UTC), "tenants": list(deployment.tenants)}
        with self._writing() as connection:
            connection.execute(insert(tables.deployments).values(**row))

    def deployments(self, *, ring: str | None = None, since: datetime | None = None) -> list[Deployment]:
        """All that were noted, oldest first."""
        columns = tables.deployments.c
        query = select(tables.deployments).order_by(columns.at, columns.id)
        if ring is not None:
            query = query.where(columns.ring == ring)
        if since is not None:
            query = query.where(columns.at >= since.astimezone(UTC))
        with self._reading() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]
        return [Deployment(**{**row, "at": aware(row["at"]), "tenants": tuple(row["tenants"])}) for row in rows]

    def sampled(self, samples: Sequence[SignalSample]) -> None:
        """Keeps platform signals."""
        if samples:
            with self._writing() as connection:
                rows = [{**asdict(each), "at": each.at.astimezone(UTC)} for each in samples]
                connection.execute(insert(tables.samples), rows)

    def samples(self, *, since: datetime | None = None, signal: str | None = None) -> list[SignalSample]:
        """All that were kept, oldest first."""
        columns = tables.samples.c
        query = select(tables.samples).order_by(columns.at, columns.number)
        if since is not None:
            query = query.where(columns.at >= since.astimezone(UTC))
        if signal is not None:
            query = query.where(columns.signal == signal)
        with self._reading() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]
        return [
            SignalSample(**{k: v for k, v in row.items() if k != "number"} | {"at": aware(row["at"])}) for row in rows
        ]

    def count(self, counts: Mapping[Tally, int]) -> None:
        """Adds to counters: what was late, skipped or overlapping, for good and across processes."""
        keys = ("what", "tenant", "scenario", "channel")
        with self._writing() as connection:
            for counter, number in sorted(counts.items()):
                new = _insert(connection, tables.counters).values(**dict(zip(keys, counter, strict=True)), count=number)
                more = {"count": tables.counters.c.count + new.excluded.count}
                connection.execute(new.on_conflict_do_update(index_elements=list(keys), set_=more))

    def counters(self) -> dict[Tally, int]:
        columns = tables.counters.c
        query = select(columns.what, columns.tenant, columns.scenario, columns.channel, columns.count)
        with self._reading() as connection:
            return {(w, t, s, c): number for w, t, s, c, number in connection.execute(query)}

    def seen(self, prober: ProberState) -> None:
        """Notes what a prober says of itself; to be said again and again while it lives."""
        row = asdict(prober) | {"detail": dict(prober.detail or {})}
        for name in ("started_at", "seen_at", "stopped_at"):
            row[name] = row[name].astimezone(UTC) if row[name] else None
        with self._writing() as connection:
            new = _insert(connection, tables.probers).values(**row)
            again = {name: new.excluded[name] for name in row if name != "id"}
            connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=again))

    def probers(self) -> list[ProberState]:
        """All that were ever seen, the last seen first."""
        query = select(tables.probers).order_by(tables.probers.c.seen_at.desc())
        with self._reading() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]
        times = ("started_at", "seen_at", "stopped_at")
        return [ProberState(**row | {name: aware(row[name]) if row[name] else None for name in times}) for row in rows]

    def keep_figures(self, name: str, at: datetime, data: Mapping[str, Any]) -> None:
        """Keeps what a follower added up, instead of what it kept before."""
        with self._writing() as connection:
            new = _insert(connection, tables.figures).values(name=name, at=at.astimezone(UTC), data=dict(data))
            again = {"at": new.excluded.at, "data": new.excluded.data}
            connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=again))

    def figures(self, name: str) -> dict[str, Any] | None:
        """What was kept under this name last, or None."""
        query = select(tables.figures.c.data).where(tables.figures.c.name == name)
        with self._reading() as connection:
            found = connection.execute(query).scalar()
        return dict(found) if found is not None else None

    def close(self) -> None:
        self._engine.dispose()

    def _writing(self) -> AbstractContextManager[Connection]:
        return self._at_work("written", self._engine.begin)

    def _reading(self) -> AbstractContextManager[Connection]:
        return self._at_work("read", self._engine.connect)

    @contextmanager
    def _at_work(self, what: str, begin: Callable[[], AbstractContextManager[Connection]]) -> Iterator[Connection]:
        with tables.trouble(self._engine, what), begin() as connection:
            yield connection


def _digest(touches: frozenset[str]) -> str:
    return hashlib.sha256("\n".join(sorted(touches)).encode()).hexdigest()


def _insert(connection: Connection, table: Table) -> Any:
    """An INSERT that can say what happens on a conflict, in the dialect of either database."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


__all__ = ["SCHEMA_VERSION", "ProberState", "Store", "StoreError", "Tally"]
