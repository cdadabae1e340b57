"""What users and the help desk are told of a release, in their language."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringgate import cli
from ringgate.domain.terms import Audience, ReleaseState
from ringgate.inventory import Inventory
from ringgate.rollout.release import load_release
from ringgate.rollout.status_texts import StatusTexts

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "deploy/releases/tryton-7.0-to-8.0.toml"
NIGHT = datetime(2026, 12, 5, 21, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def inventory():
    return Inventory.load(ROOT / "tenants")


@pytest.fixture(scope="module")
def release(inventory):
    return load_release(DEMO, inventory, ("7.0", "8.0"))


@pytest.fixture(scope="module")
def texts():
    return StatusTexts.shipped()


def test_each_language_has_every_state_and_fills_every_place(texts, release, inventory):
    tenant = inventory.tenant("aldgate")
    for language in texts.languages:
        for state in ReleaseState:
            for when in (NIGHT, None):
                found = texts.of(release, replace(tenant, language=language), state, Audience.CUSTOMERS, when)
                assert found.language == language
                assert release.table.title in found.subject
                assert (tenant.name or tenant.id) in found.body
                assert not set("{}") & set(found.subject + found.body)


def test_the_time_is_the_tenants_own_and_in_its_language(texts, release, inventory):
    cologne = inventory.tenant("cologne")
    found = texts.of(release, cologne, ReleaseState.PLANNED, Audience.CUSTOMERS, NIGHT)
    assert found.language == "de"
    assert "Ab 05.12.2026, 22:30 Uhr (Europe/Berlin) wird" in found.body
    unknown = texts.of(release, cologne, ReleaseState.PLANNED, Audience.CUSTOMERS)
    assert "steht noch nicht fest" in unknown.body


def test_a_language_without_texts_is_answered_in_english_and_says_so(texts, release, inventory):
    found = texts.of(release, replace(inventory.tenant("kyoto"), language="ja"), ReleaseState.DONE, Audience.CUSTOMERS)
    assert found.language == "en"
    regional = replace(inventory.tenant("cologne"), language="de_AT")
    assert texts.of(release, regional, ReleaseState.DONE, Audience.CUSTOMERS).language == "de"


def test_what_users_notice_is_told_in_their_language_where_it_is_written_in_it(texts, release, inventory):
    def body(language):
        tenant = replace(inventory.tenant("cologne"), language=language)
        return texts.of(translated, tenant, ReleaseState.PLANNED, Audience.CUSTOMERS).body

    german = release.table.model_copy(update={"support_impact_in": {"de": "Einmal neu laden."}})
    translated = replace(release, table=german)
    assert body("de").endswith("Einmal neu laden.")
    assert body("fr").endswith(release.table.support_impact.strip())


def test_the_help_desk_is_told_what_changes_who_leads_it_and_where_to_look(texts, release, inventory):
    tenant = replace(inventory.tenant("bleecker"), addresses={"identity-provider": "https://login.example.com/b"})
    body = texts.of(release, tenant, ReleaseState.BEGUN, Audience.SUPPORT).body
    assert "Release tryton-8-0: 7.0 to 8.0, ring early, risk medium." in body
    assert "Application: trytond 7.0 to trytond 8.0; next long-term series" in body
    assert "Identity provider: https://login.example.com/b" in body
    assert "Application:" not in texts.of(release, tenant, ReleaseState.BEGUN, Audience.CUSTOMERS).body


def test_the_command_prints_a_text_for_each_tenant_that_was_asked_for(capsys, monkeypatch):
    monkeypatch.setenv("RINGGATE_INVENTORY", str(ROOT / "tenants"))
    assert cli.run(["release", "text", str(DEMO), "--state", "done", "--tenant", "cologne", "--json"]) == 0
    (only,) = json.loads(capsys.readouterr().out)
    assert (only["tenant"], only["language"]) == ("cologne", "de")
    assert cli.run(["release", "text", str(DEMO), "--state", "paused"]) == 0
    out = capsys.readouterr().out
    assert [line.split(" ")[0] for line in out.splitlines() if line.endswith(("(en)", "(de)"))] == [
        "aldgate", "bleecker", "cologne", "kyoto",
    ]  # fmt: skip


def test_an_unknown_tenant_is_wrong_use(capsys, monkeypatch):
    monkeypatch.setenv("RINGGATE_INVENTORY", str(ROOT / "tenants"))
    assert cli.run(["release", "text", str(DEMO), "--state", "done", "--tenant", "nobody"]) == 3
    assert "nobody" in capsys.readouterr().err
