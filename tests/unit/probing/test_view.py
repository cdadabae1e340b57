"""What people see of a prober: a line for each run away from a terminal, a board on one."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from ringgate.domain.model import Failure, Residue
from ringgate.domain.terms import Outcome
from ringgate.host.secrets import hide
from ringgate.probing.view import FEW, ProbeDisplay
from tests.support.samples import tenant
from tests.unit.probing.test_run_queue import tick
from tests.unit.store.test_store import result

PASSED = result("r1", outcome=Outcome.PASSED, failure=None, residue=(), scenario="one")
FAILED = replace(PASSED, outcome=Outcome.FAILED, failure=Failure("expectation", "tax: expected 1", "post"))


def shown(act, *, terminal: bool = False, quiet: bool = False, ticks=None) -> str:
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=terminal, color_system=None, highlight=False)
    ticks = [tick()] if ticks is None else ticks
    with ProbeDisplay(console, [each.probe for each in ticks], quiet=quiet) as watch:
        act(watch)
    return out.getvalue()


def ended(*results, self_test: bool = False):
    def act(watch) -> None:
        for each in results:
            due = replace(tick(), self_test=self_test)
            watch.began(due)
            watch.ended(due, each)
        watch.counters = {"late": 2, "missed": 0, "skipped:hours": 3, "skipped:paused": 1}

    return act


def test_away_from_a_terminal_each_run_is_a_line():
    lines = shown(ended(PASSED, FAILED)).splitlines()
    assert lines[0].split()[1:] == ["canary", "aldgate", "one", "api", "passed", "1.5", "s"]
    assert lines[1].endswith("failed     1.5 s  post: tax: expected 1")
    assert lines[2].endswith("1 probe on 1 tenant: 1 passed, 1 failed, 2 late, 4 skipped")


def test_quiet_tells_only_of_what_did_not_pass():
    left = replace(PASSED, residue=(Residue("aldgate", "r1", "enter_time", "RG-1", "down"),))
    lines = shown(ended(PASSED, left, FAILED), quiet=True).splitlines()
    assert [line.split()[5] for line in lines[:-1]] == ["passed", "failed"]
    assert lines[0].endswith("left behind: RG-1")


def test_a_self_test_is_told_as_one_and_counts_for_nothing():
    lines = shown(ended(FAILED, self_test=True)).splitlines()
    assert lines[0].endswith("(self-test)")
    assert "nothing was run" in lines[1]


def test_no_secret_is_shown():
    hide("swordfish-42")
    told = replace(FAILED, failure=Failure("bug", "login with swordfish-42 failed"))
    said = shown(lambda watch: (ended(told)(watch), watch.remark("no swordfish-42 here")))
    assert "swordfish-42" not in said


def test_a_board_has_a_row_for_each_tenant_and_for_each_ring_where_they_are_many():
    few = [tick(name) for name in ("acme", "beta")]
    board = shown(lambda watch: watch.began(few[1]), terminal=True, ticks=few)
    assert "acme" in board
    assert "beta one api" in board
    many = [tick(f"tenant-{n}", ring="early") for n in range(FEW + 1)]
    board = shown(lambda watch: None, terminal=True, ticks=many)
    assert "tenant-3" not in board
    assert "early" in board


def test_a_tenant_that_came_later_is_shown_too():
    other = tenant("later", ring="broad")
    said = shown(ended(replace(PASSED, tenant=other.id, ring=other.ring)), terminal=True)
    assert "later" in said
