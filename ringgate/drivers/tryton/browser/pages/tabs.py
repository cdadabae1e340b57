"""The tabs of the client: each shows a record or a list, and has an address of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from playwright.sync_api import Locator

from ringgate.domain.errors import ErpMisbehaved
from ringgate.drivers.tryton.browser.pages.client import FormView, Screen, WebClient
from ringgate.drivers.tryton.browser.pages.dialogs import Dialogs


@dataclass(frozen=True)
class Tabs:
    client: WebClient

    @property
    def close_button(self) -> Locator:
        return self.client.page.locator("#tablist > li.active button.close")

    @property
    def rows(self) -> Locator:
        return self.client.page.locator("#tabcontent > .tab-pane.active table.tree > tbody > tr")

    @property
    def new_button(self) -> Locator:
        return self.client.page.locator("#tabcontent > .tab-pane.active button#new_")

    @property
    def reload_button(self) -> Locator:
        return self.client.page.locator("#tabcontent > .tab-pane.active button#reload")

    def _shows(self, model: str) -> bool:
        last = self.client.last
        return last is not None and last.tabs > 0 and f"/model/{model}" in last.hash.partition(";")[0]

    def validate_page(self, screen: Screen, model: str) -> None:
        if not self._shows(model):
            raise ErpMisbehaved(f"The web client did not open a tab for {model}.")

    def record(self, model: str, record: str, *, anew: bool) -> Screen:
        """A record's form. One that is open already is used as it stands, unless it is to be read `anew`."""
        last = self.client.last
        if last is not None and last.tabs == 1 and not last.dialogs and last.record == record and self._shows(model):
            if not anew:
                return last
            with self.client.errors_of("the button to read again"):
                self.reload_button.click()
            return self.client.settle(f"the record {record} of {model}")
        return self._open(f"model/{model}/{record}")

    def new(self, model: str, context: object = None) -> Screen:
        """An empty form: the client takes the record number 0 for one yet to be made. `context` may hold defaults.

        A form opened the same way before, whose record was saved, is emptied instead by the button "new": to build a
        form is the costliest thing that the client does.
        """
        route = f"model/{model}/0" + (f";context={quote(json.dumps(context))}" if context else "")
        last = self.client.last
        if self.client.place == route and last is not None and last.tabs == 1 and not last.dialogs and last.record:
            with self.client.errors_of("the button for a new record"):
                self.new_button.click()
            return self.client.settle(f"an empty form of {model}")
        return self._open(route)

    def listing(self, model: str, domain: object, limit: int = 100) -> Screen:
        """A list of the records that `domain` admits, at most `limit`."""
        return self._open(self._list(model, domain, limit))

    @staticmethod
    def _list(model: str, domain: object, limit: int) -> str:
        return f"model/{model};domain={quote(json.dumps(domain))}&limit={limit}"

    def beside(self, model: str, domain: object) -> tuple[Mapping[str, str], ...]:
        """The rows of a list, read in a tab beside the one that is open, which is in front again afterwards."""
        screen = self.client.go(self._list(model, domain, 100))
        self._close_one(screen)
        return screen.rows

    def form_beside(self, model: str, domain: object) -> FormView:
        """The form of the first record of a list, read in a tab beside the one that is open."""
        self.client.go(self._list(model, domain, 1))
        screen = self.open_row(0)
        self._close_one(screen)
        if screen.form is None:
            raise ErpMisbehaved(f"The web client shows no form of {model}.")
        return screen.form

    def wizard(self, action: str, model: str, record: str) -> Screen:
        """The first window of a wizard, as if it had been launched from the record's form."""
        data = quote(json.dumps({"model": model, "id": int(record), "ids": [int(record)]}))
        return self.client.go(f"wizard/{action};data={data}")

    def open_row(self, row: int) -> Screen:
        """The form behind a row of the list in the open tab."""
        with self.client.errors_of("a row of the list"):
            self.rows.nth(row).locator("td:not(.selection-state):visible").nth(1).dblclick()
        return self.client.settle("the record behind a row")

    def close_all(self) -> None:
        """Close what is open, without saving."""
        screen = self.client.settle("the open tabs")
        while screen.tabs:
            screen = self._close_one(screen)

    def _close_one(self, screen: Screen) -> Screen:
        with self.client.errors_of("a tab to close"):
            self.close_button.click()
        left = Dialogs(self.client).decline(self.client.settle("a tab to close"))
        if left.tabs >= screen.tabs:
            raise ErpMisbehaved("A tab of the web client does not close.")
        return left

    def _open(self, route: str) -> Screen:
        screen = self.client.go(route, alone=True)
        if screen.front is not None and screen.front.kind == "confirmation-dialog":
            Dialogs(self.client).decline(screen)
            self.close_all()
            screen = self.client.go(route)
        self.client.place = route
        return screen
