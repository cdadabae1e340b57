"""What docs/integrations.md shows works: an integration in a few lines, and an observer of one's own."""

from __future__ import annotations

import mailbox
import re
import tomllib
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ringgate.domain.integrations import Arrival
from ringgate.integrations import ObserverError, observer_of
from ringgate.inventory import Inventory
from tests.unit.integrations.samples import MARKER, integration
from tests.unit.inventory.test_inventory import SMALLEST, write

PAGE = (Path(__file__).parents[3] / "docs" / "integrations.md").read_text()


def block(language: str, start: str) -> str:
    return next(each for each in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if each.startswith(start))


def test_an_integration_takes_at_most_twelve_lines(tmp_path):
    text = block("toml", "[integrations")
    assert len(text.splitlines()) <= 12
    (tenant,) = Inventory.load(write(tmp_path, {"acme.toml": SMALLEST.format(id="acme") + text})).tenants
    found = tenant.integrations["payroll"]
    assert (found.address, found.within, found.tenant) == (
        "sftp://payroll.example.com/out/acme", timedelta(minutes=15), "acme",
    )  # fmt: skip


def test_an_observer_of_ones_own_takes_at_most_forty_lines_and_is_found(tmp_path, monkeypatch):
    code, entry = block("python", '"""An observer'), tomllib.loads(block("toml", "[project.entry-points"))
    assert len(code.splitlines()) <= 40
    (tmp_path / "our_observers.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    ((name, value),) = entry["project"]["entry-points"]["ringgate.observers"].items()
    point = EntryPoint(name, value, "ringgate.observers")
    monkeypatch.setattr("ringgate.integrations.observers.entry_points", lambda group, name: [point])
    box = mailbox.Maildir(tmp_path / "mail", create=True)
    for marker in (MARKER, "another"):
        mail = EmailMessage()
        mail["Message-ID"], mail["X-Company"] = f"<{marker}>", "acme"
        mail.set_content(f"Invoice {marker}")
        box.add(mail)
    observer = observer_of(integration(kind="maildir", settings={"folder": str(tmp_path / "mail")}))
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    assert observer.seen(MARKER, long_ago) == [Arrival(f"<{MARKER}>", "acme")]
    observer.close()
    gone = observer_of(integration(kind="maildir", settings={"folder": str(tmp_path / "gone")}))
    with pytest.raises(ObserverError, match="payroll: there is no folder"):
        gone.seen(MARKER, long_ago)


def test_every_rule_of_the_contract_stands_on_the_page():
    code = (Path(__file__).parents[3] / "ringgate" / "integrations" / "contract.py").read_text()
    rules = set(re.findall(r'ArrivalFault\(\s*"([a-z-]+)"', code))
    told = set(re.findall(r"`([a-z-]+)`", PAGE.split("## The contract")[1].split("## An observer")[0]))
    assert rules - told == set()
