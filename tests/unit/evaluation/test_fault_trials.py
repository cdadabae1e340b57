"""What `make faults` runs in which round, and what its table says: without an ERP."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ringgate.domain.terms import Channel
from ringgate.estate.tryton.faults import FAULTS
from tests.evaluation.faults.plans import COSTLY, EXTENDED, IN_FLIGHT, MEANT, QUICK, clean_round, fault_round
from tests.evaluation.faults.table import Clean, Results
from tests.evaluation.faults.trials import Trial

TENANTS = ["aldgate", "bleecker", "cologne", "kyoto"]


def test_clean_rounds_bring_every_scenario_to_every_tenant_and_each_walk_to_the_browser():
    turns = [turn for number in range(100) for turn in clean_round(number, TENANTS)]
    over_api = {(turn.scenario, turn.tenant) for turn in turns if turn.channel is Channel.API}
    assert over_api == {(name, tenant) for name in (*QUICK, *EXTENDED, *IN_FLIGHT, *COSTLY) for tenant in TENANTS}
    assert {turn.scenario for turn in turns if turn.channel is Channel.BROWSER} == set(QUICK)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_all_that_must_notice_a_fault_come_up_soon_and_others_beside_them(fault):
    rounds = [fault_round(fault, number, "bleecker", TENANTS) for number in range(-(-len(fault.catches) // MEANT))]
    met = {t.scenario for turns in rounds for t in turns if (t.tenant, t.channel) == ("bleecker", fault.channel)}
    assert fault.catches <= met
    for turns in rounds:
        assert {turn.tenant for turn in turns} == set(TENANTS), "the gate must hear of every tenant"
        assert len(set(turns)) == len(turns)


def good(**changes: object) -> Trial:
    return replace(Trial("wrong-tax", "configuration", caught=True, cause="configuration"), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("others", "clean", "is_good"),
    [
        ([good()] * 20, Clean(), True),
        ([good(caught=False)], Clean(), True),
        ([good(caught=False)] * 2, Clean(), False),
        ([good(cause="product")] * 2, Clean(), True),
        ([good(cause="product")] * 3, Clean(), False),
        ([], Clean(alarms=["round 7"]), False),
        ([good(left=["aldgate post_invoice: no answer"])], Clean(), False),
    ],
)
def test_what_must_hold(others, clean, is_good):
    trials = [*others, *[good()] * (20 - len(others))]
    assert Results(clean, {str(number): trial for number, trial in enumerate(trials)}).good is is_good


def test_what_was_found_is_read_back_to_go_on(tmp_path):
    results = Results(Clean(rounds=100, runs=1100), {"slow": good(fault="slow", by=["time-entry"])})
    results.trials["wrong-tax"] = good(caught=False, otherwise=["project-to-cash: refused"])
    results.write(tmp_path, list(FAULTS))
    assert list(json.loads((tmp_path / "faults.json").read_text())["totals"].values()) == [2, 1, 1, 0, 0]
    assert "| wrong-tax | MISSED |" in (tmp_path / "faults.md").read_text()
    again = Results.read(tmp_path / "faults.json")
    assert again == results
    assert list(again.trials) == ["wrong-tax", "slow"]
    assert Results.read(tmp_path / "none.json") == Results()
