"""The whole of `pytest suites` passes on clean tenants of both series, whatever its properties draw."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Channel, Outcome
from ringgate.execution.run_once import run_once
from suites.properties.test_amounts import amounts_of
from tests.support.estate import UPGRADED, Books, Leased, with_neighbour

ROOT = Path(__file__).parents[2]
SERIES = {"7.0": "own_tenant", "8.0": "upgraded_tenant"}
"""The fixture of a tenant of each series."""


@pytest.fixture(params=SERIES)
def leased(request: pytest.FixtureRequest) -> Leased:
    found: Leased = request.getfixturevalue(SERIES[request.param])
    return found


@pytest.fixture
def suites(leased: Leased, environment: dict[str, str], tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs pytest on the tenant, as a user would; its neighbour is one that no other test breaks."""
    environment["RINGGATE_INVENTORY"] = str(with_neighbour(leased, tmp_path))

    def call(*arguments: str) -> tuple[int, str]:
        out = [f"--junitxml={tmp_path}/junit.xml", f"--report={tmp_path}/report.html", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", *arguments, "--tenant", leased.id, "-n", "0", *out]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return call


BRIEF, WHOLE = ["--property-budget", "20"], pytest.param([], marks=pytest.mark.sweep)


@pytest.mark.parametrize("how", [BRIEF, WHOLE], ids=["brief", "whole"])
def test_the_suites_pass_and_leave_the_books_as_they_were(
    suites, leased: Leased, books_of: Callable[[Tenant], Books], tmp_path: Path, how: list[str]
) -> None:
    """In brief: properties for 20 s, and of 7.0, whose web client other tests use all the time, over the API alone."""
    if how and leased.id != UPGRADED:
        how = [*how, "--channel", "api"]
    before = books_of(leased.tenant)
    code, said = suites("suites", *how)
    assert code == 0, said
    assert books_of(leased.tenant) == before
    cases = {case.get("name") or "": case for case in ET.parse(tmp_path / "junit.xml").iter("testcase")}
    assert len(cases) > (15 if "--channel" in how else 25)
    drawn = [case for name, case in cases.items() if name.startswith("test_")]
    told = [p.get("value") or "" for case in drawn for p in case.iter("property") if p.get("name") == "examples"]
    assert len(told) == len(drawn) == 2
    assert not [text for text in told if text.startswith("0 examples")]


@pytest.mark.sweep  # the whole of the suites draws by a seed of its own
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_the_properties_hold_whatever_is_drawn(suites, seed: str) -> None:
    code, said = suites("suites/properties", "--channel", "api", "--hypothesis-seed", seed)
    assert code == 0, said


def test_what_comes_to_nothing_is_not_billed_whichever_way_a_series_says_so(leased: Leased, engine) -> None:
    """A quarter of an hour at 0.01: one series refuses to bill it, another says nothing and bills nothing."""
    result = run_once(amounts_of([(Decimal("0.01"), Decimal("0.25"), "")]), leased.tenant, Channel.API, engine)
    assert result.outcome is Outcome.PASSED, result.failure
    assert [step.name for step in result.steps][-1] == "draft no invoice"
    assert result.residue == ()
