"""The dialogs by which a user signs in: name first, then, in a dialog of its own, the password."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator

from ringgate.domain.errors import ErpMisbehaved
from ringgate.domain.secrets import Secret
from ringgate.drivers.browser_process import type_secret
from ringgate.drivers.tryton.browser.pages.client import Screen, WebClient


@dataclass(frozen=True)
class LoginPage:
    client: WebClient

    @property
    def database(self) -> Locator:
        """A choice where the server lists its databases, else a text."""
        return self.client.page.locator(".login-dialog [name=database]:visible")

    @property
    def user(self) -> Locator:
        return self.client.page.locator(".login-dialog input#login")

    @property
    def submit(self) -> Locator:
        return self.client.page.locator(".login-dialog button[type=submit]")

    @property
    def password(self) -> Locator:
        return self.client.page.locator(".ask-dialog input[type=password]")

    @property
    def confirm(self) -> Locator:
        return self.client.page.locator(".ask-dialog .modal-footer .btn-primary")

    def validate_page(self, screen: Screen) -> None:
        if not any(each.kind == "login-dialog" for each in screen.dialogs):
            raise ErpMisbehaved("The web client does not ask who wants to sign in.")

    def sign_in(self, login: str, password: Secret) -> bool:
        """Type both in; True once the client shows the start page, False if it asks for the password again."""
        with self.client.errors_of("the sign-in dialog"):
            if self.database.input_value() == "" and self.database.is_editable():
                self.database.fill(self.client.database)
            self.user.fill(login)
            self.submit.click()
        screen = self.client.settle("the question for the password")
        if not screen.asks_password or screen.front is None or not screen.front.password:
            raise ErpMisbehaved("The web client does not ask for a password.")
        return self.answer(password)

    def answer(self, password: Secret) -> bool:
        """Type the password into the dialog that asks for it; False if it was refused."""
        with self.client.errors_of("the question for the password"):
            type_secret(self.password, password)
            self.confirm.click()
        screen = self.client.settle("the start page")
        return bool(screen.user) and not screen.asks_password

    def give_up(self) -> None:
        """Cancel the question for the password."""
        with self.client.errors_of("the question for the password"):
            self.client.page.locator(".ask-dialog .modal-footer .btn-link").click()
