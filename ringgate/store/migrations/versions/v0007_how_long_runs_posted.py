"""Blocks say how long the steps of each run took that post: of runs before, that they are not known to have posted."""

from __future__ import annotations

import zlib

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Boolean, Column, Integer, LargeBinary

revision = "0007"
down_revision = "0006"

_BEFORE, _MORE = 32, 8
"""Bytes of a run in a block, and how many are added."""
_AT_ONCE = 200
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
        changed = [{"key": row.id, "new": _longer(bytes(row.data), row.runs, row.packed)} for row in rows]
        connection.execute(change, changed)


def _longer(data: bytes, runs: int, packed: bool) -> bytes:
    """What was brought up from version 3 just now has them already."""
    whole = zlib.decompress(data) if packed else data
    if len(whole) != _BEFORE * runs:
        return data
    if packed:  # by columns: the new one is the last
        return zlib.compress(whole + bytes(_MORE * runs), 6)
    return b"".join(whole[at : at + _BEFORE] + bytes(_MORE) for at in range(0, len(whole), _BEFORE))
