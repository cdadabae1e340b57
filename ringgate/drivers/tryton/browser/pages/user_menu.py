"""The user's own corner of the client: preferences and the way out.

On 7.0 the user's name opens the preferences, and a button beside it signs out. On 8.0 the name opens a menu, in which
these stand below the notifications: preferences first, the way out last.
"""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator

from ringgate.drivers.tryton.browser.pages.client import Screen, WebClient


@dataclass(frozen=True)
class UserMenu:
    client: WebClient

    @property
    def user(self) -> Locator:
        return self.client.page.locator("#user-preferences > a")

    @property
    def menu(self) -> Locator:
        return self.client.page.locator("#user-preferences > .notification-menu")

    @property
    def entries(self) -> Locator:
        """What the menu always offers; notifications stand above its line."""
        return self.menu.locator("> .divider ~ .notification-item > a")

    @property
    def way_out(self) -> Locator:
        return self.client.page.locator("#user-logout > a")

    def preferences(self) -> Screen:
        """The screen with the window of the user's preferences in front."""
        what = "the user's preferences"
        with self.client.errors_of(what):
            self.user.click()
            if self.menu.count():
                self.client.settle("the user's menu")
                self.entries.first.click()
        return self.client.settle(what)

    def sign_out(self) -> Screen:
        with self.client.errors_of("the button to sign out"):
            if self.menu.count():
                self.user.click()
                self.client.settle("the user's menu")
                self.entries.last.click()
            else:
                self.way_out.click()
        return self.client.settle("the sign-in dialog")
