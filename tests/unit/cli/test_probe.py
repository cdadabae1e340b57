"""`ringgate probe`: what people read, and what they are told when they ask for what cannot be."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from ringgate import cli
from ringgate.cli.probe import verdict
from ringgate.domain.terms import Channel, Outcome
from ringgate.inventory import InventoryError
from ringgate.probing.prober import ProbeTotals, Terms
from ringgate.probing.setup import InventoryFollower, ProbeSelection
from ringgate.probing.supervisor import Died, run_shares
from ringgate.scenario.discovery import known_scenarios
from tests.unit.inventory.test_inventory import DEFAULTS, SMALLEST, write

ROOT = Path(__file__).parents[3]
USERS = "".join(
    f'[users.{role}]\nlogin = "synthetic.{role}"\npassword = {{ env = "NO_SUCH_{role.upper()}" }}\n'
    for role in ("consultant", "project_manager", "approver", "auditor")
)
ACME = SMALLEST.format(id="acme") + 'residency = "eu"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    for name in ("RINGGATE_INVENTORY", "RINGGATE_RESULTS", "RINGGATE_RESIDENCY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    beta = SMALLEST.format(id="beta") + 'residency = "us"\n[probes]\nbrowser = "off"\n'
    write(tmp_path, {"defaults.toml": DEFAULTS + USERS, "acme.toml": ACME, "beta.toml": beta})
    return tmp_path


def probe(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(["probe", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def planned(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    code, out, err = probe(capsys, "--plan", "--json", *arguments)
    assert (code, err) == (0, "")
    return list(json.loads(out))


@pytest.mark.usefixtures("folder")
def test_the_plan_shows_what_runs_when_and_what_never(capsys):
    code, out, err = probe(capsys, "--plan", "--scenario", "time-entry", "--scenario", "tenant-isolation")
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines() if "time-entry" in line and "over" not in line]
    # A row of tomorrow begins with its day.
    assert sorted(row[(at := row.index("canary")) : at + 5] for row in rows) == [
        ["canary", "acme", "time-entry", "api", "5"],
        ["canary", "acme", "time-entry", "browser", "30"],
        ["canary", "beta", "time-entry", "api", "5"],
    ]
    assert "time-entry over browser on beta: the inventory says probes.browser = off" in out
    assert "tenant-isolation over browser on acme, beta: the browser driver for tryton cannot do outsiders" in out
    assert "5 probes on 2 tenants: 0.8 runs a minute" in out
    assert "canary: a promotion takes" in out


@pytest.mark.usefixtures("folder")
def test_the_plan_for_programs(capsys):
    rows = planned(capsys, "--scenario", "time-entry", "--tenant", "beta")
    assert rows[0]["every"] == 300
    assert rows[0]["left_out"] == ""
    assert rows[1] == {
        "tenant": "beta", "scenario": "time-entry", "channel": "browser",
        "never": "the inventory says probes.browser = off",
    }  # fmt: skip


@pytest.mark.usefixtures("folder")
def test_the_plan_says_why_something_is_left_out(capsys, folder):
    (folder / "tenants" / "beta.toml").write_text(
        SMALLEST.format(id="beta") + 'paused_until = 2999-01-01\npaused_reason = "audit"\n'
    )
    rows = planned(capsys, "--scenario", "sign-in", "--tenant", "beta")
    assert {row["left_out"] for row in rows} == {"paused until 2999-01-01: audit"}


@pytest.mark.usefixtures("folder")
def test_a_worker_of_one_residency_leaves_tenants_of_another_alone(capsys):
    assert {row["tenant"] for row in planned(capsys, "--residency", "eu")} == {"acme"}
    isolation = planned(capsys, "--residency", "eu", "--scenario", "tenant-isolation", "--channel", "api")
    assert "has no other tryton tenant whose sessions could be tried" in str(isolation[0]["never"])
    code, _, err = probe(capsys, "--plan", "--residency", "us", "--tenant", "acme")
    assert (code, "none of these tenants has the residency us" in err) == (3, True)
    code, _, err = probe(capsys, "--plan", "--residency", "uk")
    assert (code, 'no tenant has the residency "uk"; there is eu, us' in err) == (3, True)


@pytest.mark.usefixtures("folder")
def test_processes_share_the_tenants(capsys):
    shares = [{row["tenant"] for row in planned(capsys, f"--share={n}/2")} for n in (0, 1)]
    assert shares[0] | shares[1] == {"acme", "beta"}
    assert not shares[0] & shares[1]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--scenario", "time-enrty"], 'no scenario is called "time-enrty"; did you mean time-entry?'),
        (["--scenario", "request-in-flight"], 'no scenario is called "request-in-flight"'),
        (["--channel", "phone"], 'no channel is called "phone"; there is api, browser'),
        (["--ring", "canry"], 'no ring is called "canry"; did you mean canary?'),
        (["--for", "ever"], "--for must be a time with its unit"),
        (["--once", "--for", "1 h"], "--once ends by itself: leave --for out"),
        (["--tenant", "beta", "--channel", "browser"], "there is nothing to probe:"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_3(capsys, arguments, told):
    code, out, err = probe(capsys, *arguments)
    assert (code, out) == (3, "")
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.usefixtures("folder")
def test_a_plan_that_cannot_be_carried_out_tells_all_its_mistakes(capsys, folder):
    text = ACME + '[probes]\nholidays = "DE-QQ"\n[probes.scenarios.time-enrty]\napi = "1 h"\n'
    (folder / "tenants" / "acme.toml").write_text(text)
    code, _, err = probe(capsys, "--plan")
    assert code == 3
    assert 'acme: probes.scenarios.time-enrty: no scenario is called "time-enrty"' in err
    assert 'acme: probes.holidays: "DE-QQ" is not known' in err


@pytest.mark.usefixtures("folder")
def test_secrets_that_are_missing_are_our_side_and_2(capsys):
    code, out, _ = probe(capsys, "--once", "--tenant", "beta", "--scenario", "sign-in")
    assert code == 2
    assert "NO_SUCH_CONSULTANT is not set" in out
    assert "1 probe on 1 tenant: 1 broken" in out


@pytest.mark.usefixtures("folder")
def test_a_journal_that_is_none_is_named_and_3(capsys, folder):
    (folder / "state" / "journal").mkdir(parents=True)
    (folder / "state" / "journal" / "notes.jsonl").write_text("shopping list\n")
    code, _, err = probe(capsys, "--once", "--tenant", "beta", "--scenario", "sign-in")
    assert (code, "notes.jsonl is not a journal" in err) == (3, True)


def test_the_files_of_an_inventory_are_followed(folder):
    follower = InventoryFollower(
        folder / "tenants", ProbeSelection(scenarios=["sign-in"], channels=[Channel.API]), known_scenarios()
    )
    assert follower() is None
    beta = folder / "tenants" / "beta.toml"
    beta.write_text(beta.read_text() + 'api = "off"\n')
    changed = follower()
    assert {probe.tenant.id: probe.never for probe in changed.probes} == {
        "acme": "",
        "beta": "the inventory says probes.api = off",
    }
    assert [each.id for each in changed.neighbours] == ["acme", "beta"]
    assert follower() is None
    beta.write_text("ring =\n")
    with pytest.raises(InventoryError):
        follower()
    assert follower() is None


def course(whole: bool = True, **outcomes: int) -> ProbeTotals:
    made = ProbeTotals(whole=whole)
    made.outcomes.update({Outcome(name): number for name, number in outcomes.items()})
    return made


@pytest.mark.parametrize(
    ("came", "once", "interrupted", "code"),
    [
        (course(passed=2), True, False, 0),
        (course(passed=2, failed=1, broken=1), True, False, 1),
        (course(passed=2, broken=1), True, False, 2),
        (course(passed=2, stopped=1), True, False, 2),
        (course(), True, False, 2),
        (course(whole=False, passed=1), True, False, 2),
        (course(passed=2, failed=1), False, False, 0),
        (course(whole=False, passed=1), False, False, 2),
        (course(passed=2), False, True, 130),
        (course(whole=False, passed=2), False, True, 2),
    ],
)
def test_what_the_end_means(came, once, interrupted, code):
    assert verdict(came, Terms({Channel.API: 1}, once=once), interrupted) == code
    if once:
        assert verdict(came, Terms({Channel.API: 1}, lasting=timedelta(1)), interrupted) == code


# --- several processes ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_each_process_gets_its_share_and_the_worst_end_counts(tmp_path):
    arguments = ["probe", "--once", "--scenario", "sign-in", "--channel", "api", "--processes=2"]
    done = subprocess.run(
        [sys.executable, "-m", "ringgate.cli", *arguments], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 2, done.stderr
    told = [line.split() for line in done.stdout.splitlines() if "NO_SUCH_CONSULTANT" in line]
    assert sorted(row[2] for row in told) == ["acme", "beta"]


def test_a_process_that_dies_at_once_is_not_started_again_and_again(tmp_path, monkeypatch):
    monkeypatch.setattr("ringgate.probing.supervisor.sys.executable", sys.executable)
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    monkeypatch.setattr("ringgate.probing.supervisor.COMMAND", ["-c", killed])
    with pytest.raises(Died, match="ended with -9 right after its start"):
        run_shares(2, 0.0, arguments=[])


def test_endless_processes_end_together(monkeypatch):
    waits = "import sys, time; time.sleep(0 if '0/2' in sys.argv[1] else 60); sys.exit(2)"
    monkeypatch.setattr("ringgate.probing.supervisor.COMMAND", ["-c", waits])
    assert run_shares(2, 5.0, endless=True, arguments=[]) == 2
