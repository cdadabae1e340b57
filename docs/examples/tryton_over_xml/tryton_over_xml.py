"""A driver of one's own, whole: projects and time in Tryton, over XML-RPC instead of JSON-RPC as Ringgate's own driver.

It is an example, and works on a real ERP: the processes `sign-in`, `project-creation` and `time-entry` run over it, and
it keeps every contract of what it declares. What it does not declare is not applicable. docs/your-own-erp.md leads
through it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tryton_over_xml_wire import Ended, Said, Wire

from ringgate.domain.documents import Identity, Project, ProjectDraft, Ref, Task, TimeEntry
from ringgate.domain.errors import OurSideError, Refused, SignInRefused
from ringgate.domain.model import Tenant
from ringgate.domain.money import Currency, Money
from ringgate.domain.reversal import NOTHING_TO_UNDO, Reversal
from ringgate.domain.terms import Capability, Channel, InvoiceMethod, Role
from ringgate.drivers.protocol import Call
from ringgate.surface.model import call, reading, writing

PROJECT = ["name", "party.name", "status.progress", "children"]
TASK = ["name", "list_price", "effort_duration"]
TIME = ["work.origin", "duration", "date", "description", "employee.rec_name"]
METHODS = {InvoiceMethod.TIMESHEET: "timesheet", InvoiceMethod.EFFORT: "effort"}


class User:
    """One signed-in user: the business verbs, in the ERP's words."""

    def __init__(self, tenant: Tenant, role: Role, wire: Wire, touched: set[str]) -> None:
        self.tenant, self.role, self.wire = tenant, role, wire
        self._touched = touched
        self.ended = False
        self.context: dict[str, Any] = {}

    # --- the ERP ------------------------------------------------------------------------------------------------------

    def ask(self, model: str, method: str, *params: Any) -> Any:
        """One call with the user's own context. What it touches is noted, for surfaces and evidence."""
        self._touched.add(call(self.role, f"model.{model}.{method}"))
        return self.wire.call(f"model.{model}.{method}", *params, self.context)

    def read(self, model: str, ids: list[int], fields: list[str]) -> list[dict[str, Any]]:
        self._touched.update(reading(self.role, model, field) for field in fields)
        rows: list[dict[str, Any]] = self.ask(model, "read", ids, fields)
        return sorted(rows, key=lambda row: ids.index(row["id"]))

    def write(self, model: str, ids: list[int], values: dict[str, Any]) -> None:
        self._touched.update(writing(self.role, model, field) for field in values)
        self.ask(model, "write", ids, values)

    def one(self, model: str, *domain: Any) -> int:
        found = self.ask(model, "search", list(domain), 0, 1, None)
        if not found:
            raise Said(f"there is no {model} with {domain}")
        return int(found[0])

    @contextmanager
    def verb(self, name: str) -> Iterator[None]:
        """What the ERP refuses inside is a typed refusal of this verb."""
        try:
            yield
        except Said as error:
            raise Refused(name, str(error)) from error
        except Ended as error:
            raise Refused(name, f"the session is over ({error})") from error

    # --- identity -----------------------------------------------------------------------------------------------------

    def who_am_i(self) -> Identity:
        with self.verb("who_am_i"):
            fields = ["login", "name", "company.party.name", "language.code"]
            (row,) = self.read("res.user", [self.wire.user], fields)
        company, language = row["company."], row["language."]
        return Identity(
            row["login"],
            row["name"],
            company["party."]["name"] if company else "",
            language["code"] if language else "",
        )

    def sign_out(self) -> None:
        self.ended = True
        with self.verb("sign_out"):
            self.wire.call("common.db.logout")

    # --- projects and time --------------------------------------------------------------------------------------------

    def create_project(self, draft: ProjectDraft) -> Project:
        rules, policy = {rule.name: rule.product for rule in self.tenant.policy.taxes}, self.tenant.policy
        with self.verb("create_project"):
            tasks = [
                {
                    "type": "task",
                    "name": task.name,
                    "product": self.one("product.product", ("name", "=", rules.get(task.tax, policy.product))),
                    "list_price": task.rate.amount.normalize(),
                    "effort_duration": _span(task.planned),
                    "timesheet_available": True,
                }
                for task in draft.tasks
            ]
            values = {
                "type": "project",
                "name": draft.name,
                "party": self.one("party.party", ("name", "=", draft.customer)),
                "project_invoice_method": METHODS[policy.invoice_method],
                "children": [("create", tasks)],
            }
            self._touched.update(writing(self.role, "project.work", field) for field in values)
            (made,) = self.ask("project.work", "create", [values])
            return self._project(made)

    def read_project(self, project: Project) -> Project:
        with self.verb("read_project"):
            return self._project(int(project.ref.id))

    def complete_work(self, project: Project) -> Project:
        with self.verb("complete_work"):
            done = self.one("project.work.status", ("progress", "=", 1.0))
            works = [int(project.ref.id), *(int(task.ref.id) for task in project.tasks)]
            self.write("project.work", works, {"progress": 1.0, "status": done})
            return self._project(int(project.ref.id))

    def _project(self, record: int) -> Project:
        (row,) = self.read("project.work", [record], PROJECT)
        tasks = self.read("project.work", row["children"], TASK)
        state = "done" if (row["status."] or {}).get("progress") == 1 else "open"
        of = tuple(map(self._task, tasks))
        return Project(Ref("project", str(record)), row["name"], row["party."]["name"], state, of)

    def _task(self, row: dict[str, Any]) -> Task:
        currency: Currency = self.tenant.policy.currency
        rate = Money(row["list_price"] or Decimal(0), currency)
        return Task(Ref("task", str(row["id"])), row["name"], rate, _hours(row["effort_duration"]))

    def enter_time(self, task: Task, hours: Decimal, on: date, description: str) -> TimeEntry:
        with self.verb("enter_time"):
            work = self.one("timesheet.work", ("origin", "=", f"project.work,{task.ref.id}"))
            values = {"work": work, "date": on, "duration": _span(hours), "description": description}
            self._touched.update(writing(self.role, "timesheet.line", field) for field in values)
            (made,) = self.ask("timesheet.line", "create", [values])
            return self._entry(made)

    def correct_time(self, entry: TimeEntry, hours: Decimal) -> TimeEntry:
        with self.verb("correct_time"):
            self.write("timesheet.line", [int(entry.ref.id)], {"duration": _span(hours)})
            return self._entry(int(entry.ref.id))

    def _entry(self, record: int) -> TimeEntry:
        (row,) = self.read("timesheet.line", [record], TIME)
        task = str((row["work."] or {}).get("origin") or "").partition(",")[2]
        employee = row["employee."]["rec_name"]
        return TimeEntry(
            Ref("time", str(record)),
            Ref("task", task),
            _hours(row["duration"]),
            row["date"],
            row["description"],
            employee,
        )


class Books:
    """What an auditor reads back, apart from who wrote it."""

    def __init__(self, auditor: User) -> None:
        self._auditor = auditor

    def hours_on(self, project: Project) -> Decimal:
        origins = [f"project.work,{task.ref.id}" for task in project.tasks]
        clause = ["OR", *(("work.origin", "=", origin) for origin in origins)]
        with self._auditor.verb("hours_on"):
            found = self._auditor.ask("timesheet.line", "search", [clause], 0, None, None)
            rows = self._auditor.read("timesheet.line", found, ["duration"]) if found else []
        return sum((_hours(row["duration"]) for row in rows), Decimal(0))


class Connection:
    """One run's way to one tenant. Pooled users stay signed in for the next run, those signed in anew do not."""

    def __init__(self, tenant: Tenant, pool: dict[tuple[str, str, Role], User], timeout: float) -> None:
        self._tenant, self._pool, self._timeout = tenant, pool, timeout
        self._used: dict[int, tuple[User, int]] = {}
        self._own: list[User] = []
        self._touched: set[str] = set()

    @property
    def calls(self) -> int:
        return sum(user.wire.calls - before for user, before in self._used.values())

    @property
    def touched(self) -> frozenset[str]:
        return frozenset(self._touched)

    def sign_in(self, role: Role, *, password: str | None = None, fresh: bool = False) -> User:
        own, key = fresh or password is not None, (self._tenant.id, self._tenant.api, role)
        user = None if own else self._pool.get(key)
        if user is None or user.ended or not self._alive(user):
            user = self._login(role, password)
            if own:
                self._own.append(user)
            else:
                self._pool[key] = user
        user._touched = self._touched
        self._used.setdefault(id(user), (user, user.wire.calls if user in self._pool.values() else 0))
        return user

    def _alive(self, user: User) -> bool:
        try:
            user.wire.call("model.res.user.get_preferences", True, {})
        except Ended:
            return False
        return True

    def _login(self, role: Role, password: str | None) -> User:
        account = self._tenant.users.get(role)
        if account is None:
            raise OurSideError(f"Tenant {self._tenant.id} has no user for the role {role}: add [users.{role}].")
        credentials, wire = account.on(Channel.API), Wire(self._tenant.api, self._timeout)
        try:
            wire.login(credentials.login, credentials.reveal_password() if password is None else password)
        except (Ended, Said) as error:
            words = f"{credentials.login} could not sign in to {self._tenant.id}"
            raise SignInRefused(f"{words}.") if password is None else Refused("sign_in", words) from error
        user = User(self._tenant, role, wire, self._touched)
        user.context = user.ask("res.user", "get_preferences", True)  # company, employee, language
        return user

    def books(self) -> Books:
        return Books(self.sign_in(Role.AUDITOR))

    def undo(self, reversal: Reversal) -> str:
        """Found by id, or by the marker that every record carries; nothing there is no mistake."""
        ways: dict[str, Callable[[User, Reversal], str]] = {"create_project": _no_project, "enter_time": _no_time}
        way = ways.get(reversal.verb)
        if way is None:
            return NOTHING_TO_UNDO
        user = self.sign_in(Role(reversal.role))
        with user.verb(f"undo {reversal.verb}"):
            return way(user, reversal)

    def close(self) -> None:
        for user in self._own:
            if not user.ended:
                with suppress(Refused):
                    user.sign_out()
        self._own.clear()


class TrytonOverXml:
    """One process's way to all Tryton tenants over XML-RPC. `timeout` is in seconds, for each answer."""

    channel = Channel.API
    capabilities = frozenset(
        {Capability.SIGN_IN, Capability.PROJECTS, Capability.TIME, Capability.BOOKS, Capability.UNDO}
    )

    def __init__(self, timeout: float = 30.0) -> None:
        self._timeout = timeout
        self._pool: dict[tuple[str, str, Role], User] = {}

    def connect(self, tenant: Tenant, call: Call) -> Connection:
        return Connection(tenant, self._pool, self._timeout)

    def close(self) -> None:
        for user in self._pool.values():
            with suppress(Exception):  # a server that is gone has ended its sessions itself
                user.sign_out()
        self._pool.clear()


# --- undo -------------------------------------------------------------------------------------------------------------


def _no_project(user: User, reversal: Reversal) -> str:
    found = _marked(user, "project.work", "name", reversal, [("type", "=", "project")])
    for row in user.read("project.work", found, ["children"]) if found else ():
        user.ask("project.work", "delete", [row["id"], *row["children"]])
    return "project deleted" if found else NOTHING_TO_UNDO


def _no_time(user: User, reversal: Reversal) -> str:
    found = _marked(user, "timesheet.line", "description", reversal, [])
    if found:
        user.ask("timesheet.line", "delete", found)
    return "time deleted" if found else NOTHING_TO_UNDO


def _marked(user: User, model: str, field: str, reversal: Reversal, domain: list[Any]) -> list[int]:
    """By the id that was noted, or by the marker alone: `RG-x-1` must not find `RG-x-12`."""
    clause = ("id", "=", int(reversal.ref)) if reversal.ref else (field, "ilike", f"%{reversal.marker}%")
    found = user.ask(model, "search", [*domain, clause], 0, None, None)
    rows = user.read(model, found, [field]) if found else []
    whole = re.compile(re.escape(reversal.marker) + r"(?!\w)")
    return [row["id"] for row in rows if reversal.ref or whole.search(row[field] or "")]


def _span(hours: Decimal) -> timedelta:
    return timedelta(seconds=float(hours * 3600))


def _hours(span: timedelta | None) -> Decimal:
    return Decimal(round((span or timedelta()).total_seconds())) / 3600
