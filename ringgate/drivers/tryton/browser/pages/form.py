"""A form: fields, buttons and lists of one record, in a tab or in a window in front of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from playwright.sync_api import Locator

from ringgate.domain.errors import ErpMisbehaved, OurSideError
from ringgate.drivers.tryton.browser.pages.client import FormView, Screen, ScreenField, WebClient
from ringgate.drivers.tryton.browser.pages.dialogs import COMPLAINTS

TAB: Final = "#tabcontent > .tab-pane.active"
WINDOW: Final = ".modal.in"


NO_CHOICE: Final = ("", "null", '""')
NOTHING: Final = ScreenField("", "", shown=False, fixed=True)


class NotOffered(Exception):
    """A field, a choice or a button that the verb needs is not there, or cannot be used. Becomes `Refused`."""


@dataclass(frozen=True)
class Form:
    """`inside` is where the form stands: `TAB` or `WINDOW`."""

    client: WebClient
    inside: str = TAB

    @property
    def root(self) -> Locator:
        return self.client.page.locator(self.inside).last

    @property
    def save_button(self) -> Locator:
        return self.root.locator("button#save")

    @property
    def accept_button(self) -> Locator:
        """The main button of a window ("OK", "Add", "Save")."""
        return self.root.locator(".modal-footer .btn-primary")

    @property
    def cancel_button(self) -> Locator:
        return self.root.locator(".modal-footer .btn-link")

    def field(self, name: str) -> Locator:
        return self.root.locator(f"[name={json.dumps(name)}]:visible").first

    def button(self, name: str) -> Locator:
        return self.root.locator(f"button[name={json.dumps(name)}]:visible").first

    def view(self, screen: Screen) -> FormView:
        """What the form shows. Raises ErpMisbehaved if it is not there."""
        shown = screen.window if self.inside == WINDOW else screen.form
        if shown is None:
            raise ErpMisbehaved("The web client shows no form where one must be.")
        return shown

    def validate_page(self, screen: Screen, *fields: str) -> FormView:
        shown = self.view(screen)
        if missing := [name for name in fields if name not in shown.fields and name not in shown.lists]:
            raise ErpMisbehaved(f"The form on the screen lacks the field {missing[0]!r}.")
        return shown

    # typing

    def fill(self, name: str, text: str) -> Screen:
        """Type a text, a date or a duration, and leave the field."""
        what = f"the field {name!r} to take what was typed"
        self._editable(name)
        with self.client.errors_of(what):
            self.field(name).fill(text)
        return self.client.leave_field(what)

    def number(self, name: str, number: Decimal) -> Screen:
        """Type a number. The client swaps the input for one that takes numbers as soon as it has the focus."""
        what = f"the field {name!r} to take a number"
        self._editable(name)
        with self.client.errors_of(what):
            self.field(name).focus()
            self.root.locator(f"input[name={json.dumps(name)}][type=number]").fill(f"{number:f}")
        return self.client.leave_field(what)

    def fill_date(self, name: str, day: date) -> Screen:
        """Type a date, unless it stands there already."""
        text = self.client.formats.date_text(day)
        screen = self.client.last
        if screen is not None and self.view(screen).fields.get(name, NOTHING).text == text:
            return screen
        return self.fill(name, text)

    def select_last(self, name: str) -> Screen:
        """Choose the last of the values that are offered."""
        what = f"the last choice of {name!r}"
        self._editable(name)
        with self.client.errors_of(what):
            field = self.field(name)
            values = field.locator("option").evaluate_all("options => options.map((each) => each.value)")
            field.select_option(value=[each for each in values if each not in NO_CHOICE][-1:])
        return self.client.leave_field(what)

    def select_label(self, name: str, label: str) -> Screen:
        """Choose by what is read; for records of the tenant's own, whose names are known."""
        what = f"the choice {label!r} of {name!r}"
        self._editable(name)
        with self.client.errors_of(what):
            self.field(name).select_option(label=label)
        return self.client.leave_field(what)

    def select(self, name: str, value: object) -> Screen:
        """Choose by the value behind a choice."""
        what = f"the choice {value!r} of {name!r}"
        self._editable(name)
        with self.client.errors_of(what):
            self.field(name).select_option(value=json.dumps(value))
        return self.client.leave_field(what)

    def tick(self, name: str, *, on: bool = True) -> Screen:
        self._editable(name)
        with self.client.errors_of(f"the box {name!r}"):
            self.field(name).set_checked(on)
        return self.client.settle(f"the box {name!r} to change")

    def choose(self, name: str, text: str) -> Screen:
        """Point at another record: type its name, and click it in what the client proposes."""
        what = f"the record {text!r} for {name!r}"
        self._editable(name)
        with self.client.errors_of(what):
            self.field(name).fill(text)
        script = "([field, limit]) => __ringgate.proposals(field, limit)"
        found = self.client.ask(script, [name, self.client.limit * 1000], what)
        wanted = [i for i, each in enumerate(found) if each == text] or [i for i, e in enumerate(found) if text in e]
        if not wanted:
            raise NotOffered(f"{text!r} cannot be chosen for {name!r}")
        if len(wanted) > 1:
            proposed = ", ".join(found[i] for i in wanted)
            raise OurSideError(
                f"More than one record fits {text!r} for {name!r} ({proposed}), and the inventory does not say which "
                "is meant: name one that there is once."
            )
        with self.client.errors_of(what):
            self.root.locator(".dropdown.open li.completion > a").nth(wanted[0]).click()
        return self.client.leave_field(what)

    # pressing

    def press(self, name: str, screen: Screen) -> Screen:
        """Press a button of the form and settle. `screen` is the last look: what is not offered is not pressed."""
        if not self.view(screen).buttons.get(name):
            raise NotOffered(f"the button {name!r} is not offered")
        with self.client.errors_of(f"the button {name!r}"):
            self.button(name).click()
        return self.client.settle(f"what the button {name!r} does")

    def save(self) -> Screen:
        with self.client.errors_of("the button to save"):
            self.save_button.click()
        return self.client.settle("the record to be saved")

    def accept(self) -> Screen:
        with self.client.errors_of("the window's main button"):
            self.accept_button.click()
        return self.client.settle("the window to close")

    def cancel(self) -> Screen:
        with self.client.errors_of("the window's way out"):
            self.cancel_button.click()
        return self.client.settle("the window to close")

    def add_to(self, name: str) -> Screen:
        """Press "new" on a list in the form."""
        self.reveal(name)
        button = self.root.locator(f'[data-field={json.dumps(name)}] button[data-do="new"]').first
        with self.client.errors_of(f"a new line in {name!r}"):
            button.click()
        return self.client.settle(f"a new line in {name!r}")

    def reveal(self, name: str) -> None:
        """Turn to the page of the form on which a list stands."""
        wanted = self.root.locator(f"[data-field={json.dumps(name)}]").first
        with self.client.errors_of(f"the list {name!r}"):
            if not wanted.is_visible():
                page = self.root.locator(f".tab-pane:has([data-field={json.dumps(name)}])").last.get_attribute("id")
                self.root.locator(f'a[href="#{page}"]').click()
        self.client.settle(f"the list {name!r}")

    def _editable(self, name: str) -> None:
        """What a user can see to be impossible is not tried."""
        screen = self.client.last
        if screen is None:
            raise ErpMisbehaved("The web client shows no form where one must be.")
        if screen.front is not None and screen.front.kind in COMPLAINTS:
            raise NotOffered(screen.front.text)
        field = self.view(screen).fields.get(name)
        if field is None or not field.shown:
            raise NotOffered(f"the field {name!r} is not offered")
        if field.fixed:
            raise NotOffered(f"the field {name!r} cannot be changed")


@dataclass(frozen=True)
class FormRow(Form):
    """The row that is being typed in, of a list in a form."""

    list_name: str = ""

    @property
    def root(self) -> Locator:
        return super().root.locator(f"[data-field={json.dumps(self.list_name)}] table.tree > tbody > tr.selected")

    def _editable(self, name: str) -> None:
        """A row shows only in its inputs what can be typed in it."""
