"""Whatever goes wrong, no secret stands in what pytest shows or writes: not of our suites, nor of a user's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_tryton import FakeTryton
from tests.support.ways_to_fail import LOGIN, PASSWORD, TOKEN, WAYS, forms
from tests.unit.suites.test_suites import DEFAULTS, ROLES, ROOT, tenant

SIGN_IN = {
    "a500": "HTTP 500",
    "garbled": "malformed JSON",
    "misshapen": "an answer of another shape",
    "reset": "reset",
}
"""Tenants whose sign-in fails, by the way in which it does."""
LATER = {"later500": "HTTP 500", "later-garbled": "malformed JSON", "later-fault": "a fault of the server"}
"""Tenants on which all goes well until the user is signed in."""

IN_ONE_PROCESS = ("--tb=long", "--showlocals", "-n", "0")
BY_WORKERS = ("--tb=native", "-n", "2", "--tenant", "a500", "--tenant", "later500")

OWN_SUITE = '''
import logging

import pytest

from ringgate.api import PROJECT_MANAGER, PROJECTS, REVERSIBLE, expect, scenario
from ringgate.domain.errors import ErpUnavailable


def own(erp, make, run):
    """A process of a user's own."""
    password = erp.tenant.users[PROJECT_MANAGER].password.reveal()
    print("printed:", password)
    logging.getLogger("own").warning("logged: %s", password)
    with run.step("sign in"):
        manager = erp.sign_in(PROJECT_MANAGER)
        manager.create_project(make.project())


def make_scenario():
    return scenario(id="own", effect=REVERSIBLE, needs={PROJECTS}, roles={PROJECT_MANAGER})(own)


def test_raises_our_error(process):
    process(make_scenario())


def test_raises_an_error_of_its_own(process):
    try:
        process(make_scenario())
    except Exception as error:
        raise RuntimeError(f"it went wrong with {process.tenant.users[PROJECT_MANAGER].password.reveal()}") from error


def test_asserts(process):
    told = process.tenant.users[PROJECT_MANAGER].password.reveal()
    assert told == "nothing"


@pytest.fixture
def broken_fixture(process):
    raise ErpUnavailable("down: " + process.tenant.users[PROJECT_MANAGER].password.reveal())


def test_never_begins(broken_fixture):
    pass
'''


@pytest.fixture(scope="module")
def server() -> Iterator[FakeTryton]:
    server = FakeTryton()
    server.of_database = {name: {LOGIN: WAYS[way], "*": WAYS[way]} for name, way in SIGN_IN.items()}
    good = {LOGIN: [7, TOKEN], "model.res.user.get_preferences": {}, "common.db.logout": None}
    server.of_database |= {name: {**good, "*": WAYS[way]} for name, way in LATER.items()}
    yield server
    server.server.shutdown()


@pytest.fixture(scope="module", params=[IN_ONE_PROCESS, BY_WORKERS], ids=["one process", "workers"])
def told(request: pytest.FixtureRequest, server: FakeTryton, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all that one invocation left: its output, and every file it can write."""
    folder = tmp_path_factory.mktemp("told")
    inventory, own, out = folder / "tenants", folder / "suites" / "test_own.py", folder / "out"
    (inventory / "cohorts").mkdir(parents=True)
    (inventory / "defaults.toml").write_text(DEFAULTS)
    (inventory / "cohorts" / "emea.toml").write_text("")
    for name in (*SIGN_IN, *LATER):
        # What may have been written is looked for with patience where nobody answers: there, only reading is tried.
        more = '[policy]\neffects = "read"' if name in ("later500", "later-garbled") else ""
        tenant(inventory, name, f'ring = "canary"\n{more}', server.url.removeprefix("http://"))
    own.parent.mkdir()
    own.write_text(OWN_SUITE)
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    environment |= {f"RG_TEST_{role.upper()}": PASSWORD for role in ROLES}
    environment |= {"RINGGATE_STATE": str(out / "state"), "GITHUB_STEP_SUMMARY": str(out / "summary.md")}
    out.mkdir()
    command = [
        sys.executable, "-m", "pytest", "suites/platform", "suites/properties", str(own),
        "-c", "pyproject.toml", "--rootdir", str(ROOT), "--inventory", str(inventory), "--channel", "api",
        "-p", "no:cacheprovider", "--log-level=DEBUG", "-o",
        "junit_logging=all", f"--log-file={out}/log", f"--junitxml={out}/junit.xml",
        f"--alluredir={out}/allure", f"--ctrf={out}/ctrf.json", f"--report={out}/report.html", *request.param,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    (out / "output").write_text(done.stdout + done.stderr)
    return out


def test_no_secret_stands_anywhere(told: Path) -> None:
    secrets = [form.encode() for form in forms("x")]
    files = [path for path in told.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"output", "log", "junit.xml", "ctrf.json", "report.html", "summary.md"}
    assert any(path.parent.name == "allure" for path in files)
    assert [(path.name, form) for path in files for form in secrets if form in path.read_bytes()] == []


def test_what_was_hidden_is_seen_to_be_hidden(told: Path) -> None:
    """Else the test above would be met by saying nothing."""
    for name in ("output", "log", "junit.xml"):
        assert "logged: ***" in (told / name).read_text(), name
    assert "printed: ***" in (told / "output").read_text()


def test_the_business_line_comes_first_whoever_raised_it(told: Path) -> None:
    cases = {case["name"]: case for case in json.loads((told / "ctrf.json").read_text())["results"]["tests"]}
    for name in ("sign-in[a500-api]", "test_amounts[a500-api]", "test_raises_our_error[a500-api]"):
        assert cases[name]["message"].endswith("answered common.db.login with HTTP 500."), name
        assert cases[name]["trace"].splitlines()[1] == "(the ERP is wrong, unavailable)", name
    assert "(rate, hours, tax)): [(Decimal('0.01'), " in cases["test_amounts[a500-api]"]["trace"]
    failures = {case.get("name"): case for case in ET.parse(told / "junit.xml").iter("testcase")}
    (failure,) = failures["test_invoice_walk[a500-api]"].findall("failure")
    assert "answered common.db.login with HTTP 500." in failure.get("message", "").splitlines()[0]
