"""Runs in the store: each exactly once, by its run id."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, insert, select

from ringgate.domain.events import Event, RunFinished, RunRecovered
from ringgate.domain.labels import RunLabels, RunShape, labels_of, microseconds, moment_of, shape_of
from ringgate.domain.model import Residue, RunResult
from ringgate.domain.terms import Outcome, Source
from ringgate.store import additions, encoding, residue, tables
from ringgate.store.database import Database, raw, upsert

LATE = timedelta(seconds=60)
"""How much later than its moment a row may become visible to others: transactions end in another order."""

ROWS = 100_000
"""In one list of `rows`."""

_AT_ONCE = 500
"""Parameters of one question; databases take so many and no more."""


class Runs(Database):
    """The runs of a store. A sink: `on` takes what has finished."""

    def __init__(self, url: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """See `Database`."""
        super().__init__(url, clock)
        self._guard = threading.Lock()
        self._labels, self._shapes = dict[int, RunLabels](), dict[int, RunShape]()
        self._label_keys, self._shape_keys = dict[RunLabels, int](), dict[RunShape, int]()

    def on(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self.add(event.result)
        elif isinstance(event, RunRecovered):
            with self._writing() as connection:
                residue.note_recovery(connection, event)

    def add(self, *results: RunResult, known: bool = False) -> None:
        """Keeps them all, or none. With `known`, those that are kept already are passed over."""
        with self._writing() as connection:
            if known:
                kept = self._kept(connection, [each.run_id for each in results])
                results = tuple(each for each in results if each.run_id not in kept)
            if not results:
                return
            recorded = microseconds(self._clock())
            labels = self._keys_of_labels(connection, map(labels_of, results))
            shapes = self._keys_of_shapes(connection, map(shape_of, results))
            sessions = _keys_of_sessions(connection, results)
            keys = [(labels[labels_of(each)], shapes[shape_of(each)]) for each in results]
            rows = [
                encoding.run_row(each, *key, sessions[each.session], recorded)
                for each, key in zip(results, keys, strict=True)
            ]
            connection.execute(insert(tables.runs), rows)
            connection.execute(insert(tables.run_blocks), additions.block_rows(results, keys, recorded))
            if arrived := additions.sample_rows(results):
                connection.execute(insert(tables.samples), arrived)
            residue.note_left(connection, results)
            _count_touches(connection, results)
        with self._guard:  # only what was committed is known
            self._label_keys.update(labels)
            self._shape_keys.update(shapes)

    def _kept(self, connection: Connection, run_ids: Sequence[str]) -> set[str]:
        column, found = tables.runs.c.run_id, set[str]()
        for start in range(0, len(run_ids), _AT_ONCE):
            wanted = column.in_(run_ids[start : start + _AT_ONCE])
            found.update(connection.execute(select(column).where(wanted)).scalars())
        return found

    def _keys_of_labels(self, connection: Connection, wanted: Iterable[RunLabels]) -> dict[RunLabels, int]:
        found = {}
        for labels in sorted(set(wanted), key=repr):  # one order, or writers lock each other up
            key = self._label_keys.get(labels)
            found[labels] = key or _key(connection, tables.run_labels, encoding.labels_row(labels))
        return found

    def _keys_of_shapes(self, connection: Connection, wanted: Iterable[RunShape]) -> dict[RunShape, int]:
        found = {}
        for shape in sorted(set(wanted), key=repr):
            key = self._shape_keys.get(shape)
            found[shape] = key or _key(connection, tables.run_shapes, encoding.shape_row(shape), ("digest",))
        return found

    def labels(self) -> Mapping[int, RunLabels]:
        """All labels that any run has, by their keys."""
        self._learn(self._labels, tables.run_labels, encoding.labels_from)
        return self._labels

    def shapes(self) -> Mapping[int, RunShape]:
        """All shapes that any run has, by their keys."""
        self._learn(self._shapes, tables.run_shapes, encoding.shape_from)
        return self._shapes

    def _learn(self, known: dict[int, Any], table: Any, made: Callable[[Any], Any]) -> None:
        """Reads what is new in a table whose rows never change."""
        with self._reading() as connection:
            # An earlier number may come to be seen later.
            query = select(table)
            if known and connection.execute(select(func.count()).select_from(table)).scalar() == len(known):
                return
            found = {row.id: made(row) for row in connection.execute(query) if row.id not in known}
        with self._guard:
            known.update(found)

    # --- what there is --------------------------------------------------------------------------------------------

    def results(
        self,
        *,
        session: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        ring: str | None = None,
        release: str | None = None,
        sources: Iterable[Source] | None = None,
        outcomes: Iterable[Outcome] | None = None,
        shapes: Iterable[int] | None = None,
        recorded: datetime | None = None,
        newest: int | None = None,
        oldest: int | None = None,
        steps: bool = True,
    ) -> list[RunResult]:
        """All results that fit, or the `newest` or `oldest` of them, oldest first. `since` is inclusive and `until`
        exclusive, of their start; `recorded`: only what was recorded since shortly before that moment. Without `steps`
        they come without their steps, twice as fast."""
        columns = tables.runs.c
        order = (columns.started_at, columns.run_id)
        query = select(tables.runs).order_by(*(order if oldest else (each.desc() for each in order)))
        query = query.limit(oldest or newest)
        if session is not None:
            query = _of_session(query, session)
        of = tables.run_labels.c
        limits = [column == value for column, value in ((of.ring, ring), (of.release, release)) if value is not None]
        if sources is not None:
            limits.append(of.source.in_([each.value for each in sources]))
        if limits:
            query = query.where(columns.labels.in_(select(of.id).where(*limits)))
        if outcomes is not None:
            query = query.where(*_with_outcome(set(outcomes)))
        if shapes is not None:
            query = query.where(columns.shape.in_(sorted(shapes)))
        if recorded is not None:
            query = query.where(columns.recorded_at >= microseconds(recorded - LATE))
        if since is not None:
            query = query.where(columns.started_at >= microseconds(since))
        if until is not None:
            query = query.where(columns.started_at < microseconds(until))
        found = [result for _, result in self._read(query, steps=steps)]
        return found if oldest else found[::-1]

    def recorded(self, after: datetime | None, until: datetime | None = None) -> list[tuple[datetime, RunResult]]:
        """What was recorded since shortly before `after`, in that order, each with that moment; all for None.

        For those who follow the store: ask again with the last moment, and pass over the run ids that are known.
        `until` (exclusive) cuts a long time into pieces that fit into memory."""
        columns = tables.runs.c
        query = select(tables.runs).order_by(columns.recorded_at)
        if after is not None:
            query = query.where(columns.recorded_at >= microseconds(after - LATE))
        if until is not None:
            query = query.where(columns.recorded_at < microseconds(until))
        return self._read(query)

    def rows(
        self, after: datetime, until: datetime | None = None, names: Sequence[str] = encoding.RunRow._fields
    ) -> Iterator[list[tuple[Any, ...]]]:
        """What was recorded from `after` on (until before `until`), in no order, in lists of many thousand: for who
        adds up more of them than there is memory for. Of each there is what is named, of `encoding.RunRow`."""
        columns = tables.runs.c
        query = select(*(columns[name] for name in names)).where(columns.recorded_at >= microseconds(after))
        if until is not None:
            query = query.where(columns.recorded_at < microseconds(until))
        with self._reading() as connection:
            yield from raw(connection, query, ROWS)

    def of_ids(self, run_ids: Iterable[str]) -> list[RunResult]:
        """The results of these runs, as far as they are there, oldest first."""
        wanted, found = list(run_ids), list[Any]()
        with self._reading() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                some = select(tables.runs).where(tables.runs.c.run_id.in_(wanted[start : start + _AT_ONCE]))
                for part in raw(connection, some):
                    found += part
        return sorted(self.results_of(found), key=lambda each: each.started_at)

    def of_starts(self, starts: Iterable[tuple[int, int]]) -> list[RunResult]:
        """The results of runs of which the key of their labels and their start in microseconds since 1970 are known,
        such as columns give them; oldest first."""
        wanted, found, column = set(starts), list[Any](), tables.runs.c.started_at
        moments = sorted({at for _, at in wanted})
        with self._reading() as connection:
            for first in range(0, len(moments), _AT_ONCE):
                for part in raw(connection, select(tables.runs).where(column.in_(moments[first : first + _AT_ONCE]))):
                    rows = map(encoding.RunRow._make, part)
                    found += [row for row in rows if (row.labels, row.started_at) in wanted]
        return sorted(self.results_of(found), key=lambda each: each.started_at)

    def results_of(self, rows: Iterable[Any]) -> list[RunResult]:
        """The results of rows of `tables.runs`, such as `rows` gives them."""
        with self._reading() as connection:
            sessions = _session_names(connection)
        labels, shapes = self.labels(), self.shapes()
        each = map(encoding.RunRow._make, rows)
        return [encoding.run_of(row, labels, shapes, sessions[row.session]) for row in each]

    def _read(self, query: Select[Any], *, steps: bool = True) -> list[tuple[datetime, RunResult]]:
        """When each was recorded, and the result. Labels are read last: then there is one for every row."""
        with self._reading() as connection:
            rows = connection.execute(query).all()
            sessions = _session_names(connection)
        labels, shapes = self.labels(), self.shapes()
        return [
            (moment_of(row.recorded_at), encoding.run_of(row, labels, shapes, sessions[row.session], steps=steps))
            for row in rows
        ]

    def left_behind(self) -> list[Residue]:
        """What is left now of all that runs could not take back, oldest first."""
        with self._reading() as connection:
            return residue.left(connection)

    def last_session(self) -> str | None:
        """The label of the session that ran something last; a prober, whose sessions have no end, only if none else."""
        columns = tables.run_sessions.c
        with self._reading() as connection:
            for last in (columns.last_suite_at, columns.last_at):
                named = select(columns.name).where(columns.name != "", last.is_not(None))
                if found := connection.execute(named.order_by(last.desc()).limit(1)).scalar():
                    return str(found)
        return None

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


def _session_names(connection: Connection) -> dict[int, str]:
    named = select(tables.run_sessions.c.id, tables.run_sessions.c.name)
    return {key: name for key, name in connection.execute(named)}  # noqa: C416 - rows are no tuples


def _of_session(query: Select[Any], name: str) -> Select[Any]:
    sessions, columns = tables.run_sessions.c, tables.runs.c

    def of(column: Any) -> Any:
        return select(column).where(sessions.name == name).scalar_subquery()

    return query.where(
        columns.session == of(sessions.id),
        columns.started_at >= of(sessions.first_at),
        columns.started_at <= of(sessions.last_at),
    )


def _with_outcome(outcomes: set[Outcome]) -> list[ColumnElement[bool]]:
    shapes = tables.run_shapes.c
    fitting = select(shapes.id).where(shapes.outcome.in_(sorted(outcomes)))
    limits: list[ColumnElement[bool]] = [tables.runs.c.shape.in_(fitting)]
    if Outcome.PASSED not in outcomes:
        limits.append(tables.runs.c.details.is_not(None))  # there is an index of those
    return limits


def _key(connection: Connection, table: Any, row: Mapping[str, Any], by: Sequence[str] = ()) -> int:
    """The key of a row that there is once, made where it is missing."""
    named = select(table.c.id).where(*(table.c[name] == row[name] for name in by or row))
    found = connection.execute(named).scalar()
    if found is None:
        connection.execute(upsert(connection, table).values(**row).on_conflict_do_nothing())
        found = connection.execute(named).scalar_one()
    return int(found)


def _keys_of_sessions(connection: Connection, results: Sequence[RunResult]) -> dict[str, int]:
    """The keys of their sessions, which now reach from their first to their last run."""
    table, keys = tables.run_sessions, {}
    for row in additions.session_rows(results):
        new = upsert(connection, table).values(**row)
        was, now = table.c, new.excluded
        wider = {
            "first_at": case((was.first_at < now.first_at, was.first_at), else_=now.first_at),
            "last_at": case((was.last_at > now.last_at, was.last_at), else_=now.last_at),
            "last_suite_at": case(
                (now.last_suite_at.is_(None), was.last_suite_at),
                (was.last_suite_at > now.last_suite_at, was.last_suite_at),
                else_=now.last_suite_at,
            ),
        }
        connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=wider))
        keys[row["name"]] = connection.execute(select(table.c.id).where(table.c.name == row["name"])).scalar_one()
    return keys


def _count_touches(connection: Connection, results: Sequence[RunResult]) -> None:
    for row in additions.touch_rows(results):
        new = upsert(connection, tables.touches).values(**row)
        more = {"runs": tables.touches.c.runs + new.excluded.runs, "last_at": new.excluded.last_at}
        connection.execute(new.on_conflict_do_update(index_elements=list(additions.TOUCHES_KEY), set_=more))
