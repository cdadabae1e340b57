"""How faults are made: triggers and remembered changes in a tenant's database, rules of the front door.

What a fault changed is written down in the tenant's own database, in the same transaction as the change itself: so it
can be taken back by any process, also after a crash. The table is gone when no fault is left.
"""

# What is put into statements here is written in this package, never given from outside.
# ruff: noqa: S608

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from filelock import FileLock
from psycopg import sql
from psycopg.types.json import Jsonb

from ringgate.estate.errors import EstateError
from ringgate.estate.frontdoor import NetworkFault as Rule
from ringgate.estate.frontdoor.faults import FILE, FaultFile

if TYPE_CHECKING:
    from ringgate.estate.estate import Estate
    from ringgate.estate.faults.fault import Switch

PREFIX = "ringgate_fault_"
KEPT = "ringgate_fault_kept"
"""What faults changed: `what` is `changed` (`old` has the former values of some columns), `added` or `removed` (`old`
is the whole row)."""

_TABLE = f"""
CREATE TABLE IF NOT EXISTS {KEPT} (
    seq serial PRIMARY KEY, fault text NOT NULL, what text NOT NULL, tbl text NOT NULL, id integer NOT NULL, old jsonb)
"""
_LOCK_NUMBER = 7_046_029_254
Database = psycopg.Connection[Any]


@contextmanager
def _changing(estate: Estate, tenant: str) -> Iterator[Database]:
    """One transaction on a tenant's database, alone among faults, that does not wait for the ERP for ever."""
    try:
        with estate.sql(tenant) as database, database.transaction():
            database.execute("SET LOCAL lock_timeout = '20s'")
            database.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_NUMBER])
            yield database
    except psycopg.Error as problem:
        words = str(problem).partition("\n")[0]
        raise EstateError(f"The database of tenant {tenant} could not be changed ({words}): try again.") from problem


def _keeps(database: Database) -> bool:
    return database.execute("SELECT to_regclass(%s)", [KEPT]).fetchone() != (None,)


def _kept(database: Database, fault: str) -> bool:
    """Whether something that a fault changed is written down."""
    if not _keeps(database):
        return False
    return database.execute(f"SELECT 1 FROM {KEPT} WHERE fault = %s LIMIT 1", [fault]).fetchone() is not None


def _put_back(database: Database, fault: str) -> None:
    """Takes back what a fault changed, newest first, and forgets it."""
    if not _keeps(database):
        return
    rows = database.execute(f"SELECT what, tbl, id, old FROM {KEPT} WHERE fault = %s ORDER BY seq DESC", [fault])
    for what, table, record, old in rows.fetchall():
        name = sql.Identifier(table)
        if what == "added":
            database.execute(sql.SQL("DELETE FROM {} WHERE id = %s").format(name), [record])
        elif what == "removed":
            restored = sql.SQL("INSERT INTO {0} SELECT * FROM jsonb_populate_record(NULL::{0}, %s)").format(name)
            database.execute(restored, [Jsonb(old)])
        else:
            pairs = [sql.SQL("{0} = old.{0}").format(sql.Identifier(column)) for column in old]
            changed = sql.SQL("UPDATE {0} SET {1} FROM jsonb_populate_record(NULL::{0}, %s) AS old WHERE {0}.id = %s")
            database.execute(changed.format(name, sql.SQL(", ").join(pairs)), [Jsonb(old), record])
    database.execute(f"DELETE FROM {KEPT} WHERE fault = %s", [fault])
    in_use = (
        f"SELECT EXISTS (SELECT FROM {KEPT}) OR EXISTS (SELECT FROM pg_proc WHERE starts_with(proname, '{PREFIX}'))"
    )
    if database.execute(in_use).fetchone() == (False,):
        database.execute(f"DROP TABLE {KEPT}")


def keep(what: str, table: str, record: str, old: str = "NULL") -> str:
    """The statement by which a trigger writes down what it did; `record` and `old` are SQL expressions."""
    return f"INSERT INTO {KEPT} (fault, what, tbl, id, old) VALUES (TG_ARGV[0], '{what}', '{table}', {record}, {old});"


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger on a table of the tenant's.

    `when` is its moment as SQL says it ("BEFORE INSERT", "AFTER UPDATE OF state"), `only` its condition, `body` what
    it does in PL/pgSQL; `deferred` lets it act when the transaction ends. What it changes beside the row at hand it
    writes down with `keep`. `tidy` are statements that are run before that is put back.
    """

    table: str
    when: str
    body: str
    only: str = "true"
    deferred: bool = False
    tidy: Sequence[str] = ()

    @staticmethod
    def name(fault: str) -> str:
        """What trigger and function are called."""
        return PREFIX + re.sub(r"\W", "_", fault)

    def on(self, estate: Estate, tenant: str, fault: str) -> bool:
        with _changing(estate, tenant) as database:
            if self._stands(database, fault):
                return False
            name = self.name(fault)
            database.execute(_TABLE)
            body = f"BEGIN\n{self.body}\nRETURN COALESCE(NEW, OLD);\nEND"
            database.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body${body}$body$")
            kind, wait = ("CONSTRAINT ", "DEFERRABLE INITIALLY DEFERRED ") if self.deferred else ("", "")
            database.execute(
                f'CREATE {kind}TRIGGER {name} {self.when} ON "{self.table}" {wait}'
                f"FOR EACH ROW WHEN ({self.only}) EXECUTE FUNCTION {name}('{fault}')"
            )
        return True

    def off(self, estate: Estate, tenant: str, fault: str) -> bool:
        with _changing(estate, tenant) as database:
            stood = self._stands(database, fault)
            database.execute(f"DROP FUNCTION IF EXISTS {self.name(fault)}() CASCADE")
            for statement in self.tidy if stood else ():
                database.execute(statement, {"fault": fault})
            _put_back(database, fault)
        return stood

    def is_on(self, estate: Estate, tenant: str, fault: str) -> bool:
        with estate.sql(tenant) as database:
            return self._stands(database, fault)

    def _stands(self, database: Database, fault: str) -> bool:
        return database.execute("SELECT to_regproc(%s)", [self.name(fault)]).fetchone() != (None,)


class _Remembered:
    """A change of rows, done at once and written down. There must be such rows, unless there `may_be_none`."""

    may_be_none = False

    def _apply(self, database: Database, fault: str) -> int:
        """Does it, and says to how many rows."""
        raise NotImplementedError

    def on(self, estate: Estate, tenant: str, fault: str) -> bool:
        with _changing(estate, tenant) as database:
            if _kept(database, fault):
                return False
            database.execute(_TABLE)
            if not self._apply(database, fault) and not self.may_be_none:
                raise EstateError(f"Tenant {tenant} has nothing that {fault} could change: choose another tenant.")
        return True

    def off(self, estate: Estate, tenant: str, fault: str) -> bool:
        with _changing(estate, tenant) as database:
            stood = _kept(database, fault)
            _put_back(database, fault)
        return stood

    def is_on(self, estate: Estate, tenant: str, fault: str) -> bool:
        with estate.sql(tenant) as database:
            return _kept(database, fault)


@dataclass(frozen=True, slots=True)
class Changed(_Remembered):
    """Other values in columns of existing rows: `values` maps columns to SQL expressions of the row as it was."""

    table: str
    rows: str
    values: Mapping[str, str]

    def _apply(self, database: Database, fault: str) -> int:
        old = ", ".join(f"'{column}', \"{column}\"" for column in self.values)
        new = ", ".join(f'"{column}" = {value}' for column, value in self.values.items())
        database.execute(
            f"INSERT INTO {KEPT} (fault, what, tbl, id, old) "
            f"SELECT '{fault}', 'changed', '{self.table}', id, jsonb_build_object({old}) "
            f'FROM "{self.table}" WHERE {self.rows}'
        )
        return database.execute(f'UPDATE "{self.table}" SET {new} WHERE {self.rows}').rowcount


@dataclass(frozen=True, slots=True)
class Added(_Remembered):
    """New rows: `rows` selects the values of `columns`."""

    table: str
    columns: Sequence[str]
    rows: str

    def _apply(self, database: Database, fault: str) -> int:
        columns = ", ".join(f'"{column}"' for column in self.columns)
        return database.execute(
            f'WITH made AS (INSERT INTO "{self.table}" ({columns}) {self.rows} RETURNING id) '
            f"INSERT INTO {KEPT} (fault, what, tbl, id) SELECT '{fault}', 'added', '{self.table}', id FROM made"
        ).rowcount


@dataclass(frozen=True, slots=True)
class Removed(_Remembered):
    """Rows that are taken away."""

    table: str
    rows: str
    may_be_none: bool = False

    def _apply(self, database: Database, fault: str) -> int:
        return database.execute(
            f'WITH gone AS (DELETE FROM "{self.table}" AS t WHERE {self.rows} RETURNING id, to_jsonb(t) AS old) '
            "INSERT INTO " + KEPT + " (fault, what, tbl, id, old) "
            f"SELECT '{fault}', 'removed', '{self.table}', id, old FROM gone"
        ).rowcount


@dataclass(frozen=True, slots=True)
class Several:
    """Changes that only together are one fault."""

    switches: Sequence[Switch]

    def on(self, estate: Estate, tenant: str, fault: str) -> bool:
        changed = [switch.on(estate, tenant, name) for name, switch in self._named(fault)]
        return any(changed)

    def off(self, estate: Estate, tenant: str, fault: str) -> bool:
        changed = [switch.off(estate, tenant, name) for name, switch in self._named(fault)]
        return any(changed)

    def is_on(self, estate: Estate, tenant: str, fault: str) -> bool:
        return any(switch.is_on(estate, tenant, name) for name, switch in self._named(fault))

    def _named(self, fault: str) -> list[tuple[str, Switch]]:
        return [(f"{fault}-{number}", switch) for number, switch in enumerate(self.switches, start=1)]


@dataclass(frozen=True, slots=True)
class FrontDoorFault:
    """A rule of the front door for this tenant. `rule` makes it, given the estate and the tenant."""

    rule: Callable[[Estate, str], Rule]

    def on(self, estate: Estate, tenant: str, fault: str) -> bool:
        rule = self.rule(estate, tenant)
        with _rules(estate) as rules:
            if self._among(rules, rule):
                return False
            rules.append(rule)
        return True

    def off(self, estate: Estate, tenant: str, fault: str) -> bool:
        rule = self.rule(estate, tenant)
        with _rules(estate) as rules:
            found = self._among(rules, rule)
            for each in found:
                rules.remove(each)
        return bool(found)

    def is_on(self, estate: Estate, tenant: str, fault: str) -> bool:
        rule = self.rule(estate, tenant)
        with _rules(estate) as rules:
            return bool(self._among(rules, rule))

    def _among(self, rules: Sequence[Rule], rule: Rule) -> list[Rule]:
        """This fault's rules, also if they were made yesterday, with another date or password in them."""

        def what(rule: Rule) -> tuple[object, ...]:
            return rule.tenant, rule.rpc, rule.path, rule.action, rule.probability, rule.certificate

        return [each for each in rules if what(each) == what(rule)]


@contextmanager
def _rules(estate: Estate) -> Iterator[list[Rule]]:
    """The rules of the front door, other tenants' too; what the block makes of them is in force when it ends."""
    with FileLock(estate.run / f"{FILE}.lock"):
        try:
            found = list(FaultFile.model_validate_json((estate.run / FILE).read_text()).rules)
        except FileNotFoundError:
            found = []
        before = tuple(found)
        yield found
        if tuple(found) != before:
            estate.front_door_faults.set(found)


def standing(estate: Estate, tenant: str) -> frozenset[str]:
    """What is left in a tenant's database by faults that are on: names of functions and ids of faults."""
    with estate.sql(tenant) as database:
        functions = database.execute("SELECT proname FROM pg_proc WHERE starts_with(proname, %s)", [PREFIX]).fetchall()
        kept = database.execute(f"SELECT DISTINCT fault FROM {KEPT}").fetchall() if _keeps(database) else []
    return frozenset(str(name) for (name,) in (*functions, *kept))
