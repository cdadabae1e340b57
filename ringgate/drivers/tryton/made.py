"""Every record that a run made, whole: found by its marker, then by following links, with all fields of `fields_get`.

Roots are what carries the run's marker. A link leads on to what was made since the first root was; what is older is
reference data, and known by its name. Postings, purchase orders and the like that only point back at the run's own
records are looked for by that link, so that they are found even where the ERP lost the other one. Ids that turned out
old, names of reference data and what `fields_get` says are remembered for as long as the session lives.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from ringgate.domain.errors import ErpMisbehaved
from ringgate.domain.terms import Channel, Role
from ringgate.drivers.tryton.printed import printed
from ringgate.drivers.tryton.sessions import UserSession, refusals
from ringgate.drivers.tryton.surface import REGISTRY
from ringgate.drivers.tryton.wire import BusinessError
from ringgate.twins.records import RecordLink, RecordValue, RunRecord, RunRecords

ROOTS: Final = {
    "project.work": "name",
    "timesheet.line": "description",
    "purchase.requisition": "description",
    "account.invoice": "description",
    "account.move": "description",
}
"""What carries a marker, and in which field."""

POINTING_BACK: Final = {
    "account.invoice": (("account.move", "origin"),),
    "account.move": (("account.move", "origin"),),
    "purchase.requisition.line": (("purchase.request", "origin"),),
    "project.work": (("timesheet.work", "origin"),),
    "timesheet.work": (("timesheet.line", "work"),),
}
"""Model -> what points at its records: (model, field)."""

NUMBERS: Final = ("number", "post_number", "code")
"""Fields of text that the ERP numbers documents with, where it writes them by itself."""

PRINTED: Final = {"account.invoice": ("invoice_report_cache", "invoice_report_format")}
"""Where a printed document is kept: its bytes, and what they are."""

UNREADABLE: Final = "(cannot be read)"
MARKER: Final = re.compile(r"\[?RG-([2-9a-z]{12})-")
MOST: Final = 500
"""Records that one run can have made at most. More are somebody else's, by a link that leads everywhere."""


@dataclass(slots=True)
class Remembered:
    """What does not change while a session lives."""

    fields: dict[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    unreadable: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    names: dict[tuple[str, int], str] = field(default_factory=dict)
    old: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    labels: dict[str, str] = field(default_factory=dict)
    people: dict[RecordLink, Role] = field(default_factory=dict)


def read(session: UserSession, run_id: str) -> RunRecords:
    """What the run made, as the session's user may read it. Nothing is written."""
    with refusals("read what a run made", session):
        return _Reading(session, run_id).all()


class _Reading:
    def __init__(self, session: UserSession, run_id: str) -> None:
        self.session, self.run_id = session, run_id
        self.known: Remembered = session.remembered.setdefault("made", Remembered())
        self.rows: dict[tuple[str, int], dict[str, Any]] = {}
        self.began: datetime | None = None

    def all(self) -> RunRecords:
        found = self._roots()
        while found and len(self.rows) < MOST:
            found = self._new(self._around(found))
        series = self.session.client.dialect.series
        records = tuple(self._record(*place) for place in sorted(self.rows))
        models = {model for model, _ in self.rows}
        return RunRecords(
            series=series,
            began=self.began and self.began.replace(tzinfo=UTC),
            records=records,
            people=self._people(),
            numbers=frozenset(f"{m}.{f}" for m in models for f in NUMBERS if self._numbered(m, f)),
            labels=self._labels(models),
        )

    def _numbered(self, model: str, name: str) -> bool:
        told = self._fields(model).get(name, {})
        return told.get("type") == "char"

    # finding

    def _roots(self) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        for model, name in ROOTS.items():
            domain = [(name, "ilike", f"%RG-{self.run_id}-%")]
            ids = self._call(model, "search", domain, 0, MOST, [("id", "ASC")]) or []
            found += self._take(model, ids)
        made = [row["create_date"] for row in self.rows.values() if row.get("create_date")]
        self.began = min(made, default=None)
        return found

    def _take(self, model: str, ids: Sequence[int]) -> list[tuple[str, int]]:
        """Reads these records whole; those that carry another run's marker are left where they are."""
        taken = []
        for row in self._read(model, ids):
            if any(run != self.run_id for run in _runs_named(row)):
                self.known.old[model].add(row["id"])
                continue
            self.rows[model, row["id"]] = row
            taken.append((model, row["id"]))
        return taken

    def _around(self, places: Iterable[tuple[str, int]]) -> dict[str, set[int]]:
        """Ids that these records point at, and that point at them, by model."""
        near: dict[str, set[int]] = defaultdict(set)
        by_model: dict[str, list[int]] = defaultdict(list)
        for model, number in places:
            by_model[model].append(number)
            for link in self._links(model, self.rows[model, number]):
                near[link[0]].add(link[1])
        for model, ids in by_model.items():
            for other, name in POINTING_BACK.get(model, ()):
                kind = self._fields(other).get(name, {}).get("type")
                values: list[Any] = [f"{model},{each}" for each in ids] if kind == "reference" else list(ids)
                if kind:
                    near[other].update(self._call(other, "search", [(name, "in", values)], 0, MOST, None) or [])
        return near

    def _new(self, near: Mapping[str, set[int]]) -> list[tuple[str, int]]:
        """Of these, what was made since the run began, and is not known yet: read."""
        taken: list[tuple[str, int]] = []
        for model, ids in sorted(near.items()):
            old = self.known.old[model]
            unknown = sorted(each for each in ids if each not in old and (model, each) not in self.rows and each > 0)
            if not unknown:
                continue
            domain = [("id", "in", unknown), ("create_date", ">=", self.began)]
            fresh = self._call(model, "search", domain, 0, None, [("id", "ASC")])
            if fresh is None:  # not for the auditor, or not kept at all
                fresh = []
            old.update(set(unknown) - set(fresh))
            taken += self._take(model, fresh)
        return taken

    def _links(self, model: str, row: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
        for name, told in self._fields(model).items():
            value = row.get(name)
            if value is None or value == UNREADABLE:
                continue
            if told["type"] == "reference":
                target, _, number = str(value).partition(",")
                if number.isdigit():
                    yield target, int(number)
            elif told.get("relation") and isinstance(value, int):
                yield told["relation"], value
            elif told.get("relation") and isinstance(value, list | tuple):
                yield from ((told["relation"], each) for each in value)

    # reading

    def _fields(self, model: str) -> Mapping[str, Mapping[str, Any]]:
        if model not in self.known.fields:
            told: dict[str, dict[str, Any]] = self._call(model, "fields_get") or {}
            files = PRINTED.get(model, ())
            kept = {name: each for name, each in told.items() if each["type"] != "binary" or name in files}
            self.known.fields[model] = kept
        return self.known.fields[model]

    def _read(self, model: str, ids: Sequence[int]) -> list[dict[str, Any]]:
        if not ids:
            return []
        lost = self.known.unreadable[model]
        names = [name for name in self._fields(model) if name not in lost]
        rows: list[dict[str, Any]] | None = self._call(model, "read", list(ids), names)
        if rows is None:
            rows = self._read_singly(model, ids, names)
        return [{**row, **dict.fromkeys(lost, UNREADABLE)} for row in rows]

    def _read_singly(self, model: str, ids: Sequence[int], names: Sequence[str]) -> list[dict[str, Any]]:
        """Field by field, where one of them cannot be read: that one is noted, and not asked for again."""
        rows: dict[int, dict[str, Any]] = {each: {"id": each} for each in ids}
        for name in names:
            told = self._call(model, "read", list(ids), [name])
            if told is None:
                self.known.unreadable[model].add(name)
            for each in told or ():
                rows[each["id"]].update(each)
        return list(rows.values())

    def _call(self, model: str, method: str, *params: Any) -> Any:
        """None where the ERP does not let the user do that, or fails at it."""
        try:
            return self.session.call(f"model.{model}.{method}", *params, context={"active_test": False})
        except (BusinessError, ErpMisbehaved):
            return None

    # values

    def _record(self, model: str, number: int) -> RunRecord:
        row, told = self.rows[model, number], self._fields(model)
        values = {name: self._value(each, row.get(name)) for name, each in told.items() if name != "id"}
        if model in PRINTED:
            content, kind = PRINTED[model]
            values[content] = printed(row.get(content), row.get(kind))
        return RunRecord(model, str(number), values)

    def _value(self, told: Mapping[str, Any], value: Any) -> RecordValue:
        relation = told.get("relation")
        if told["type"] == "reference" and value and value != UNREADABLE:
            target, _, number = str(value).partition(",")
            return self._link(target, int(number)) if number.isdigit() else RecordLink(target, "")
        if relation and isinstance(value, int) and not isinstance(value, bool):
            return self._link(relation, value)
        if relation and isinstance(value, list | tuple):
            return tuple(self._link(relation, each) for each in value)
        return _plain(value)

    def _link(self, model: str, number: int) -> RecordLink:
        if (model, number) in self.rows:
            return RecordLink(model, str(number))
        if (model, number) not in self.known.names:
            wanted = {
                each
                for place, row in self.rows.items()
                for target, each in self._links(place[0], row)
                if target == model and (model, each) not in self.known.names and (model, each) not in self.rows
            }
            rows = self._call(model, "read", sorted(wanted | {number}), ["rec_name"]) or []
            self.known.names.update({(model, row["id"]): str(row["rec_name"] or "") for row in rows})
        return RecordLink(model, str(number), self.known.names.get((model, number), "(cannot be read)"))

    # who, and what things are called

    def _people(self) -> Mapping[RecordLink, Role]:
        if not self.known.people:
            roles = {user.on(Channel.API).login: role for role, user in self.session.tenant.users.items()}
            wanted = [("login", "in", sorted(roles))]
            for row in self._call("res.user", "search_read", wanted, 0, None, None, ["login", "employee"]) or []:
                role = roles[row["login"]]
                self.known.people[RecordLink("res.user", str(row["id"]))] = role
                if row.get("employee"):
                    self.known.people[RecordLink("company.employee", str(row["employee"]))] = role
        return dict(self.known.people)

    def _labels(self, models: Iterable[str]) -> Mapping[str, str]:
        if not self.known.labels:
            name, label, _ = REGISTRY[self.session.client.dialect.series]
            rows = self._call("ir.model", "search_read", [], 0, None, None, [name, label]) or []
            self.known.labels.update({row[name]: row[label] or row[name] for row in rows})
        found = {}
        for model in models:
            found[model] = self.known.labels.get(model, model)
            found |= {f"{model}.{n}": str(each.get("string") or n) for n, each in self._fields(model).items()}
        return found


def _plain(value: Any) -> RecordValue:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    if isinstance(value, float):
        return Decimal(repr(value))
    return repr(value) if isinstance(value, dict | list | tuple | bytes) else value


def _runs_named(row: Mapping[str, Any]) -> Iterator[str]:
    for value in row.values():
        if isinstance(value, str):
            yield from MARKER.findall(value)
