"""One user in front of Tryton's web client: what all their verbs share, their identity, projects and time.

A verb clicks and types as a person would, and returns what the screen shows afterwards. Verbs of requests, invoices
and the ledger stand in `browser_office.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from ringgate.domain.documents import Identity, Project, ProjectDraft, Ref, Task, TaskDraft, TimeEntry
from ringgate.domain.errors import ErpMisbehaved, Refused
from ringgate.domain.money import Currency, Money
from ringgate.domain.terms import Basis
from ringgate.drivers.tryton import records
from ringgate.drivers.tryton.browser.pages.client import FormView, Screen, SessionOver
from ringgate.drivers.tryton.browser.pages.dialogs import Dialogs
from ringgate.drivers.tryton.browser.pages.form import WINDOW, Form, NotOffered
from ringgate.drivers.tryton.browser.pages.login import LoginPage
from ringgate.drivers.tryton.browser.pages.tabs import Tabs
from ringgate.drivers.tryton.browser.pages.user_menu import UserMenu
from ringgate.drivers.tryton.browser.sessions import BrowserSession
from ringgate.drivers.tryton.refusals import NothingHappened

WORK: Final = "project.work"
TIME: Final = "timesheet.line"


class BrowserActing:
    """What the verbs are built on."""

    def __init__(self, session: BrowserSession, run_id: str) -> None:
        self.role = session.role
        self._session, self._run_id = session, run_id
        self._client = session.client
        self._tabs, self._form = Tabs(session.client), Form(session.client)
        self._window = Form(session.client, WINDOW)
        self._dialogs = Dialogs(session.client)

    @contextmanager
    def _verb(self, name: str) -> Iterator[None]:
        """What a user cannot do on the screen is a refusal, with the state that the screen shows."""
        try:
            if self._session.ended:
                self._come_back()
            yield
        except SessionOver:
            raise Refused(name, "the web client asks for the password: the session has ended") from None
        except NotOffered as error:
            self._client.place = ""
            complaint = self._dialogs.complaint(self._client.settle("the screen"))[0]
            # What a screen does not offer to a user, without a word, is not allowed to them.
            basis = None if complaint else Basis.RIGHTS
            raise Refused(name, complaint or str(error), self._state(), basis) from None
        except Refused:
            self._client.place = ""
            raise
        except BaseException:
            self._session.usable = False
            raise

    def _come_back(self) -> None:
        """Use the client with the session that was ended, as a window that was left open would."""
        name, stored = self._session.old_session or ("", "")
        script = "([name, value, hash]) => { localStorage.setItem(name, value); location.hash = hash; }"
        self._client.ask(script, [name, stored, self._client.database], "the old session")
        with self._client.errors_of("the web client to load again"):
            self._client.page.reload(wait_until="load")
        if self._client.settle("the start page").asks_password:
            raise SessionOver

    def _did(self, verb: str, screen: Screen) -> Screen:
        """The screen after an act: questions are answered with yes, complaints are refusals."""
        if screen.failures:
            self._session.usable = False
        screen = self._dialogs.confirm(screen)
        fatal = any(each.kind == "error-dialog" for each in screen.dialogs) and 403 not in screen.failures
        complaint, screen = self._dialogs.complaint(screen)
        if fatal:
            raise ErpMisbehaved(f"The web client reported an error instead of an answer: {complaint}")
        if complaint:
            raise Refused(verb, complaint, self._state())
        return screen

    def _opened(self, verb: str, model: str, record: str, *, anew: bool = False) -> Screen:
        """A record's form. To act on it, a form that stands open will do; to read, it is read `anew`."""
        screen = self._did(verb, self._tabs.record(model, record, anew=anew))
        self._tabs.validate_page(screen, model)
        return screen

    def _saved(self, verb: str) -> Screen:
        """Save what was typed. The screen then shows the record, by its number."""
        screen = self._did(verb, self._form.save())
        if not screen.record:
            raise NothingHappened(verb, "it was not saved")
        return screen

    def _state(self) -> str:
        """The state of the record on the screen, "" where none is shown or it was never saved."""
        last = self._client.last
        if last is None or last.form is None or not last.record or "state" not in last.form.fields:
            return ""
        return last.form.text("state")

    def _today(self) -> date:
        return datetime.now(ZoneInfo(self._session.tenant.timezone)).date()

    def _number(self, text: str) -> Decimal:
        return self._client.formats.number(text)

    def _money(self, text: str, currency: Currency | None = None) -> Money:
        return Money(self._number(text), currency or self._session.tenant.policy.currency)


class BrowserIdentityVerbs(BrowserActing):
    """Who is signed in, and the end of it."""

    def who_am_i(self) -> Identity:
        """The client shows name and language in the user's preferences; the login is what its session stands for."""
        with self._verb("who_am_i"):
            self._tabs.close_all()
            login = self._client.ask("Sao.Session.current_session.login", None, "the session")
            shown = self._window.validate_page(UserMenu(self._client).preferences(), "name", "language", "company")
            identity = Identity(login, shown.text("name"), shown.fields["company"].label, shown.text("language"))
            with self._client.errors_of("the preferences to close"):
                self._window.cancel_button.click()
            self._client.settle("the preferences to close")
        return identity

    def sign_out(self) -> None:
        with self._verb("sign_out"):
            self._tabs.close_all()
            self._session.remember_session()
            self._session.ended, self._session.usable = True, False
            self._client.on_password = None
            LoginPage(self._client).validate_page(UserMenu(self._client).sign_out())
            self._client.on_password = self._nobody_answers

    @staticmethod
    def _nobody_answers() -> None:
        raise SessionOver


class BrowserProjectVerbs(BrowserActing):
    """Projects and time."""

    def create_project(self, draft: ProjectDraft) -> Project:
        """A project with one task is billed itself; one with several gets them below it, one form each.

        The forms are opened by links in which the choices are made already: they are the costliest of the client to
        fill, field by field. What a project is about is typed.
        """
        verb, policy = "create_project", self._session.tenant.policy
        single = len(draft.tasks) == 1
        with self._verb(verb):
            choices: dict[str, object] = {
                "default_type": "project",
                "default_project_invoice_method": records.INVOICE_METHODS[policy.invoice_method],
            }
            self._did(verb, self._tabs.new(WORK, choices | {"default_timesheet_available": single}))
            self._form.fill("name", draft.name)
            self._form.choose("party", draft.customer)
            if single:
                self._fill_task(draft.tasks[0])
            project = self._saved(verb)
            for task in () if single else draft.tasks:
                choices = {"default_type": "task", "default_parent": int(project.record)}
                self._did(verb, self._tabs.new(WORK, choices | {"default_timesheet_available": True}))
                self._form.fill("name", task.name)
                self._fill_task(task)
                self._saved(verb)
            return self._project(project if single else self._opened(verb, WORK, project.record), project.record)

    def _fill_task(self, task: TaskDraft) -> None:
        self._form.choose("product", self._product(task.tax))
        self._form.number("list_price", task.rate.amount)
        self._form.fill("effort_duration", self._client.formats.hours_text(task.planned))

    def _product(self, tax: str) -> str:
        """The service that is billed under a tax rule; under the tenant's first where none is named."""
        policy = self._session.tenant.policy
        return next((rule.product for rule in policy.taxes if rule.name == tax or not tax), policy.product)

    def read_project(self, project: Project) -> Project:
        with self._verb("read_project"):
            return self._project(self._opened("read_project", WORK, project.ref.id, anew=True), project.ref.id)

    def _project(self, screen: Screen, record: str) -> Project:
        shown = self._form.validate_page(screen, "name", "party", "list_price", "effort_duration", "status", "children")
        ref = Ref("project", record)
        rows, ids = shown.lists["children"], shown.records["children"]
        tasks = tuple(
            Task(Ref("task", each), row["name"], self._money(row["list_price"]), self._hours(row["total_effort"]))
            for each, row in zip(ids, rows, strict=True)
        )
        own = Task(
            Ref("task", record),
            shown.text("name"),
            self._money(shown.text("list_price")),
            self._hours(shown.text("effort_duration")),
        )
        return Project(ref, shown.text("name"), shown.text("party"), self._progress(shown), tasks or (own,))

    def _progress(self, shown: FormView) -> str:
        """`done` once the work is complete; the names of its states are the tenant's own."""
        return "done" if self._number(shown.text("progress")) == 100 else "open"

    def _hours(self, text: str) -> Decimal:
        return self._client.formats.hours(text)

    def complete_work(self, project: Project) -> Project:
        """Every task, then the project itself, is set to its last state at 100 %."""
        with self._verb("complete_work"):
            for record in dict.fromkeys([*(task.ref.id for task in project.tasks), project.ref.id]):
                screen = self._opened("complete_work", WORK, record)
                self._form.number("progress", Decimal(100))
                self._form.select_last("status")
                screen = self._saved("complete_work")
            stated = self._project(screen, project.ref.id)
            if stated.state != "done":
                raise NothingHappened("complete_work", "nothing changed", stated.state)
            return stated

    def enter_time(self, task: Task, hours: Decimal, on: date, description: str) -> TimeEntry:
        with self._verb("enter_time"):
            self._did("enter_time", self._tabs.new(TIME))
            self._form.choose("work", task.name)
            self._form.fill_date("date", on)
            self._form.fill("duration", self._client.formats.hours_text(hours))
            self._form.fill("description", description)
            screen = self._saved("enter_time")
            return self._entry(screen, screen.record, task.ref)

    def correct_time(self, entry: TimeEntry, hours: Decimal) -> TimeEntry:
        with self._verb("correct_time"):
            self._opened("correct_time", TIME, entry.ref.id)
            self._form.fill("duration", self._client.formats.hours_text(hours))
            stated = self._entry(self._saved("correct_time"), entry.ref.id, entry.task)
            if stated.hours != hours:
                raise NothingHappened("correct_time", f"it still says {stated.hours} h")
            return stated

    def _entry(self, screen: Screen, record: str, task: Ref) -> TimeEntry:
        shown = self._form.validate_page(screen, "duration", "date", "description", "employee")
        on = self._client.formats.date_of(shown.text("date"))
        if on is None:
            raise ErpMisbehaved("The time on the screen has no date.")
        hours, text = self._hours(shown.text("duration")), shown.text("description")
        return TimeEntry(Ref("time", record), task, hours, on, text, shown.text("employee"))
