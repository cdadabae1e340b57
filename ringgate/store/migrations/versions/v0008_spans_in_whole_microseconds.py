"""Blocks hold how long runs took in whole microseconds: 28 bytes a run instead of 40."""

from __future__ import annotations

import zlib

import numpy as np
import sqlalchemy as sa
from alembic import op
from sqlalchemy import Boolean, Column, Integer, LargeBinary

revision = "0008"
down_revision = "0007"

_AT_ONCE = 200
_BEFORE = np.dtype(
    [("labels", "<u4"), ("shape", "<u4"), ("started", "<i8"), ("took", "<f8"), ("undoing", "<f8"), ("posting", "<i8")]
)
_AFTER = np.dtype(
    [("labels", "<u4"), ("shape", "<u4"), ("started", "<i8"), ("took", "<u4"), ("undoing", "<u4"), ("posting", "<u4")]
)
_blocks = sa.Table("run_blocks", sa.MetaData(),
    Column("id", Integer, primary_key=True), Column("runs", Integer), Column("packed", Boolean),
    Column("data", LargeBinary))  # fmt: skip


def upgrade() -> None:
    connection = op.get_bind()
    keys = connection.scalars(sa.select(_blocks.c.id).order_by(_blocks.c.id)).all()
    change = _blocks.update().where(_blocks.c.id == sa.bindparam("key")).values(data=sa.bindparam("new"))
    for first in range(0, len(keys), _AT_ONCE):
        these = _blocks.c.id.in_(keys[first : first + _AT_ONCE])
        rows = connection.execute(sa.select(_blocks).where(these)).all()
        changed = [{"key": row.id, "new": _shorter(bytes(row.data), row.runs, row.packed)} for row in rows]
        connection.execute(change, changed)


def _shorter(data: bytes, runs: int, packed: bool) -> bytes:
    """What was brought up from version 3 just now is as short already."""
    whole = zlib.decompress(data) if packed else data
    if len(whole) != _BEFORE.itemsize * runs:
        return data
    records = np.empty(runs, _AFTER)
    for name, values in (_by_columns(whole, runs) if packed else _by_runs(whole)).items():
        spans = name in ("took", "undoing")
        kept = np.rint(values * 1e6) if spans else values
        records[name] = np.clip(kept, 0, 2**32 - 1) if spans or name == "posting" else kept
    if not packed:
        return records.tobytes()
    return zlib.compress(b"".join(np.ascontiguousarray(records[name]).tobytes() for name in _AFTER.names or ()), 6)


def _by_runs(whole: bytes) -> dict[str, np.ndarray]:
    records = np.frombuffer(whole, _BEFORE)
    return {name: records[name] for name in _BEFORE.names or ()}


def _by_columns(whole: bytes, runs: int) -> dict[str, np.ndarray]:
    """Starts are the differences that they stay."""
    found, place = dict[str, np.ndarray](), 0
    for name in _BEFORE.names or ():
        found[name] = np.frombuffer(whole, _BEFORE[name], runs, place)
        place += runs * _BEFORE[name].itemsize
    return found
