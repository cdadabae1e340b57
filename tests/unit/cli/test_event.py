"""`ringgate event`: a deployment is noted against the inventory, listed, and told in the report's timeline."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringgate import cli
from ringgate.domain.model import Deployment
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
    assert capsys.readouterr().out.splitlines()[1].split()[2:5] == ["canary", "8.0", "all"]


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
