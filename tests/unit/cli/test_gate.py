"""`ringgate gate`: its exit codes, its formats, and that it waits."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from ringgate import cli
from ringgate.cli.gate import exit_code, wait_for
from ringgate.domain.model import Deployment, Failure, RunResult
from ringgate.domain.terms import Channel, Invariant, Outcome, Source
from ringgate.execution import setup
from ringgate.gate import GatePolicy, Word
from ringgate.gate.words import listed
from ringgate.inventory import Inventory
from ringgate.judging import Judge
from ringgate.store import Store
from tests.unit.execution.test_self_test import Truth
from tests.unit.gate.sample import run
from tests.unit.inventory.test_inventory import SMALLEST, write
from tests.unit.judging.test_judging import INVENTORY

ROOT = Path(__file__).parents[3]
NOW = datetime.now(UTC)
START = NOW - timedelta(minutes=30)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate reads the clock: results are as old as they say when a test begins, not when all were collected."""
    now, here = datetime.now(UTC), sys.modules[__name__]
    monkeypatch.setattr(here, "NOW", now)
    monkeypatch.setattr(here, "START", now - timedelta(minutes=30))


POLICY = """
alpha = 0.05
[bake]
tick = "10 s"
soak = "10 min"
deadline = "2 h"
[promote]
least_rate = 0.10
[evidence]
must = ["time-entry"]
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("RINGGATE_RESULTS", "RINGGATE_INVENTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"acme.toml": SMALLEST.format(id="acme")})
    (tmp_path / "gate.toml").write_text(POLICY)
    return tmp_path


@pytest.fixture
def ring() -> str:
    from ringgate.inventory import Inventory

    return Inventory.load("tenants").tenant("acme").ring


@pytest.fixture
def fill(place: Path, ring: str) -> Callable[..., str]:
    """A store with a baseline, a deployment half an hour ago, and a run every 10 s since; returns its URL."""

    def fill(*more: RunResult, runs: bool = True, self_test: bool = True) -> str:
        url = f"sqlite:///{place}/results.sqlite"
        store = Store(url)
        results = [run("acme", START - timedelta(seconds=10 * n + 10), release="7.0") for n in range(180)]
        results += [run("acme", START + timedelta(seconds=10 * n)) for n in range(179)] if runs else []
        if self_test:
            wrong = Failure("expectation", "planted")
            results.append(run("acme", NOW, Outcome.FAILED, failure=wrong, source=Source.SELF_TEST))
        for result in [*results, *more]:
            store.add(result)
        store.deployed(Deployment("d1", START, ring, "8.0"))
        store.close()
        return url

    return fill


def gate(ring: str, url: str, *more: str) -> int:
    return cli.run(["gate", "--ring", ring, "--release", "8.0", "--results", url, "--policy", "gate.toml", *more])


def test_a_pass_is_0(fill: Callable[..., str], ring: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate(ring, fill()) == 0
    out, err = capsys.readouterr()
    assert "PROMOTE. The release is no worse" in out
    assert err == ""


def test_a_broken_invariant_is_1(fill: Callable[..., str], ring: str, capsys: pytest.CaptureFixture[str]) -> None:
    broken = Failure("expectation", "debit is not credit", "check the posting", invariant=Invariant.BALANCED)
    assert gate(ring, fill(run("acme", NOW, Outcome.FAILED, failure=broken))) == 1
    assert "unbalanced-posting on acme" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ({"runs": False}, "No run of 8.0 has passed or failed"),
        ({"self_test": False}, "No self-test was run within 2 h"),
    ],
)
def test_what_is_lacking_is_2(
    fill: Callable[..., str], ring: str, capsys: pytest.CaptureFixture[str], lacking: dict[str, bool], words: str
) -> None:
    assert gate(ring, fill(**lacking)) == 2
    assert words in capsys.readouterr().out


def test_without_a_prober_it_can_test_itself(
    fill: Callable[..., str],
    ring: str,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Drivers(dict[tuple[str, Channel], Truth]):
        def __init__(self, _: object) -> None:
            super().__init__({("tryton", Channel.API): Truth()})

        def close(self) -> None: ...

    monkeypatch.setattr(setup, "Drivers", Drivers)
    (place / "scenarios").mkdir()
    (place / "scenarios" / "requests.py").write_text(
        "from ringgate.api import *\nfrom tests.unit.execution.test_self_test import looks_at_who_it_is\n"
        "looks = scenario(id='looks', effect=REVERSIBLE, needs={PROJECTS}, roles={ACCOUNTANT})(looks_at_who_it_is)\n"
    )
    url = fill(self_test=False)
    assert gate(ring, url, "--self-test", "look") == 3
    assert 'no scenario is called "look"; did you mean looks?' in capsys.readouterr().err
    assert gate(ring, url, "--self-test", "looks") == 0
    assert "Self-test: looks on acme" in capsys.readouterr().out


def test_sign_in_alone_promotes_nobody(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tenants that allow reading only, with a prober that signs in and nothing else: all that is due has passed."""
    shutil.copytree(ROOT / "tenants", place / "reading")
    defaults = place / "reading" / "defaults.toml"
    defaults.write_text(defaults.read_text().replace('effects = "reversible"', 'effects = "read"'))
    (place / "gate.toml").write_text(POLICY.replace('[evidence]\nmust = ["time-entry"]\n', ""))
    names = [tenant.id for tenant in Inventory.load(place / "reading").select(rings=["early"])]
    assert len(names) > 1
    url = f"sqlite:///{place}/results.sqlite"
    store = Store(url)
    for name in names:
        for n in range(180):
            store.add(
                run(name, START - timedelta(seconds=10 * n + 10), release="7.0", scenario="sign-in", ring="early")
            )
            store.add(run(name, START + timedelta(seconds=10 * n), scenario="sign-in", ring="early"))
    wrong = Failure("expectation", "planted")
    test = run(names[0], NOW, Outcome.FAILED, failure=wrong, source=Source.SELF_TEST, scenario="sign-in", ring="early")
    store.add(test)
    store.deployed(Deployment("d1", START, "early", "8.0"))
    store.close()
    assert gate("early", url, "--inventory", "reading") == 2
    told = " ".join(capsys.readouterr().out.split())
    assert "INCONCLUSIVE" in told
    assert (
        "Must have passed on every tenant since 8.0, and did not: time-entry, invoicing-from-time, financial-posting "
        f"and procurement-approval on {listed(names)} ({names[0]} allows read effects, time-entry is reversible;"
    ) in told
    accepted = [
        f'[[waivers]]\ntenant = "*"\nscenario = "{name}"\nsignature = "untested"\nrelease = "8.0"\n'
        f'owner = "ops"\nreason = "read only"\n'
        f"expires = {NOW + timedelta(days=2):%Y-%m-%d}\n"
        for name in ("time-entry", "invoicing-from-time", "financial-posting", "procurement-approval")
    ]
    with (place / "gate.toml").open("a") as file:
        file.write("\n".join(accepted))
    assert gate("early", url, "--inventory", "reading") == 0


@pytest.mark.parametrize("form", ["text", "json", "junit"])
def test_an_unreadable_store_is_2_in_every_form(
    place: Path, ring: str, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    (place / "x.sqlite").write_text("no store" * 999)
    assert gate(ring, f"sqlite:///{place}/x.sqlite", "--format", form) == 2
    out, err = capsys.readouterr()
    assert "file is not a database" in " ".join(out.split())
    assert "Traceback" not in out + err


def test_a_store_on_a_server_that_is_not_there_is_2_and_tells_no_password(
    ring: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(ring, "postgresql+psycopg://ringgate:hunter2@127.0.0.1:1/none") == 2
    out, err = capsys.readouterr()
    assert "No results could be read" in out
    assert "hunter2" not in out + err


def test_json_and_junit_are_for_programs(
    fill: Callable[..., str], ring: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = fill()
    assert gate(ring, url, "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["ring"], told["tenants"]["tested"]) == ("pass", ring, ["acme"])
    assert gate(ring, url, "--format", "junit") == 0
    suite = Xml.fromstring(capsys.readouterr().out)
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gate", "--ring", "canary"], "Missing option '--release'"),
        (["gate", "--ring", "cannary", "--release", "8.0"], 'no ring is called "cannary"'),
        (["gate", "--ring", "canary", "--release", "8.0", "--format", "xml"], "Invalid value for '--format'"),
        (["gate", "--ring", "canary", "--release", "8.0", "--policy", "no.toml"], "no.toml: cannot be read"),
        (["gate", "--ring", "canary", "--release", "8.0", "--inventory", "nowhere"], "nowhere: is not a folder"),
    ],
)
def test_wrong_use_is_3(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    assert cli.run(arguments) == 3
    out, err = capsys.readouterr()
    assert words in err
    assert (out, "Traceback" in err) == ("", False)


def test_a_policy_with_mistakes_is_3_and_tells_them_all(
    place: Path, ring: str, fill: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "gate.toml").write_text("alpha = 7\n[bake]\nsoak = 5\n")
    assert gate(ring, fill()) == 3
    err = capsys.readouterr().err
    assert "gate.toml: alpha: must be at most 0.2" in err
    assert "gate.toml: bake.soak: must be a time with its unit" in err


def test_what_is_decided_is_not_waited_for(
    fill: Callable[..., str], ring: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(ring, fill(), "--wait") == 0
    assert capsys.readouterr().err == ""


def test_it_waits_until_it_is_decided(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each sleep is an hour in which every tenant is tested every minute."""
    clock, url = [NOW], f"sqlite:///{place}/waited.sqlite"
    store = Store(url, lambda: clock[0])
    store.deployed(Deployment("d1", NOW, "canary", "8.0"))
    for tenant in INVENTORY.select(rings=["canary"]):
        for minute in range(100):
            store.add(run(tenant.id, NOW - timedelta(minutes=minute + 1), release="7.0"))
    judge = Judge(lambda: store, INVENTORY, GatePolicy(least_rate=0.1, must=("time-entry",)), clock=lambda: clock[0])

    def an_hour(_: float) -> None:
        for minute in range(60):
            for tenant in INVENTORY.select(rings=["canary"]):
                store.add(run(tenant.id, clock[0] + timedelta(minutes=minute)))
        wrong = Failure("expectation", "planted")
        clock[0] += timedelta(hours=1)
        store.add(run("aldgate", clock[0], Outcome.FAILED, failure=wrong, source=Source.SELF_TEST))

    verdict = wait_for(judge, judge.verdict("canary", "8.0"), 60.0, 0.0, an_hour)
    judge.close()
    assert (verdict.word, exit_code(verdict)) == (Word.PASS, 0)
    told = capsys.readouterr().err.splitlines()
    assert told[0].endswith("wait: No run of 8.0 has passed or failed on canary.")
    assert len(told) == len({line.split(": ")[1] for line in told})


def test_it_stops_waiting_for_what_never_begins(place: Path) -> None:
    judge = Judge(lambda: Store(f"sqlite:///{place}/empty.sqlite"), INVENTORY, GatePolicy())
    verdict = wait_for(judge, judge.verdict("canary", "8.0"), 0.0, 0.0)
    judge.close()
    assert exit_code(verdict) == 2


def test_a_tenant_alone_is_judged_and_its_ring_must_be_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["gate", "--tenant", "acme", "--release", "8.0", "--format", "json"]) == 2
    assert json.loads(capsys.readouterr().out)["ring"]
    assert cli.run(["gate", "--tenant", "acme", "--ring", "broad", "--release", "8.0"]) == 3
    assert "acme is in ring canary, not in broad" in capsys.readouterr().err
    assert cli.run(["gate", "--release", "8.0"]) == 3
    assert "name the ring with --ring, or a tenant with --tenant" in capsys.readouterr().err
