"""From what runs write to the faults that can be planted there. Pure: the same rows give the same mutants.

account_invoice_line.description, insert: value lost            NEW."description" := NULL
account_move.date, insert, some rows: a day earlier             NEW."date" := NEW."date" - 1
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

IDENTITY = frozenset({"id"})
NUMBERS = frozenset({"integer", "bigint", "smallint", "numeric", "double precision", "real"})
TEXTS = frozenset({"character varying", "text"})
DAYS, MOMENTS, SPANS = frozenset({"date"}), frozenset({"timestamp without time zone"}), frozenset({"interval"})
SOME = "mod(NEW.id, 2) = 0"
"""Which rows a mutant of some rows is of."""


@dataclass(frozen=True, slots=True, order=True)
class Column:
    """A column of the ERP's: `refers` is the table that its value is an id of, "" where it is none."""

    table: str
    name: str
    type: str
    may_be_empty: bool
    refers: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A column that a run wrote a value to, by `op` INSERT or UPDATE; `value` is one that it wrote."""

    column: Column
    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault. `sets` are the columns that it changes with the SQL expressions of their values; `sets` of a rule
    that takes whole rows away is empty."""

    table: str
    columns: tuple[str, ...]
    op: str
    rule: str
    some: bool
    sets: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        what = "/".join(self.columns)
        return f"{self.table}.{what} on {self.op.lower()}{' of some' if self.some else ''}: {self.rule}"

    @property
    def model(self) -> str:
        """The ERP's model, as far as its table says it: a link's says no more where the hyphen of its name was."""
        return self.table.replace("_", ".")

    def statements(self, schema: str) -> Iterator[str]:
        """What plants it: a trigger that notes each row that it changed."""
        body = "\n".join(f'NEW."{column}" := {value};' for column, value in self.sets)
        condition = ["true"]
        if self.some:
            condition.append(SOME)
        if self.op == "UPDATE":
            condition += [f'NEW."{self.columns[0]}" IS DISTINCT FROM OLD."{self.columns[0]}"']
        yield (
            f"CREATE FUNCTION {schema}.planted() RETURNS trigger LANGUAGE plpgsql AS $body$\n"
            "DECLARE was jsonb := to_jsonb(NEW);\nBEGIN\n"
            f"{body}\n"
            f"IF to_jsonb(NEW) IS DISTINCT FROM was THEN\nPERFORM nextval('{schema}.fired');\n"
            f"INSERT INTO {schema}.active (tbl, id, was, made) VALUES (TG_TABLE_NAME, NEW.id, was, to_jsonb(NEW));\n"
            "END IF;\nRETURN NEW;\nEND $body$"
        )
        yield (
            f'CREATE TRIGGER {schema}_planted BEFORE {self.op} ON "{self.table}" FOR EACH ROW '
            f"WHEN ({' AND '.join(condition)}) EXECUTE FUNCTION {schema}.planted()"
        )


def mutants(written: Iterable[Written]) -> tuple[Mutant, ...]:
    """All that the rules make of these columns, each for all rows and for some."""
    found: dict[Mutant, None] = {}
    each_row: dict[tuple[str, str], list[Written]] = {}
    for one in written:
        each_row.setdefault((one.column.table, one.op), []).append(one)
    for (table, op), those in each_row.items():
        for one in those:
            for rule, value in _rules(one):
                for some in (False, True):
                    found[Mutant(table, (one.column.name,), op, rule, some, ((one.column.name, value),))] = None
        if op == "INSERT":
            for first, second in _neighbours(those):
                sets = tuple(
                    (one, f"(was->>'{other}')::{_cast(those, one)}")
                    for one, other in ((first, second), (second, first))
                )
                found[Mutant(table, (first, second), op, "swapped with a neighbour", False, sets)] = None
    return tuple(found)


def sample(all_of: Iterable[Mutant], number: int, seed: int) -> tuple[Mutant, ...]:
    """So many of them, spread over tables, then columns, then rules: no table is drawn again before each was."""
    random = Random(seed)
    by_table: dict[str, list[Mutant]] = {}
    for each in sorted(all_of, key=lambda m: m.name):
        by_table.setdefault(each.table, []).append(each)
    for those in by_table.values():
        random.shuffle(those)
    tables, drawn = sorted(by_table), list[Mutant]()
    while len(drawn) < number and by_table:
        random.shuffle(tables)
        for table in [t for t in tables if t in by_table]:
            used = [m.columns for m in drawn if m.table == table]
            those = by_table[table]
            pick = min(range(len(those)), key=lambda n: used.count(those[n].columns))
            drawn.append(those.pop(pick))
            if not those:
                del by_table[table]
            if len(drawn) == number:
                break
    return tuple(drawn)


def _rules(one: Written) -> Iterator[tuple[str, str]]:
    column, name = one.column, f'NEW."{one.column.name}"'
    if column.may_be_empty:
        yield "value lost", "NULL"
    if one.op == "UPDATE":
        yield "write lost", f'OLD."{column.name}"'
    if column.type != "boolean":
        yield "replaced by another record's", _another(column)
    if column.refers:
        return
    kind = column.type
    if kind in NUMBERS:
        yield "off by one", f"{name} + 1"
        yield "scaled", f"{name} * 10"
        yield "sign", f"-{name}"
    elif kind in TEXTS and len(str(one.value)) > 1:
        yield "truncated", f"left({name}, greatest(length({name}) / 2, 1))"
        if not column.may_be_empty:
            yield "value lost", "''"
    elif kind == "boolean":
        yield "flipped", f"NOT {name}"
    elif kind in DAYS:
        yield "a day earlier", f"{name} - 1"
        yield "a month later", f"({name} + interval '1 month')::date"
    elif kind in MOMENTS:
        yield "a day earlier", f"{name} - interval '1 day'"
        yield "an hour later", f"{name} + interval '1 hour'"
    elif kind in SPANS:
        yield "off by one minute", f"{name} + interval '1 minute'"
        yield "scaled", f"{name} * 60"
        yield "sign", f"-{name}"


def _another(column: Column) -> str:
    """Another row's value of the column, the newest one that differs; of a link, else any other record."""
    name, table = column.name, column.table
    found = [
        f'(SELECT o."{name}" FROM "{table}" o WHERE o."{name}" IS DISTINCT FROM NEW."{name}" '
        f'AND o."{name}" IS NOT NULL ORDER BY o.id DESC LIMIT 1)'
    ]
    if column.refers:
        found.append(f'(SELECT r.id FROM {column.refers} r WHERE r.id <> NEW."{name}" ORDER BY r.id LIMIT 1)')
    return f'COALESCE({", ".join(found)}, NEW."{name}")'


def _neighbours(those: list[Written]) -> Iterator[tuple[str, str]]:
    """Pairs of columns of one type that stand next to each other and held different values."""
    fitting: dict[tuple[str, str], list[Written]] = {}
    for one in those:
        if one.column.type in NUMBERS | TEXTS | DAYS and one.column.name not in IDENTITY:
            fitting.setdefault((one.column.type, one.column.refers), []).append(one)
    for group in fitting.values():
        for first, second in pairwise(group):
            if first.value != second.value:
                yield first.column.name, second.column.name


def _cast(those: list[Written], name: str) -> str:
    return next(one.column.type for one in those if one.column.name == name)


def written_by(
    rows: Iterable[tuple[str, str, Mapping[str, Any]]], columns: Mapping[tuple[str, str], Column]
) -> tuple[Written, ...]:
    """What these rows wrote: (table, op, columns with values), each column once for each op, the first value of it."""
    found: dict[tuple[str, str, str], Written] = {}
    for table, op, values in rows:
        for name, value in values.items():
            known = columns.get((table, name))
            if known is not None and name not in IDENTITY and value is not None and value != "":
                found.setdefault((table, op, name), Written(known, op, value))
    order = {place: number for number, place in enumerate(columns)}
    return tuple(found[key] for key in sorted(found, key=lambda k: (k[0], k[1], order[k[0], k[2]])))
