"""Runs say what their server said it is, deployments what it has to say; residue is known until it was taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import BigInteger, Column, Index, String, Text

revision = "0005"
down_revision = "0004"

_ONCE = ("tenant", "scenario", "channel", "release", "ring", "source")


def upgrade() -> None:
    op.add_column("run_labels", Column("server", String(32), nullable=False, server_default=""))
    op.drop_index("run_labels_once", "run_labels")
    op.create_index("run_labels_once", "run_labels", [*_ONCE, "server"], unique=True)
    op.add_column("deployments", Column("version", String(64), nullable=False, server_default=""))
    residue = sa.Table("residue", sa.MetaData(),
        Column("run_id", String(32), primary_key=True), Column("verb", String(64), primary_key=True),
        Column("marker", String(128), primary_key=True), Column("tenant", String(128), nullable=False),
        Column("reason", Text, nullable=False), Column("cause", String(16), nullable=False),
        Column("left_at", BigInteger, nullable=False), Column("recovered_at", BigInteger))  # fmt: skip
    Index("residue_left", residue.c.tenant, sqlite_where=residue.c.recovered_at.is_(None),
          postgresql_where=residue.c.recovered_at.is_(None))  # fmt: skip
    residue.create(op.get_bind())
