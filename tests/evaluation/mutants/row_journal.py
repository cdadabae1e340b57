"""Every row that the ERP writes in a tenant's documents, noted by PostgreSQL itself, and put back from what was noted.

    with RowJournal(estate, "aldgate") as journal:
        mark = journal.now()
        ...                             # a run
        journal.changes(mark)           # -> [RowChange("account_invoice", "INSERT", 7, None, {...}), ...]
        journal.put_back(mark)          # all tables are as they were

All of it lies in a schema of its own, and is gone with it.
"""

# What is put into statements here comes from PostgreSQL's own catalogue.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from ringgate.estate import Estate

SCHEMA = "ringgate_mutants"
NO_DOCUMENTS = ("ir_session", "ir_session_wizard", "ir_cache", "ir_queue", "res_user_login_attempt", "ir_error")
"""Tables that are the server's own: no document is in them, and putting them back would end its sessions."""

_SET_UP = f"""
CREATE SCHEMA {SCHEMA};
CREATE TABLE {SCHEMA}.rows (
    seq bigserial PRIMARY KEY, tbl text NOT NULL, op text NOT NULL, id bigint NOT NULL, old jsonb, new jsonb);
CREATE TABLE {SCHEMA}.active (seq bigserial PRIMARY KEY, tbl text NOT NULL, id bigint NOT NULL, was jsonb, made jsonb);
CREATE SEQUENCE {SCHEMA}.fired;
CREATE FUNCTION {SCHEMA}.note() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO {SCHEMA}.rows (tbl, op, id, old, new) VALUES (
        TG_TABLE_NAME, TG_OP, COALESCE(NEW.id, OLD.id),
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
    RETURN NULL;
END $body$;
"""

_COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type, c.is_nullable = 'YES', COALESCE((
    SELECT f.confrelid::regclass::text FROM pg_constraint f
    JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
    WHERE f.contype = 'f' AND cardinality(f.conkey) = 1 AND a.attname = c.column_name
    AND f.conrelid = format('public.%%I', c.table_name)::regclass LIMIT 1), '')
FROM information_schema.columns c
WHERE c.table_schema = 'public' AND c.table_name = ANY(%s) AND c.is_generated = 'NEVER'
ORDER BY c.table_name, c.ordinal_position
"""
_FIELDS = "SELECT m.{0}, f.name FROM ir_model m JOIN ir_model_field f ON f.model = m.{1}"


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row that was written. `op` is INSERT, UPDATE or DELETE; `old` and `new` are the row before and after."""

    seq: int
    table: str
    op: str
    id: int
    old: dict[str, Any] | None
    new: dict[str, Any] | None

    @property
    def written(self) -> dict[str, Any]:
        """The columns that it gave another value, with that value."""
        old, new = self.old or {}, self.new or {}
        return {name: value for name, value in new.items() if value != old.get(name)}


class RowJournal:
    """Notes what is written to one tenant's documents for as long as it is open."""

    def __init__(self, estate: Estate, tenant: str) -> None:
        self.tenant = tenant
        self.database: psycopg.Connection[Any] = estate.sql(tenant)

    def __enter__(self) -> Self:
        self.database.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        self.database.execute(_SET_UP)
        for table in self.tables():
            self.database.execute(
                f'CREATE TRIGGER {SCHEMA}_note AFTER INSERT OR UPDATE OR DELETE ON "{table}" '
                f"FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.note()"
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(psycopg.Error):
            self.database.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        self.database.close()

    def tables(self) -> list[str]:
        """All that have an id, but for the server's own."""
        rows = self.database.execute(
            "SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING "
            "(table_schema, table_name) WHERE c.table_schema = 'public' AND c.column_name = 'id' "
            "AND t.table_type = 'BASE TABLE' AND c.table_name <> ALL(%s) AND NOT starts_with(c.table_name, 'ringgate') "
            "ORDER BY 1",
            [list(NO_DOCUMENTS)],
        )
        return [name for (name,) in rows.fetchall()]

    def now(self) -> int:
        """A mark: what is noted later has a higher number."""
        row = self.database.execute(f"SELECT COALESCE(max(seq), 0) FROM {SCHEMA}.rows").fetchone()
        assert row is not None
        return int(row[0])

    def changes(self, after: int, until: int | None = None) -> list[RowChange]:
        rows = self.database.execute(
            f"SELECT seq, tbl, op, id, old, new FROM {SCHEMA}.rows WHERE seq > %s AND seq <= %s ORDER BY seq",
            [after, 2**62 if until is None else until],
        )
        return [RowChange(*row) for row in rows.fetchall()]

    def put_back(self, mark: int) -> int:
        """Takes back every change since the mark, the last one first, whatever refers to what. Returns how many."""
        with self.database.transaction():
            self.database.execute("SET LOCAL session_replication_role = replica")
            changes = self.changes(mark)
            for each in reversed(changes):
                table = sql.Identifier(each.table)
                if each.op != "INSERT":
                    put = "INSERT INTO {0} SELECT * FROM jsonb_populate_record(NULL::{0}, %s)"
                    self.database.execute(sql.SQL("DELETE FROM {0} WHERE id = %s").format(table), [each.id])
                    self.database.execute(sql.SQL(put).format(table), [Jsonb(each.old)])
                else:
                    self.database.execute(sql.SQL("DELETE FROM {0} WHERE id = %s").format(table), [each.id])
            self.database.execute(f"DELETE FROM {SCHEMA}.rows WHERE seq > %s", [mark])
        return len(changes)

    def columns(self) -> Iterator[tuple[str, str, str, bool, str]]:
        """(table, column, type, whether it may be empty, table that it refers to or "") of all that is noted."""
        yield from self.database.execute(_COLUMNS, [self.tables()]).fetchall()

    def fields(self) -> frozenset[tuple[str, str]]:
        """(model, field) of all fields that the ERP knows of."""
        (kind,) = self._type("ir_model_field", "model")
        name = "model" if self._type("ir_model", "model") else "name"
        rows = self.database.execute(_FIELDS.format(name, "id" if kind == "integer" else name))
        return frozenset((str(model), str(field)) for model, field in rows.fetchall())

    def _type(self, table: str, column: str) -> tuple[str, ...]:
        """A column's type; () where there is no such column."""
        query = "SELECT data_type FROM information_schema.columns WHERE table_name = %s AND column_name = %s"
        return tuple(self.database.execute(query, [table, column]).fetchone() or ())
