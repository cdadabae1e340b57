"""A good citizen among plugins: no option where none is asked for, none taken from others, nothing run twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RERUNS = '''
import pytest
from _pytest.runner import runtestprotocol

def pytest_addoption(parser):
    parser.addoption("--{option}", {more})

def pytest_runtest_protocol(item, nextitem):
    """As plugins that run again what failed."""
    for _ in range(3):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if not any(report.failed for report in reports):
            break
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
'''
SUITE = '''
from pathlib import Path
from ringgate.api import CONSULTANT, READ, REVERSIBLE, SIGN_IN, scenario

def noted(name):
    with Path("ran").open("a") as file:
        file.write(name + "\\n")

@scenario(id="reads", effect=READ, needs={SIGN_IN}, roles={CONSULTANT}, channels={"api"})
def reads(erp, make, run):
    """Reads."""
    noted("reads")
    raise ValueError("no")

@scenario(id="writes", effect=REVERSIBLE, needs={SIGN_IN}, roles={CONSULTANT}, channels={"api"})
def writes(erp, make, run):
    """Writes."""
    noted("writes")
    raise ValueError("no")

def test_draws(process):
    noted("draws")
    assert False
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """A project of a user's own, in which pytest is run; returns its exit code and what it printed."""
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def call(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "0", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return call


def asks_for_ringgate(folder: Path) -> None:
    (folder / "pytest.ini").write_text("[pytest]\nringgate = true\n")


def test_a_project_that_does_not_ask_for_it_has_none_of_our_options(project, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text("def pytest_addoption(parser): parser.addoption('--report')\n")
    (tmp_path / "test_it.py").write_text(
        "def test_it(pytestconfig): assert pytestconfig.getoption('--report') == 'x'\n"
    )
    code, said = project("--report=x")
    assert code == 0, said
    assert "--cohort" not in project("--help")[1]


def test_who_asks_for_our_options_there_is_told_what_to_write(project, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    code, said = project("--cohort", "emea")
    assert code == 4
    assert "--cohort is an option of Ringgate, which this project does not ask for: write `ringgate = true`" in said
    assert "pytest.ini" in said


def test_an_option_that_another_plugin_has_is_ours_by_its_prefix(project, tmp_path: Path) -> None:
    asks_for_ringgate(tmp_path)
    (tmp_path / "conftest.py").write_text("def pytest_addoption(parser): parser.addoption('--report', '--tenant')\n")
    (tmp_path / "test_it.py").write_text(
        "def test_it(pytestconfig):\n"
        "    assert pytestconfig.getoption('--report') == 'x'\n"
        "    assert pytestconfig.getoption('--ringgate-report') == 'y'\n"
        "    assert pytestconfig.getoption('--ringgate-ctrf') == 'z.json'\n"
    )
    code, said = project("--report=x", "--ringgate-report=y", "--ctrf=z.json")
    assert code == 0, said


@pytest.fixture
def rerunning(project, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """A project with a plugin that runs again what failed, and an inventory of one tenant that nobody serves."""
    from tests.unit.suites.test_suites import DEFAULTS, tenant

    asks_for_ringgate(tmp_path)
    inventory = tmp_path / "tenants"
    (inventory / "cohorts").mkdir(parents=True)
    (inventory / "cohorts" / "emea.toml").write_text("")
    (inventory / "defaults.toml").write_text(DEFAULTS)
    (tmp_path / "scenarios").mkdir()
    tenant(inventory, "acme", 'ring = "canary"')
    (tmp_path / "conftest.py").write_text(RERUNS.format(option="reruns", more="type=int, default=0"))
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "test_own.py").write_text(SUITE)
    return lambda *more: project("suites", "--inventory", str(inventory), "--channel", "api", *more)


def test_what_writes_is_refused_where_reruns_are_asked_for(rerunning, tmp_path: Path) -> None:
    code, said = rerunning("--reruns", "2")
    assert code == 4
    assert "--reruns would run again what writes to a tenant's books (writes[acme-api], test_draws[acme-api])" in said
    assert not (tmp_path / "ran").exists()


def test_what_writes_is_never_run_twice_by_a_plugin_and_what_reads_may_be(rerunning, tmp_path: Path) -> None:
    code, said = rerunning()
    assert code == 1, said
    ran = (tmp_path / "ran").read_text().split()
    assert {name: ran.count(name) for name in ("reads", "writes", "draws")} == {"reads": 3, "writes": 1, "draws": 1}
    assert "3 failed" in said


@pytest.mark.parametrize("dist", ["load", "loadgroup", "worksteal"])
def test_all_tests_of_a_tenant_go_to_one_worker(dist: str, tmp_path: Path, project) -> None:
    from tests.unit.suites.test_suites import DEFAULTS, tenant

    asks_for_ringgate(tmp_path)
    inventory = tmp_path / "tenants"
    (inventory / "cohorts").mkdir(parents=True)
    (inventory / "cohorts" / "emea.toml").write_text("")
    (inventory / "defaults.toml").write_text(DEFAULTS)
    (tmp_path / "scenarios").mkdir()
    for name in ("acme", "acme-eu", "bolt"):
        tenant(inventory, name, 'ring = "canary"')
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "test_own.py").write_text(
        "import os, pytest\nfrom pathlib import Path\n"
        "@pytest.mark.parametrize('number', range(5))\n"
        "def test_it(process, number):\n"
        "    with Path('ran').open('a') as file:\n"
        "        file.write(f'{process.tenant.id} {os.getpid()}\\n')\n"
    )
    code, said = project("suites", "--inventory", str(inventory), "-n", "2", "--dist", dist)
    assert code == 0, said
    ran = [line.split() for line in (tmp_path / "ran").read_text().splitlines()]
    assert len(ran) == 15
    workers = {name: {worker for each, worker in ran if each == name} for name, _ in ran}
    assert {name: len(each) for name, each in workers.items()} == {"acme": 1, "acme-eu": 1, "bolt": 1}
