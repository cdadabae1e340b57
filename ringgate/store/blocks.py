"""Runs as columns, out of their blocks: no row is read one by one.

Whoever follows the store passes over the blocks that it knows: a block never changes, and is only joined to others,
by the hour, when nobody follows it any more.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, select

from ringgate.domain.labels import microseconds
from ringgate.store import tables
from ringgate.store.database import raw
from ringgate.store.runs import LATE, Runs

if TYPE_CHECKING:
    from ringgate.domain.columns import ResultColumns


class Blocks(Runs):
    """The runs of a store as columns."""

    def columns(
        self,
        *,
        ring: str | None = None,
        release: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> ResultColumns:
        """All runs that fit, in no order. `since` is inclusive and `until` exclusive, of their start."""
        found, _ = self.blocks(ring=ring, release=release, since=since, until=until)
        return found

    def blocks(
        self,
        *,
        ring: str | None = None,
        release: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        recorded: datetime | None = None,
        known: Collection[int] = (),
    ) -> tuple[ResultColumns, dict[int, int]]:
        """All runs that fit, in no order, but for those in blocks that are known; and which blocks there were, with the
        moment of their recording in microseconds since 1970. `recorded`: only what was recorded since shortly before
        that moment.

        For those who follow the store: ask again with the last moment, and name the blocks of the last answer."""
        columns = tables.run_blocks.c
        limits: list[ColumnElement[bool]] = [
            column == value for column, value in ((columns.ring, ring), (columns.release, release)) if value is not None
        ]
        if since is not None:
            limits.append(columns.last_at >= microseconds(since))
        if until is not None:
            limits.append(columns.first_at < microseconds(until))
        if recorded is not None:
            limits.append(columns.recorded_at >= microseconds(recorded - LATE))
        query = select(columns.id, columns.recorded_at, columns.packed, columns.data).where(*limits)
        records, found = bytearray(), dict[int, int]()
        with self._reading() as connection:
            for part in raw(connection, query):
                found.update((key, at) for key, at, _, _ in part)
                new = (row for row in part if row[0] not in known) if known else part
                records += b"".join([unpacked(data) if is_packed else data for _, _, is_packed, data in new])
        whole = self._columns(records)
        if since is not None:
            whole = whole.only(whole.records["started"] >= microseconds(since))
        if until is not None:
            whole = whole.only(whole.records["started"] < microseconds(until))
        return whole, found

    def _columns(self, records: bytearray) -> ResultColumns:
        import numpy as np

        from ringgate.domain.columns import RECORD, ResultColumns

        return ResultColumns(np.frombuffer(records, RECORD), dict(self.labels()), dict(self.shapes()))


def packed(data: bytes) -> bytes:
    """Records of a block in less space: by columns, each as the difference to the one before, compressed."""
    import numpy as np

    from ringgate.domain.columns import RECORD

    records = np.frombuffer(data, RECORD)
    started = np.diff(records["started"], prepend=np.int64(0))
    columns = [started if name == "started" else records[name] for name in RECORD.names or ()]
    return zlib.compress(b"".join(np.ascontiguousarray(each).tobytes() for each in columns), 6)


def unpacked(data: bytes) -> bytes:
    """What `packed` was given."""
    import numpy as np

    from ringgate.domain.columns import RECORD

    whole = zlib.decompress(data)
    number, place = len(whole) // RECORD.itemsize, 0
    records = np.empty(number, RECORD)
    for name in RECORD.names or ():
        kind = RECORD[name]
        values = np.frombuffer(whole, kind, number, place)
        records[name] = np.cumsum(values) if name == "started" else values
        place += number * kind.itemsize
    return records.tobytes()
