"""A machine is lost in the middle of a process, and its undo journal with it: what it left is found by its marker."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys

import pytest

from ringgate.domain.terms import Channel
from ringgate.execution.run_once import run_once
from tests.erp.test_crash import MOMENTS

FEW = [("procurement-approval", 3, "unsent"), ("project-to-cash", 5, "sent")]
NOTHING_WRITTEN = {("time-entry", 1, "unsent")}


@pytest.fixture
def lost(own_tenant, environment, tmp_path):
    """Kills a process at a write, on a machine whose disk is gone afterwards."""

    def lose(scenario: str, write: int, moment: str) -> None:
        command = [own_tenant.inventory, own_tenant.id, "api", scenario, str(write), moment]
        killed = subprocess.run([sys.executable, "-m", "tests.erp.killed_run", *command], env=environment,
                                capture_output=True, text=True, check=False)  # fmt: skip
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        shutil.rmtree(tmp_path / "state")

    return lose


@pytest.fixture
def sweep(own_tenant, environment):
    def swept(*options: str) -> subprocess.CompletedProcess[str]:
        command = ["recover", "--sweep", "--older", "0 s", "--tenant", own_tenant.id, *options]
        return subprocess.run([sys.executable, "-m", "ringgate.cli", *command], env=environment,
                              capture_output=True, text=True, check=False)  # fmt: skip

    return swept


def check(own_tenant, books_of, lost, sweep, moments) -> None:
    before = books_of(own_tenant.tenant)
    for moment in moments:
        lost(*moment)
    listed = sweep("--json")
    assert listed.returncode == 1, listed.stdout + listed.stderr
    runs = {each["run"] for each in json.loads(listed.stdout)["found"]}
    assert len(runs) == len(moments)
    young = sweep("--older", "2 h", "--yes")
    assert (young.returncode, young.stdout[:7]) == (0, "Nothing"), young.stdout
    assert books_of(own_tenant.tenant) != before  # it was only listed, and what is young is left alone

    taken = sweep("--yes")
    assert taken.returncode == 0, taken.stdout + taken.stderr
    assert books_of(own_tenant.tenant) == before
    again = sweep()
    assert (again.returncode, again.stdout.startswith("Nothing")) == (0, True), again.stdout


def test_what_a_lost_machine_left_is_found_by_its_marker_and_taken_back(own_tenant, books_of, lost, sweep):
    check(own_tenant, books_of, lost, sweep, FEW)


@pytest.mark.sweep
def test_all_processes_lost_anywhere_are_taken_back(own_tenant, books_of, lost, sweep):
    check(own_tenant, books_of, lost, sweep, sorted({*MOMENTS} - NOTHING_WRITTEN))


@pytest.mark.sweep
def test_runs_that_left_nothing_are_not_found(own_tenant, engine, scenarios, sweep):
    for name in ("project-to-cash", "credit-and-payment"):
        result = run_once(scenarios[name], own_tenant.tenant, Channel.API, engine)
        assert not result.residue
    swept = sweep()
    assert (swept.returncode, swept.stdout[:7]) == (0, "Nothing"), swept.stdout
