"""What a migration may do to a tenant's books, planted by SQL, for the fingerprint to find.

    with estate.sql("aldgate") as database, planted(MIGRATION_FAULTS["lost-line"], database):
        ...                                # a fingerprint taken now differs, for the reason in fault.says

Each ERP's faults stand beside its own. The statements fit the tables of every series. They are meant for a tenant that
was just upgraded, and are taken back without a trace: the tables that they change are copied first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

KEPT = "ringgate_kept"
"""The schema that holds the copies while a fault is planted."""


@dataclass(frozen=True, slots=True)
class MigrationFault:
    """One way for a migration to corrupt books.

    `tables` are all that `statement` changes, by themselves or through it. `section` of the fingerprint is where it
    shows, `signature` (a pattern) what the one cause is called, `says` words of its sentence. `currency` is the kind of
    tenant on which it shows; `first` is done before, and `last` after.
    """

    id: str
    title: str
    statement: str
    tables: tuple[str, ...]
    section: str
    signature: str
    says: str
    currency: str = "GBP"
    first: str = ""
    last: str = ""


@contextmanager
def planted(fault: MigrationFault, database: psycopg.Connection[Any]) -> Iterator[None]:
    """The tenant with the fault, for the length of a `with` block. `database` commits by itself."""
    schema = sql.Identifier(KEPT)
    with database.transaction():
        database.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))
        database.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
        for table in fault.tables:
            names = {"copy": sql.Identifier(KEPT, table), "table": sql.Identifier(table)}
            database.execute(sql.SQL("CREATE TABLE {copy} AS TABLE {table}").format(**names))
        plant(fault, database)
    try:
        yield
    finally:
        with database.transaction():
            # As a replica: what refers to these rows finds them again, and nothing cascades.
            database.execute("SET LOCAL session_replication_role = replica")
            for table in fault.tables:
                names = {"copy": sql.Identifier(KEPT, table), "table": sql.Identifier(table)}
                database.execute(sql.SQL("DELETE FROM {table}").format(**names))
                database.execute(sql.SQL("INSERT INTO {table} SELECT * FROM {copy}").format(**names))
            database.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(schema))


def plant(fault: MigrationFault, database: psycopg.Connection[Any]) -> None:
    """Corrupts the books for good."""
    with database.transaction():
        for statement in (fault.first, fault.statement, fault.last):
            if statement:
                database.execute(statement.encode())
