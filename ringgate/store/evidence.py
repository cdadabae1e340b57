"""Rows of evidence: added one after the other, each in view of the last one, whoever else writes at the same moment.

What they say, and that each names the digest of the one before it, is `ringgate.evidence`'s to know.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select

from ringgate.store import tables
from ringgate.store.database import Database

_TABLE = tables.evidence


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """An entry as it is kept. `number` counts from 1 without a gap; `key` says what it is about, once; `digest` is the
    SHA-256 of `entry` as hexadecimal digits. `kind`, `release` and `ring` repeat what stands in it."""

    number: int
    key: str
    kind: str
    release: str
    ring: str
    entry: str
    digest: str


class EvidenceRows(Database):
    """What a store keeps and never changes."""

    def append_evidence(
        self, keys: Sequence[str], make: Callable[[EvidenceRow | None, Collection[str]], Sequence[EvidenceRow]]
    ) -> Sequence[EvidenceRow]:
        """Adds what `make` makes of the last row and of those of `keys` that are not there yet: all of it or nothing,
        on the disk when this returns, and nobody else in between. Raises StoreError."""
        with self._adding() as connection:
            there = select(_TABLE.c.key).where(_TABLE.c.key.in_(keys))
            new = set(keys) - set(connection.execute(there).scalars())
            if not new:
                return []
            last = connection.execute(select(_TABLE).order_by(_TABLE.c.number.desc()).limit(1)).first()
            rows = make(EvidenceRow(**last._mapping) if last else None, new)
            connection.execute(insert(_TABLE), [asdict(row) for row in rows])
        return rows

    def evidence_rows(
        self, *, release: str | None = None, kinds: Collection[str] = (), keys: Collection[str] = (), latest: int = 0
    ) -> list[EvidenceRow]:
        """All that fit, or the `latest` of them, oldest first. Raises StoreError."""
        query = select(_TABLE).order_by(_TABLE.c.number)
        if release is not None:
            query = query.where(_TABLE.c.release == release)
        if kinds:
            query = query.where(_TABLE.c.kind.in_(kinds))
        if keys:
            query = query.where(_TABLE.c.key.in_(keys))
        if latest:
            query = query.order_by(None).order_by(_TABLE.c.number.desc()).limit(latest)
        with self._reading() as connection:
            found = [EvidenceRow(**row._mapping) for row in connection.execute(query)]
        return found[::-1] if latest else found

    def evidence_digest(self, number: int) -> str:
        """Of one entry, "" where there is none. Raises StoreError."""
        with self._reading() as connection:
            found = connection.execute(select(_TABLE.c.digest).where(_TABLE.c.number == number)).scalar()
        return found or ""

    def each_evidence_row(self) -> Iterator[EvidenceRow]:
        """Every one, oldest first, without holding them all. Raises StoreError."""
        with self._reading() as connection:
            query = select(_TABLE).order_by(_TABLE.c.number).execution_options(yield_per=1_000)
            for row in connection.execute(query):
                yield EvidenceRow(**row._mapping)

    @property
    def address(self) -> str:
        """Where the store is, without its password."""
        return self._engine.url.render_as_string(hide_password=True)

    @contextmanager
    def _adding(self) -> Iterator[Connection]:
        """A transaction that alone adds evidence and that outlives a loss of power."""
        with self._at_work("written", self._engine.connect) as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA synchronous=FULL")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql("LOCK TABLE evidence IN SHARE ROW EXCLUSIVE MODE")
            yield connection
            connection.commit()
            if connection.dialect.name == "sqlite":  # runs are in the spool besides
                connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
