"""The dashboard in a real browser: readable at both widths and in both schemes, kept up to date, and plainly stale."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ringgate.domain.errors import BrowserError
from ringgate.domain.model import Deployment, Failure, RunResult, Step
from ringgate.domain.terms import Channel, Outcome, Source
from ringgate.drivers.chromium import find_browser
from ringgate.execution.run_once import new_run_id
from ringgate.store import Store
from tests.deploy.serving import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("dashboard")
    (folder / "state").mkdir()
    store = Store(f"sqlite:///{folder}/state/results.sqlite")
    now = datetime.now(UTC)
    store.deployed(Deployment("d1", now - timedelta(minutes=40), "canary", "8.0.12", note="by hand", by="ops"))
    for number in range(240):
        tenant, ring = ("acme", "canary") if number % 2 else ("bond", "early")
        at = now - timedelta(minutes=number // 2)
        store.add(run(tenant, ring, at, number % 2 == 1 and number < 40))
    store.close()
    with served(folder) as server:
        yield server


def run(tenant: str, ring: str, at: datetime, failed: bool) -> RunResult:
    outcome = Outcome.FAILED if failed else Outcome.PASSED
    release = "8.0.12" if datetime.now(UTC) - at < timedelta(minutes=40) else "8.0.11"
    return RunResult(
        run_id=new_run_id(), trace_id=os.urandom(16).hex(), scenario="time-entry", tenant=tenant, ring=ring,
        channel=Channel.API if at.minute % 3 else Channel.BROWSER, outcome=outcome, started_at=at,
        seconds=1 + at.minute % 7 / 10, release=release, source=Source.PROBE,
        steps=(Step("log in", 0.0, 0.2, Outcome.PASSED), Step("enter time", 0.2, 0.8, outcome)),
        failure=Failure("expectation", "hours: expected 7.5, but it is 7", "enter time") if failed else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        program = find_browser()
    except BrowserError as why:
        pytest.skip(str(why))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, server) -> Iterator[Page]:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.clock.install()
    page.goto(server.address)
    yield page
    page.close()
    # A server that was killed is what one test is about; nothing else may be wrong.
    assert [each for each in errors if "ERR_CONNECTION_REFUSED" not in each] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_it_can_be_read_by_everybody(browser, server, node_packages, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(server.address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=Path(node_packages) / "axe-core" / "axe.min.js")
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice']})")
    context.close()
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


def test_it_shows_the_rollout(page):
    expect(page.locator("#rings ~ .rings .ring")).to_have_count(3)
    while not page.locator(".ring", has_text="8.0.12").locator("polyline").count():  # it was not judged yet
        page.clock.run_for(5_000)
    expect(page.locator("#failing ~ .failing")).to_contain_text("hours: expected 7.5, but it is 7")
    expect(page.locator(".now .mark.failed").first).to_be_visible()


def test_it_is_kept_up_to_date_and_what_a_person_opened_stays_open(page, server):
    page.locator("details.panel summary").first.click()
    before = page.locator("[data-answered]").get_attribute("data-answered")
    store = Store(server.results)
    store.deployed(Deployment(new_run_id(), datetime.now(UTC), "early", "8.0.12-late"))
    store.close()
    while "8.0.12-late" not in page.locator("#deployments ~ .timeline").inner_text():
        page.clock.run_for(5_000)
    while page.locator("[data-answered]").get_attribute("data-answered") == before:  # it is told in whole seconds
        page.clock.run_for(5_000)
    assert page.locator("details.panel").first.evaluate("each => each.open")


def test_it_says_that_it_is_stale_when_the_server_no_longer_answers(page, server):
    expect(page.locator("#stale")).to_be_hidden()
    server.kill()
    while page.locator("#stale").is_hidden():
        page.clock.run_for(5_000)
    expect(page.locator("#stale")).to_contain_text("The server has not answered for")
    assert page.title().startswith("Stale")
    server.start_again()
    while page.locator("#stale").is_visible():
        page.clock.run_for(5_000)
    assert not page.title().startswith("Stale")
