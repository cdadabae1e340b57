"""What pytest collects of the suites, and how it answers a selection that makes no sense. Nothing here calls an ERP."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from ringgate.domain.terms import Outcome
from ringgate.store import Store

ROOT = Path(__file__).parents[3]
DEFAULTS = """
erp = "tryton"
rings = ["canary", "early"]
region = "eu-west"
residency = "eu"
timezone = "Europe/London"
language = "en"
sla = "gold"
[policy]
currency = "GBP"
tax = { name = "VAT 20%", rate = "0.20", rounding = "line", product = "Consulting" }
approval = { threshold = "500.00", steps = 1 }
invoice_method = "timesheet"
effects = "reversible"
product = "Consulting"
customer = "Synthetic Client"
payment_term = { name = "30 days", days = 30 }
accounts = { receivable = "1100", revenue = "4000", tax = "2200", cash = "1000" }
"""
ROLES = ("consultant", "project_manager", "approver", "accountant", "auditor")


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    folder = tmp_path / "tenants"
    (folder / "cohorts").mkdir(parents=True)
    (folder / "defaults.toml").write_text(DEFAULTS)
    (folder / "cohorts" / "emea.toml").write_text("")
    tenant(folder, "acme", 'ring = "canary"\ncohorts = ["emea"]')
    tenant(folder, "bolt", 'ring = "early"\nlacks = ["approvals"]')
    return folder


def tenant(folder: Path, name: str, more: str, host: str = "127.0.0.1:9") -> None:
    users = "\n".join(f'[users.{role}]\nlogin = "x"\npassword = {{ env = "RG_TEST_{role.upper()}" }}' for role in ROLES)
    endpoints = f'[endpoints]\napi = "http://{host}/{name}"\nweb = "http://{host}/#{name}"'
    (folder / f"{name}.toml").write_text(f'id = "{name}"\nname = "{name}"\n{more}\n{endpoints}\n{users}\n')


@pytest.fixture
def suites(inventory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Runs pytest on the suites as a user would; returns its exit code and all it printed."""
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("RINGGATE_RESULTS", raising=False)

    def call(*options: str) -> tuple[int, str]:
        where = ["--inventory", str(inventory), "-p", "no:cacheprovider", f"--report={tmp_path}/report.html"]
        command = [sys.executable, "-m", "pytest", "suites", *where, *options]
        alone = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
        done = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return call


@pytest.fixture
def silent_erp() -> Iterator[tuple[str, socket.socket]]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield f"127.0.0.1:{server.getsockname()[1]}", server


def test_sigterm_stops_a_run_which_is_stored_as_stopped_and_told_as_skipped(
    inventory: Path, tmp_path: Path, silent_erp: tuple[str, socket.socket]
) -> None:
    address, server = silent_erp
    tenant(inventory, "acme", 'ring = "canary"', host=address)
    where = ["--inventory", str(inventory), "--tenant", "acme", "--channel", "api", "--scenario", "sign-in"]
    out = [f"--junit-xml={tmp_path}/junit.xml", f"--report={tmp_path}/report.html", "-p", "no:cacheprovider"]
    alone = {name: value for name, value in os.environ.items() if name not in ("PYTEST_ADDOPTS", "RINGGATE_RESULTS")}
    env = {**alone, "RINGGATE_STATE": str(tmp_path / "state"), "RG_TEST_CONSULTANT": "secret"}
    command = [sys.executable, "-m", "pytest", "suites/platform", *where, *out]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as running:
        server.accept()[0].recv(1)  # it waits for our answer now
        running.terminate()
        said, _ = running.communicate(timeout=60)
    assert running.returncode == 2, said
    (case,) = Xml.parse(tmp_path / "junit.xml").iter("testcase")
    (skipped,) = case.iter("skipped")
    assert "we were asked to stop" in skipped.attrib["message"]
    store = Store(f"sqlite:///{tmp_path}/state/results.sqlite")
    assert [(each.outcome, each.failure) for each in store.results()] == [(Outcome.STOPPED, None)]
    store.close()


def ids(text: str) -> set[str]:
    return set(re.findall(r"::([a-z-]+\[[a-z-]+\])", text))


def test_each_scenario_is_collected_for_each_tenant_and_channel(suites) -> None:
    code, said = suites("--collect-only", "-q")
    assert code == 0
    assert {f"project-to-cash[{t}-{c}]" for t in ("acme", "bolt") for c in ("api", "browser")} <= ids(said)


@pytest.mark.parametrize(
    ("options", "collected"),
    [
        (["--tenant", "bolt", "--scenario", "sign-in"], {"sign-in[bolt-api]", "sign-in[bolt-browser]"}),
        (["--cohort", "emea", "--layer", "platform", "--channel", "api"], {"sign-in[acme-api]"}),
        (["--tenant", "acme", "--smoke", "--scenario", "invoicing-from-time"], {"invoicing-from-time[acme-api]"}),
        (["--tenant", "acme", "--smoke", "--scenario", "supplier-invoice"], {"supplier-invoice[acme-api]"}),
        (["--ring", "early", "--scenario", "time-entry", "--channel", "browser"], {"time-entry[bolt-browser]"}),
        (["--shard", "2/2", "--scenario", "sign-in", "--channel", "api"], {"sign-in[bolt-api]"}),
    ],
)
def test_selection(suites, options, collected) -> None:
    code, said = suites("--collect-only", "-q", *options)
    assert (code, ids(said)) == (0, collected)


def test_a_machine_of_one_residency_leaves_tenants_of_another_out(suites, inventory) -> None:
    tenant(inventory, "acme", 'ring = "canary"\nresidency = "us"')
    asked = ("--collect-only", "-q", "--scenario", "sign-in", "--channel", "api", "--residency", "eu")
    code, said = suites(*asked)
    assert (code, ids(said)) == (0, {"sign-in[bolt-api]"})  # bolt's is any
    code, said = suites(*asked, "--tenant", "acme")
    assert code == 4
    assert "none of these tenants has the residency eu" in said


def test_extended_scenarios_are_no_part_of_the_short_selection(suites) -> None:
    said = [suites("--collect-only", "-q", "--tenant", "acme", *options)[1] for options in ((), ("--smoke",))]
    assert [any(name.startswith("supplier-invoice[") for name in ids(each)) for each in said] == [True, False]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tenant", "acmee"], 'no tenant is called "acmee"; did you mean acme?'),
        (["--cohort", "apac"], 'no cohort is called "apac"'),
        (["--ring", "canary", "--tenant", "bolt"], "no tenant has tenant bolt and ring canary"),
        (["--scenario", "project-to-cahs"], 'no scenario is called "project-to-cahs"; did you mean project-to-cash?'),
        (["--inventory", "/nowhere"], "/nowhere: is not a folder"),
        (["--shard", "1/3"], "there are only 2 tenants, and each is in one shard"),
        (["--shard", "3/2"], "write 2/4 for the second of four"),
    ],
)
def test_a_selection_that_makes_no_sense_is_one_message(suites, options, says) -> None:
    code, said = suites(*options)
    assert code == 4
    assert says in said
    assert "Traceback" not in said


def test_an_inventory_with_errors_names_them_all(suites, inventory) -> None:
    tenant(inventory, "acme", 'ring = "canary"\ncohorts = ["emae"]\ncolour = "red"')
    code, said = suites()
    assert code == 4
    assert "did you mean emea?" in said
    assert "colour" in said


def test_what_does_not_apply_is_skipped_with_its_reason(suites) -> None:
    code, said = suites("--tenant", "bolt", "--scenario", "procurement-approval", "--channel", "api", "-rs")
    assert code == 0, said
    assert "not applicable: bolt does not have approvals" in said


def test_a_missing_secret_is_our_side_and_is_named(suites) -> None:
    code, said = suites("--tenant", "acme", "--scenario", "sign-in", "--channel", "api")
    assert code == 1
    assert "RG_TEST_CONSULTANT" in said
    assert "BROKEN: our side" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("erp.invalid", "BROKEN: our side, no evidence against the ERP, no-route"),
        ("127.0.0.1:9", "the ERP is wrong, unavailable"),
    ],
)
def test_an_erp_that_cannot_be_reached(suites, inventory, monkeypatch, host, says) -> None:
    for role in ROLES:
        monkeypatch.setenv(f"RG_TEST_{role.upper()}", "a password that nobody has")
    tenant(inventory, "acme", 'ring = "canary"', host)
    code, said = suites("--tenant", "acme", "--scenario", "sign-in", "--channel", "api")
    assert code == 1
    assert says in said
    assert host in said
    assert "a password that nobody has" not in said
