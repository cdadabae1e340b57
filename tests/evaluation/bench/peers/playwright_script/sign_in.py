"""Sign-in through the web client as a script with Playwright alone: python sign_in.py RUNS"""

import os
import sys

from playwright.sync_api import Page, expect, sync_playwright

LOGIN, NAME, COMPANY = "synthetic.consultant", os.environ["NAME"], os.environ["COMPANY"]


def sign_in(page: Page) -> None:
    page.goto(os.environ["WEB"])
    page.locator(".login-dialog input#login").fill(LOGIN)
    page.locator(".login-dialog button[type=submit]").click()
    page.locator(".ask-dialog input[type=password]").fill(os.environ["PASSWORD_CONSULTANT"])
    page.locator(".ask-dialog .modal-footer .btn-primary").click()
    page.locator("#user-preferences > a").click()
    expect(page.locator(".modal-body input[name=name]")).to_have_value(NAME)
    expect(page.locator(".modal-body select[name=company] option:checked")).to_have_text(COMPANY)
    expect(page.locator(".modal-body select[name=language]")).to_have_value('"en"')
    page.locator(".modal-footer .btn-link:visible").click()
    page.locator("#user-logout > a").click()
    expect(page.locator(".login-dialog input#login")).to_be_visible()


expect.set_options(timeout=60_000)

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=os.environ["BROWSER"], args=["--no-sandbox"])
    for _ in range(int(sys.argv[1])):
        context = browser.new_context()
        context.set_default_timeout(60_000)
        sign_in(context.new_page())
        context.close()
    browser.close()
