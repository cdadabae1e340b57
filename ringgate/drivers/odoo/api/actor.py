"""One signed-in user of an Odoo tenant: what all their verbs share, their identity, their projects and their time.

A project is billed by a sale order: each task has a line of it, at the rate that was agreed. Verbs of invoices,
requests and the ledger stand in `billing.py` and `procurement.py`; `OdooActor` in `driver.py` is all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from ringgate.domain.documents import Identity, Project, ProjectDraft, Ref, Task, TimeEntry
from ringgate.domain.errors import ErpMisbehaved
from ringgate.domain.model import Tenant
from ringgate.domain.terms import InvoiceMethod
from ringgate.drivers.odoo import records
from ringgate.drivers.odoo.reading import Reader
from ringgate.drivers.odoo.refusals import NothingHappened, refusals, state_of
from ringgate.drivers.odoo.sessions import NotThere, UserSession
from ringgate.drivers.odoo.values import link, name, text

ORDER: Final = "sale.order"
ORDER_LINE: Final = "sale.order.line"
TIME: Final = "account.analytic.line"


@dataclass
class Memory:
    """What one connection has seen of the records it made, so that it need not ask again.

    `projects` leads from a task to its project, `orders` from a project to the orders that bill it, `drafts` to the
    invoices already drafted of it.
    """

    projects: dict[str, int] = field(default_factory=dict)
    orders: dict[str, list[int]] = field(default_factory=dict)
    drafts: dict[str, set[int]] = field(default_factory=dict)


class Acting:
    """What the verbs are built on."""

    def __init__(self, session: UserSession, memory: Memory) -> None:
        self.role = session.role
        self._session, self._memory = session, memory
        self._reader = Reader(session)

    @property
    def _tenant(self) -> Tenant:
        return self._session.tenant

    def _create(self, model: str, values: dict[str, Any], **context: Any) -> int:
        made = self._session.call(model, "create", vals_list=[values], context=context)
        if not isinstance(made, list) or len(made) != 1:
            raise ErpMisbehaved(f"The ERP was asked for one new {model}, and answered {made!r:.50}.")
        return int(made[0])

    def _press(self, model: str, button: str, record: int, **context: Any) -> Any:
        return self._session.call(model, button, ids=[record], context=context)

    def _wizard(self, model: str, values: dict[str, Any], button: str, on: str, record: int) -> Any:
        """Fills in a wizard on a record of model `on`, and presses its button."""
        context = {"active_model": on, "active_id": record, "active_ids": [record]}
        return self._press(model, button, self._create(model, values, **context), **context)

    def _unless(self, verb: str, happened: bool, model: str, record: str, reason: str) -> None:
        """Raises Refused where the ERP said nothing, but did not do what was asked either."""
        if not happened:
            raise NothingHappened(verb, reason, state_of(self._session, model, record))


class IdentityVerbs(Acting):
    """Who is signed in, and the end of it."""

    def who_am_i(self) -> Identity:
        with refusals("who_am_i", self._session):
            rows = self._session.read("res.users", [self._session.user_id], ["login", "name", "company_id", "lang"])
        row = rows[0]
        return Identity(text(row["login"]), text(row["name"]), name(row["company_id"]), self._language(row["lang"]))

    def _language(self, code: Any) -> str:
        """The ERP names a country, too ("de_DE"): it counts where the inventory names one."""
        told = text(code)
        return told if "_" in self._tenant.language or "-" in self._tenant.language else told.partition("_")[0]

    def sign_out(self) -> None:
        with refusals("sign_out", self._session):
            self._session.sign_out()


class ProjectVerbs(Acting):
    """Projects, their orders, and time."""

    def create_project(self, draft: ProjectDraft) -> Project:
        verb, series = "create_project", self._session.series
        with refusals(verb, self._session):
            customer = self._session.id_of("res.partner", draft.customer)
            values = {"name": draft.name, "partner_id": customer, "allow_billable": True, "allow_timesheets": True}
            project = self._create("project.project", values)
            order = self._order(draft, customer, project)
            lines = self._session.rows(ORDER_LINE, [("order_id", "=", order)], ["price_unit"])
            if len(lines) != len(draft.tasks):
                raise ErpMisbehaved(f"The ERP made {len(lines)} order lines of {len(draft.tasks)}.")
            tasks = [
                {
                    "name": task.name,
                    "project_id": project,
                    "partner_id": customer,
                    series.planned: task.planned,
                    "sale_line_id": line["id"],
                }
                for task, line in zip(draft.tasks, lines, strict=True)
            ]
            made = self._session.call("project.task", "create", vals_list=tasks)
        self._memory.projects |= {str(task): project for task in made}
        self._memory.orders[str(project)] = [order]
        stated: Project = self._reader.read_back(f"project {project}", lambda: self._reader.project(project))
        return stated

    def _order(self, draft: ProjectDraft, customer: int, project: int) -> int:
        """The confirmed order that the project is billed by; it carries the project's name, and so its marker."""
        lines = [
            (0, 0, {
                "product_id": self._product(task.tax),
                "name": task.name,
                "product_uom_qty": task.planned,
                "price_unit": task.rate.amount,
            })
            for task in draft.tasks
        ]  # fmt: skip
        values = {"partner_id": customer, "client_order_ref": draft.name, "order_line": lines}
        if not self._session.series.orders_fill_in:
            (terms,) = self._session.read("res.partner", [customer], ["property_payment_term_id"])
            values["payment_term_id"] = link(terms["property_payment_term_id"])
        if self._session.series.order_names_project:
            values["project_id"] = project
        order = self._create(ORDER, values)
        self._press(ORDER, "action_confirm", order)
        (row,) = self._session.read(ORDER, [order], ["state"])
        if row["state"] not in ("sale", "done"):
            raise NothingHappened("create_project", "its order was not confirmed", str(row["state"]))
        return order

    def _product(self, tax: str) -> int:
        """The service that is billed under a tax rule; under the tenant's first where none is named."""
        rules = self._tenant.policy.taxes
        names = [rule.product for rule in rules if rule.name == tax or not tax] or [self._tenant.policy.product]
        return self._session.id_of("product.product", names[0])

    def read_project(self, project: Project) -> Project:
        with refusals("read_project", self._session):
            return self._reader.project(int(project.ref.id))

    def complete_work(self, project: Project) -> Project:
        """All tasks are closed; where hours planned are billed, they are stated as delivered."""
        verb, series = "complete_work", self._session.series
        tasks = [int(task.ref.id) for task in project.tasks]
        with refusals(verb, self._session, "project.task", project.tasks[0].ref.id if project.tasks else ""):
            values = {series.task_state: "1_done"} if series.task_state else {"stage_id": self._closing_stage()}
            self._session.call("project.task", "write", ids=tasks, vals=values)
            if self._tenant.policy.invoice_method is InvoiceMethod.EFFORT:
                self._deliver(tasks)
            stated = self._reader.project(int(project.ref.id))
        if stated.state != "done":
            raise NothingHappened(verb, "nothing changed", stated.state)
        return stated

    def _closing_stage(self) -> int:
        flag = self._session.series.stage_closes
        return self._session.id_of("project.task.type", flag, [(flag, "=", True)])

    def _deliver(self, tasks: list[int]) -> None:
        rows = self._session.read("project.task", tasks, ["sale_line_id"])
        lines = [line for row in rows if (line := link(row["sale_line_id"])) is not None]
        for row in self._session.read(ORDER_LINE, lines, ["product_uom_qty"]):
            self._session.call(ORDER_LINE, "write", ids=[row["id"]], vals={"qty_delivered": row["product_uom_qty"]})

    def enter_time(self, task: Task, hours: Decimal, on: date, description: str) -> TimeEntry:
        with refusals("enter_time", self._session):
            values = {
                "task_id": int(task.ref.id),
                "project_id": self._project_of(task.ref),
                "name": description,
                "unit_amount": hours,
                "date": on,
            }
            entry = self._create(TIME, values)
        stated: TimeEntry = self._reader.read_back(f"time {entry}", lambda: self._time(entry))
        self._unless("enter_time", stated.hours == hours, TIME, "", f"it says {stated.hours} h")
        return stated

    def _time(self, entry: int) -> TimeEntry:
        (row,) = self._session.read(TIME, [entry], records.TIME)
        return records.time_entry(row)

    def _project_of(self, task: Ref) -> int:
        if task.id not in self._memory.projects:
            rows = self._session.rows("project.task", [("id", "=", int(task.id))], ["project_id"])
            project = link(rows[0]["project_id"]) if rows else None
            if project is None:
                raise NotThere("UserError", "No time can be entered on this task.")
            self._memory.projects[task.id] = project
        return self._memory.projects[task.id]

    def correct_time(self, entry: TimeEntry, hours: Decimal) -> TimeEntry:
        with refusals("correct_time", self._session):
            self._session.call(TIME, "write", ids=[int(entry.ref.id)], vals={"unit_amount": hours})
        stated: TimeEntry = self._reader.read_back("time", lambda: self._time(int(entry.ref.id)))
        self._unless("correct_time", stated.hours == hours, TIME, "", f"it still says {stated.hours} h")
        return stated
