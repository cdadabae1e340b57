"""Forgetting: what is older than it is kept is removed, a little at a time, and runs are rolled up to hours.

    while store.prune(Retention(), now).more: ...

What an open bake rests on stays: all of a ring since a week before its newest deployment, for a month after it. So does
what is held (`hold`), and what `spared` names: failures that a waiver accepts, as long as it does. Whatever is removed
of the runs themselves, the hours keep: baselines and figures come out the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, not_, or_, select

from ringgate.domain.labels import microseconds, moment_of
from ringgate.domain.model import RunResult
from ringgate.domain.retention import Retention
from ringgate.domain.terms import Outcome
from ringgate.store import tables
from ringgate.store.blocks import Blocks, packed
from ringgate.store.database import upsert
from ringgate.store.notes import Notes

LIMIT = 20_000
"""Rows of each kind that are removed in one go: so long nobody else can write into SQLite."""

OPEN, BEFORE = timedelta(days=30), timedelta(days=7)
"""How long after a deployment its bake counts as open, and how far before it its baseline reaches."""

HELD = timedelta(days=400)
"""How long what a stored verdict rests on is held."""

ROLLED_UP_AFTER = timedelta(days=1)
"""Nobody who follows the store asks for blocks that are older."""

_HOUR = 3_600_000_000
_BAD = (Outcome.FAILED.value, Outcome.BROKEN.value)

Span = tuple[str, int, int]
"""A ring, and the first and last microsecond of what is kept of it; "" for every ring."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed, by kind (`passed`, `failures`, `samples`, `hours`), and how many blocks were rolled up to how
    many hours. `more`: there is more to do."""

    removed: Mapping[str, int]
    rolled_up: int = 0
    into: int = 0
    more: bool = False


class Pruning(Blocks, Notes):
    """What a store forgets."""

    def prune(
        self,
        retention: Retention,
        now: datetime,
        spared: Callable[[RunResult], bool] = lambda result: False,
        limit: int = LIMIT,
    ) -> Pruned:
        """Removes at most `limit` rows of each kind. Raises StoreError."""
        kept = self.protected(now)
        removed = {
            "passed": self._prune_passed(microseconds(now - retention.passed), kept, limit),
            "failures": self._prune_failures(microseconds(now - retention.failures), kept, spared, limit),
            "samples": self._prune_samples(now - retention.samples, kept, limit),
            "hours": self._prune_hours(microseconds(now - retention.hours), kept, limit),
        }
        rolled_up, into = self._roll_up(microseconds(now - ROLLED_UP_AFTER), limit // 4)
        more = any(number >= limit for number in removed.values()) or rolled_up >= limit // 4
        return Pruned(removed, rolled_up, into, more)

    def hold(
        self, name: str, reason: str, ring: str, since: datetime, until: datetime, expires: datetime | None = None
    ) -> None:
        """Keeps all that a ring ("" for every one) had between two moments, until it expires or is held no more."""
        row = {
            "name": name, "reason": reason, "ring": ring, "since": microseconds(since), "until": microseconds(until),
            "expires": microseconds(expires) if expires else None,
        }  # fmt: skip
        with self._writing() as connection:
            new = upsert(connection, tables.retention_holds).values(**row)
            again = {key: new.excluded[key] for key in row if key != "name"}
            connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=again))

    def protected(self, now: datetime) -> list[Span]:
        """What must not be forgotten: open bakes, and what is held."""
        holds = tables.retention_holds.c
        at = microseconds(now)
        with self._reading() as connection:
            held = connection.execute(
                select(holds.ring, holds.since, holds.until).where(or_(holds.expires.is_(None), holds.expires > at))
            ).all()
        newest = {each.ring: each for each in self.deployments()}
        bakes = [(ring, microseconds(each.at - BEFORE), at) for ring, each in newest.items() if now - each.at < OPEN]
        return [*bakes, *((row.ring, row.since, row.until) for row in held)]

    def run_ids(self, spans: list[Span]) -> set[str]:
        """Of the runs in these spans those that have more to tell than that they passed."""
        runs = tables.runs.c
        if not spans:
            return set()
        with self._reading() as connection:
            found = select(runs.run_id).where(runs.details.is_not(None), or_(*map(_within, spans)))
            return set(connection.execute(found).scalars())

    def stats(self) -> dict[str, Any]:
        """How much there is: runs by outcome with the first and last moment, blocks, samples, labels, sessions."""
        runs, shapes, blocks = tables.runs.c, tables.run_shapes.c, tables.run_blocks.c
        by_outcome = (
            select(shapes.outcome, func.count(), func.min(runs.started_at), func.max(runs.started_at))
            .join_from(tables.runs, tables.run_shapes, runs.shape == shapes.id)
            .group_by(shapes.outcome)
        )
        in_blocks = select(blocks.packed, func.count(), func.sum(blocks.runs), func.sum(func.length(blocks.data)))
        with self._reading() as connection:
            outcomes = {
                outcome: {"runs": number, "first": moment_of(first), "last": moment_of(last)}
                for outcome, number, first, last in connection.execute(by_outcome)
            }
            kinds = {
                "hours" if is_packed else "blocks": {"number": number, "runs": int(held), "bytes": int(size)}
                for is_packed, number, held, size in connection.execute(in_blocks.group_by(blocks.packed))
            }
            others = {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (tables.samples, tables.run_labels, tables.run_sessions, tables.retention_holds)
            }
            size = connection.exec_driver_sql(
                "SELECT pg_database_size(current_database())"
                if connection.dialect.name == "postgresql"
                else "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            ).scalar_one()
        return {"bytes": int(size), "runs": outcomes, **kinds, **others}

    def compact(self) -> None:
        """Gives what is free back to the disk. Raises StoreError."""
        with self._reading() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")

    # --- kind by kind ---------------------------------------------------------------------------------------------

    def _prune_passed(self, before: int, kept: list[Span], limit: int) -> int:
        runs, shapes = tables.runs.c, tables.run_shapes.c
        bad = select(shapes.id).where(shapes.outcome.in_(_BAD))
        old = select(runs.run_id).where(runs.started_at < before, runs.shape.not_in(bad), *_outside(kept))
        with self._writing() as connection:
            some = old.limit(limit)
            return connection.execute(delete(tables.runs).where(runs.run_id.in_(some))).rowcount

    def _prune_failures(self, before: int, kept: list[Span], spared: Callable[[RunResult], bool], limit: int) -> int:
        runs, shapes = tables.runs.c, tables.run_shapes.c
        bad = select(shapes.id).where(shapes.outcome.in_(_BAD))
        old = select(tables.runs).where(
            runs.details.is_not(None), runs.started_at < before, runs.shape.in_(bad), *_outside(kept)
        )
        with self._reading() as connection:
            rows = connection.execute(old.order_by(runs.started_at).limit(limit)).all()
        gone = [each.run_id for each in self.results_of(rows) if not spared(each)]
        with self._writing() as connection:
            for start in range(0, len(gone), 500):
                connection.execute(delete(tables.runs).where(runs.run_id.in_(gone[start : start + 500])))
        return len(gone)

    def _prune_samples(self, before: datetime, kept: list[Span], limit: int) -> int:
        samples = tables.samples.c
        held = [not_(and_(samples.at >= moment_of(since), samples.at <= moment_of(until))) for _, since, until in kept]
        old = select(samples.number).where(samples.at < before, *held).limit(limit)
        with self._writing() as connection:
            return connection.execute(delete(tables.samples).where(samples.number.in_(old))).rowcount

    def _prune_hours(self, before: int, kept: list[Span], limit: int) -> int:
        blocks = tables.run_blocks.c
        held = [
            not_(and_(blocks.first_at <= until, blocks.last_at >= since, *([blocks.ring == ring] if ring else [])))
            for ring, since, until in kept
        ]
        old = select(blocks.id).where(blocks.last_at < before, *held).limit(limit)
        with self._writing() as connection:
            return connection.execute(delete(tables.run_blocks).where(blocks.id.in_(old))).rowcount

    def _roll_up(self, before: int, limit: int) -> tuple[int, int]:
        """Joins blocks of the same ring, release and hour, compressed: how many there were, and how many there are."""
        blocks = tables.run_blocks.c
        old = select(tables.run_blocks).where(blocks.packed.is_(False), blocks.recorded_at < before)
        with self._writing() as connection:
            rows = connection.execute(old.order_by(blocks.first_at).limit(limit)).all()
            groups: dict[tuple[str, str, int], list[Any]] = defaultdict(list)
            for row in rows:
                groups[row.ring, row.release, row.first_at // _HOUR].append(row)
            joined = [
                {
                    "ring": ring, "release": release, "recorded_at": max(row.recorded_at for row in found),
                    "first_at": min(row.first_at for row in found), "last_at": max(row.last_at for row in found),
                    "runs": sum(row.runs for row in found), "packed": True,
                    "data": packed(b"".join(bytes(row.data) for row in found)),
                }
                for (ring, release, _), found in groups.items()
            ]  # fmt: skip
            if rows:
                keys = [row.id for row in rows]
                for start in range(0, len(keys), 500):
                    connection.execute(delete(tables.run_blocks).where(blocks.id.in_(keys[start : start + 500])))
                connection.execute(insert(tables.run_blocks), joined)
        return len(rows), len(joined)


def _within(span: Span) -> ColumnElement[bool]:
    ring, since, until = span
    runs, labels = tables.runs.c, tables.run_labels.c
    of_ring = [runs.labels.in_(select(labels.id).where(labels.ring == ring))] if ring else []
    return and_(runs.started_at >= since, runs.started_at <= until, *of_ring)


def _outside(spans: list[Span]) -> list[ColumnElement[bool]]:
    return [not_(_within(span)) for span in spans]
