"""One signed-in user of a Tryton tenant: what all their verbs share, their identity, projects and time.

Verbs of invoices, requests and the ledger stand in `billing.py` and `procurement.py`; `TrytonActor` in `api.py` is
all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from ringgate.domain.documents import Identity, Project, ProjectDraft, Task, TimeEntry
from ringgate.domain.errors import ErpMisbehaved
from ringgate.domain.model import Tenant
from ringgate.drivers.tryton import records
from ringgate.drivers.tryton.refusals import NothingHappened
from ringgate.drivers.tryton.sessions import UserSession, refusals, state_of
from ringgate.drivers.tryton.wire import BusinessError


@dataclass
class Memory:
    """What one connection has seen of the records it made, so that it need not ask again.

    `works` leads from a task to where time is entered on it; `made` are projects that only this run can have billed,
    `drafts` the invoices already drafted of each project.
    """

    works: dict[str, int] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    drafts: dict[str, set[int]] = field(default_factory=dict)


class Acting:
    """What the verbs are built on."""

    def __init__(self, session: UserSession, memory: Memory) -> None:
        self.role = session.role
        self._session, self._memory = session, memory

    @property
    def _tenant(self) -> Tenant:
        return self._session.tenant

    def _read(self, model: str, record: int | str, fields: Sequence[str]) -> Any:
        (row,) = self._session.call(f"model.{model}.read", [int(record)], list(fields))
        return row

    def _read_back(self, model: str, record: int, fields: Sequence[str]) -> Any:
        """What the ERP states of a record it has just made or changed."""
        try:
            return self._read(model, record, fields)
        except BusinessError as error:
            raise ErpMisbehaved(f"The ERP wrote {model} {record}, but it cannot be read back: {error}") from error

    def _create(self, model: str, values: dict[str, Any]) -> int:
        made = self._session.call(f"model.{model}.create", [values])
        if not isinstance(made, list) or len(made) != 1:
            raise ErpMisbehaved(f"The ERP was asked for one new {model}, and answered {made!r:.50}.")
        return int(made[0])

    def _unless(self, verb: str, happened: bool, model: str, record: str, reason: str) -> None:
        """Raises Refused where the ERP said nothing, but did not do what was asked either."""
        if not happened:
            raise NothingHappened(verb, reason, state_of(self._session, model, record))


class IdentityVerbs(Acting):
    """Who is signed in, and the end of it."""

    def who_am_i(self) -> Identity:
        with refusals("who_am_i", self._session):
            fields = ["login", "name", "company.party.name", "language.code"]
            row = self._read("res.user", self._session.user_id, fields)
        company, language = row["company."], row["language."]
        return Identity(
            login=row["login"],
            name=row["name"],
            company=company["party."]["name"] if company else "",
            language=language["code"] if language else "",
        )

    def sign_out(self) -> None:
        with refusals("sign_out", self._session):
            self._session.sign_out()


class ProjectVerbs(Acting):
    """Projects, tasks and the time that is spent on them.

    Each task is a record of its own below the project, however many there are: it is billed on a line of its own,
    under its own name, product and rate.
    """

    def create_project(self, draft: ProjectDraft) -> Project:
        policy = self._tenant.policy
        with refusals("create_project", self._session):
            products = {task.tax: self._product(task.tax) for task in draft.tasks}
            project = self._create(
                "project.work",
                {
                    "type": "project",
                    "name": draft.name,
                    "party": self._session.id_of("party.party", draft.customer),
                    "project_invoice_method": records.INVOICE_METHODS[policy.invoice_method],
                    "children": [
                        (
                            "create",
                            [
                                {
                                    "type": "task",
                                    "name": task.name,
                                    "product": products[task.tax],
                                    "list_price": records.amount(task.rate),
                                    "effort_duration": records.duration(task.planned),
                                    "timesheet_available": True,
                                }
                                for task in draft.tasks
                            ],
                        )
                    ],
                },
            )
        self._memory.made.add(str(project))
        return self._stated_project(self._read_back("project.work", project, records.PROJECT))

    def _product(self, tax: str) -> int:
        """The service that is billed under a tax rule; under the tenant's first where none is named."""
        rules = self._tenant.policy.taxes
        names = [rule.product for rule in rules if rule.name == tax or not tax] or [self._tenant.policy.product]
        return self._session.id_of("product.product", names[0])

    def _stated_project(self, row: records.Row) -> Project:
        for task in row["children."] or (row,):
            if task["timesheet_works"]:
                self._memory.works[str(task["id"])] = task["timesheet_works"][0]
        return records.project(row)

    def read_project(self, project: Project) -> Project:
        with refusals("read_project", self._session):
            return self._stated_project(self._read("project.work", project.ref.id, records.PROJECT))

    def complete_work(self, project: Project) -> Project:
        works = {project.ref.id, *(task.ref.id for task in project.tasks)}
        with refusals("complete_work", self._session, "project.work", project.ref.id):
            done = self._session.id_of("project.work.status", "complete", ("progress", "=", 1.0))
            values = {"progress": 1.0, "status": done}
            self._session.call("model.project.work.write", sorted(int(work) for work in works), values)
        stated = self._stated_project(self._read_back("project.work", int(project.ref.id), records.PROJECT))
        self._unless("complete_work", stated.state == "done", "project.work", project.ref.id, "nothing changed")
        return stated

    def enter_time(self, task: Task, hours: Decimal, on: date, description: str) -> TimeEntry:
        with refusals("enter_time", self._session):
            work = self._memory.works.get(task.ref.id) or self._work_of(task)
            values = {"work": work, "date": on, "duration": records.duration(hours), "description": description}
            entry = self._create("timesheet.line", values)
        return records.time_entry(self._read_back("timesheet.line", entry, records.TIME))

    def _work_of(self, task: Task) -> int:
        origin = f"project.work,{task.ref.id}"
        found = self._session.call("model.timesheet.work.search", [("origin", "=", origin)], 0, 1, None)
        if not found:
            raise BusinessError("UserError", "No time can be entered on this task.")
        self._memory.works[task.ref.id] = found[0]
        return int(found[0])

    def correct_time(self, entry: TimeEntry, hours: Decimal) -> TimeEntry:
        with refusals("correct_time", self._session):
            self._session.call("model.timesheet.line.write", [int(entry.ref.id)], {"duration": records.duration(hours)})
        stated = records.time_entry(self._read_back("timesheet.line", int(entry.ref.id), records.TIME))
        self._unless("correct_time", stated.hours == hours, "timesheet.line", "", f"it still says {stated.hours} h")
        return stated
