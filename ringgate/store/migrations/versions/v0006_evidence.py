"""What was decided, by whom, on what: kept so that nobody changes it unnoticed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, Index, Integer, String, Text

revision = "0006"
down_revision = "0005"

_SQLITE = (
    "CREATE TRIGGER evidence_no_update BEFORE UPDATE ON evidence "
    "BEGIN SELECT RAISE(ABORT, 'evidence is only added to'); END",
    "CREATE TRIGGER evidence_no_delete BEFORE DELETE ON evidence "
    "BEGIN SELECT RAISE(ABORT, 'evidence is only added to'); END",
)
_POSTGRESQL = (
    "CREATE FUNCTION evidence_only_added_to() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'evidence is only added to'; END $$",
    "CREATE TRIGGER evidence_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence "
    "FOR EACH STATEMENT EXECUTE FUNCTION evidence_only_added_to()",
)


def upgrade() -> None:
    evidence = sa.Table("evidence", sa.MetaData(),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("key", String(255), nullable=False, unique=True), Column("kind", String(16), nullable=False),
        Column("release", String(128), nullable=False), Column("ring", String(64), nullable=False),
        Column("entry", Text, nullable=False), Column("digest", String(64), nullable=False))  # fmt: skip
    Index("evidence_by_release", evidence.c.release, evidence.c.number)
    evidence.create(op.get_bind())
    for trigger in _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.get_bind().exec_driver_sql(trigger)
