"""What the client asks, warns of or complains about, in front of everything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Locator

from ringgate.domain.errors import ErpMisbehaved
from ringgate.drivers.tryton.browser.pages.client import Screen, WebClient

COMPLAINTS: Final = frozenset({"warning-dialog", "message-dialog", "error-dialog"})
QUESTIONS: Final = frozenset({"user-warning-dialog", "confirmation-dialog"})
MANY: Final = 8
"""More questions than this after one click are no business warnings any more."""


@dataclass(frozen=True)
class Dialogs:
    client: WebClient

    @property
    def front(self) -> Locator:
        return self.client.page.locator(".modal.in").last

    @property
    def yes(self) -> Locator:
        return self.front.locator(".modal-footer .btn-primary")

    @property
    def no(self) -> Locator:
        """The answer that changes nothing: "No" of three, else the plain one."""
        footer = self.front.locator(".modal-footer")
        return footer.locator(".btn-default").or_(footer.locator(".btn-link")).last

    def confirm(self, screen: Screen) -> Screen:
        """Say yes to whatever a user would be asked ("The date is in the past. Go on?"), and settle."""
        for _ in range(MANY):
            if screen.front is None or screen.front.kind not in QUESTIONS:
                return screen
            screen = self._click(self.yes, "the answer to a question")
        raise ErpMisbehaved("The web client asks one question after the other.")

    def decline(self, screen: Screen) -> Screen:
        """Say no to a question whether to save."""
        if screen.front is not None and screen.front.kind == "confirmation-dialog":
            return self._click(self.no, "the answer to a question")
        return screen

    def complaint(self, screen: Screen) -> tuple[str, Screen]:
        """What the ERP complains of, and the screen once the complaints are read and closed; "" if of nothing."""
        said: list[str] = []
        for _ in range(MANY):
            if screen.front is None or screen.front.kind not in COMPLAINTS:
                break
            said.append(screen.front.text)
            screen = self._click(self.yes, "a message to close")
        return " ".join([*said, screen.complaint]).strip(), screen

    def _click(self, button: Locator, what: str) -> Screen:
        with self.client.errors_of(what):
            button.click()
        return self.client.settle(what)
