"""`ringgate event`: a deployment is noted against the inventory, listed, and told in the report's timeline."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringgate import cli
from ringgate.domain.model import Deployment, NotedEvent
from ringgate.host import paths
from ringgate.report import build_report
from ringgate.store import Store
from tests.unit.inventory.test_inventory import SMALLEST, write
from tests.unit.report.sample import START, all_passed, eight_scenarios, four_tenants


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("RINGGATE_RESULTS", raising=False)
    monkeypatch.delenv("RINGGATE_INVENTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"acme.toml": SMALLEST.format(id="acme"), "early.toml": SMALLEST.format(id="early").replace(
        'ring = "canary"', 'ring = "early"')})  # fmt: skip


def deployments() -> list[Deployment]:
    store = Store(f"sqlite:///{paths.results()}")
    found = store.deployments()
    store.close()
    return found


def test_a_deployment_is_noted_as_it_was_said(capsys):
    at = "2026-11-22T23:30:00+01:00"
    code = cli.run(["event", "deploy", "--ring", "canary", "--release", "8.0", "--tenant", "acme", "--at", at,
                    "--note", "by hand", "--by", "ops"])  # fmt: skip
    assert code == 0
    assert capsys.readouterr().out == "noted: 8.0 on 1 tenant of ring canary, 2026-11-22 22:30:00 UTC\n"
    (noted,) = deployments()
    assert (noted.ring, noted.release, noted.tenants) == ("canary", "8.0", ("acme",))
    assert (noted.at, noted.note, noted.by) == (datetime(2026, 11, 22, 22, 30, tzinfo=UTC), "by hand", "ops")


def test_now_is_when_nothing_else_is_said(capsys):
    before = datetime.now(UTC)
    assert cli.run(["event", "deploy", "--ring", "canary", "--release", "8.0", "--json"]) == 0
    assert before <= datetime.fromisoformat(json.loads(capsys.readouterr().out)["at"]) <= datetime.now(UTC)


def test_every_mistake_is_told_at_once_and_nothing_is_noted(capsys):
    code = cli.run(["event", "deploy", "--ring", "canari", "--release", " ", "--tenant", "acm", "--at", "yesterday"])
    assert code == 3
    told = capsys.readouterr().err
    for rule in (
        '--at: "yesterday" is no time',
        'has no ring "canari"; did you mean canary?',
        'has no tenant "acm"; did you mean acme?',
        "--release: must not be empty",
    ):
        assert rule in told
    assert deployments() == []


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["--tenant", "early"], "early is in ring early, not in canary"),
        (["--at", "2026-11-22T23:30:00"], "has no time zone"),
        (["--at", "2999-01-01T00:00:00+00:00"], "has not come yet"),
        (["--note", "x" * 1001], "--note: has more than 1000 characters"),
    ],
)
def test_what_cannot_be_is_refused(capsys, arguments, rule):
    assert cli.run(["event", "deploy", "--ring", "canary", "--release", "8.0", *arguments]) == 3
    assert rule in capsys.readouterr().err


def test_the_list_has_the_latest_first(capsys):
    for number, ring in enumerate(("canary", "early")):
        at = (datetime.now(UTC) - timedelta(hours=2 - number)).isoformat()
        assert cli.run(["event", "deploy", "--ring", ring, "--release", "8.0", "--at", at]) == 0
    capsys.readouterr()
    assert cli.run(["event", "list", "--json"]) == 0
    assert [each["ring"] for each in json.loads(capsys.readouterr().out)] == ["early", "canary"]
    assert cli.run(["event", "list", "--ring", "canary"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[2:6] == ["deployment", "canary", "8.0", "all"]


def test_an_empty_list_says_how_to_fill_it(capsys):
    assert cli.run(["event", "list"]) == 0
    assert capsys.readouterr().out == "No deployment has been noted: `ringgate event deploy` does that.\n"


def test_the_report_tells_of_the_deployments_that_concern_its_runs(tmp_path):
    noted = [
        Deployment("d1", START - timedelta(hours=1), "canary", "8.0-rc1", note="after <b>lunch</b>", by="ops"),
        Deployment("d2", START - timedelta(hours=1), "elsewhere", "of-elsewhere"),
        Deployment("d3", START - timedelta(days=99), "canary", "of-long-ago"),
        Deployment("d4", START - timedelta(hours=1), "canary", "of-others", ("nobody",)),
    ]
    tenants, scenarios = four_tenants(), eight_scenarios()
    page = build_report(
        all_passed(tenants, scenarios), tenants, scenarios, title="Nightly", generated_at=START + timedelta(hours=1),
        out=tmp_path / "report.html", attachments_root=tmp_path, deployments=noted,
    ).read_text()  # fmt: skip
    assert '<h2 id="timeline">' in page
    assert "8.0-rc1" in page
    assert "after &lt;b&gt;lunch&lt;/b&gt;" in page
    assert not any(release in page for release in ("of-elsewhere", "of-long-ago", "of-others"))


def test_an_incident_is_noted_and_ended(tmp_path, monkeypatch, capsys):
    from ringgate.cli import run
    from ringgate.evidence import EvidenceChain, EvidenceKind, this_actor
    from ringgate.store import Store

    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path))
    url = f"sqlite:///{tmp_path}/results.sqlite"
    common = ["event", "incident", "--tenant", "acme", "--what", "no invoices", "--results", url]
    began = ["--began", "2026-11-28T09:00+00:00"]
    assert run([*common, *began]) == 0
    name = capsys.readouterr().out.split()[2]
    assert run([*common, *began, "--id", name, "--ended", "2026-11-28T09:40+00:00"]) == 0
    assert run([*common, "--began", "2026-11-28T09:00+00:00", "--ended", "2026-11-28T08:00+00:00"]) == 3
    assert run([*common, "--began", "yesterday"]) == 3
    assert "--began" in capsys.readouterr().err
    store = Store(url)
    found = EvidenceChain(store, this_actor()).entries(kinds=[EvidenceKind.INCIDENT])
    store.close()
    assert [(each.body["id"], bool(each.body["ended"])) for each in found] == [(name, False), (name, True)]


def test_tickets_and_changes_are_noted_listed_and_told_beside_the_runs(tmp_path, capsys):
    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    deployed = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    assert cli.run(["event", "deploy", "--ring", "canary", "--release", "8.0", "--at", deployed]) == 0
    assert cli.run(["event", "ticket", "--tenant", "acme", "--what", "no invoice came", "--at", at,
                    "--reference", "HD-4711", "--by", "help desk"]) == 0  # fmt: skip
    assert cli.run(["event", "change", "--ring", "early", "--what", "new mail relay"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert (told[1].startswith("noted: ticket "), told[2].endswith(" on ring early")) == (True, True)
    assert cli.run(["event", "list", "--json"]) == 0
    change, ticket, deployment = json.loads(capsys.readouterr().out)
    assert (change["kind"], change["ring"], change["tenants"]) == ("change", "early", [])
    assert (ticket["kind"], ticket["tenants"], ticket["ring"], ticket["reference"], ticket["began"]) == (
        "ticket", ["acme"], "canary", "HD-4711", at,
    )  # fmt: skip
    assert deployment["kind"] == "deployment"
    assert cli.run(["event", "list", "--ring", "canary"]) == 0
    listed = capsys.readouterr().out
    assert "HD-4711" in listed
    assert "mail relay" not in listed
    assert cli.run(["review", "8.0", "--no-replay"]) == 0
    reviewed = capsys.readouterr().out
    assert "ticket on acme: no invoice came (HD-4711)" in reviewed
    assert "mail relay" not in reviewed


@pytest.mark.parametrize(
    ("arguments", "rules"),
    [
        (["ticket", "--tenant", "acm", "--what", " ", "--at", "noon"],
         ['--tenant: ', 'no tenant "acm"', "--what: must not be empty", '--at: "noon" is no time']),
        (["change", "--what", "x" * 1001], ["--tenant: is required, or ring", "--what: has more than 1000 characters"]),
        (["change", "--tenant", "acme", "--ring", "early", "--what", "x"], ["acme is in ring canary, not in early"]),
        (["ticket", "--tenant", "acme", "--what", "x", "--at", "2026-11-22T10:00Z", "--ended", "2026-11-22T09:00Z"],
         ["--ended: is before"]),
    ],
)  # fmt: skip
def test_all_that_is_wrong_with_a_note_is_told_at_once(capsys, arguments, rules):
    assert cli.run(["event", *arguments]) == 3
    told = capsys.readouterr().err
    assert [rule for rule in rules if rule not in told] == []
    assert cli.run(["event", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out or "[]") == []


def test_the_report_tells_of_what_was_noted_of_its_runs_tenants(tmp_path):
    tenants, scenarios = four_tenants(), eight_scenarios()
    notes = [
        NotedEvent("n1", "ticket", ("aldgate",), "canary", "no <b>invoice</b>", START, reference="HD-4711"),
        NotedEvent("n2", "change", (), "nowhere", "of-elsewhere", START),
        NotedEvent("n3", "change", ("aldgate",), "canary", "of-long-ago", START - timedelta(days=99)),
    ]
    page = build_report(
        all_passed(tenants, scenarios), tenants, scenarios, title="Nightly", generated_at=START + timedelta(hours=1),
        out=tmp_path / "report.html", attachments_root=tmp_path, notes=notes,
    ).read_text()  # fmt: skip
    assert "Ticket: no &lt;b&gt;invoice&lt;/b&gt;" in page
    assert "HD-4711" in page
    assert not any(what in page for what in ("of-elsewhere", "of-long-ago"))
