"""The measures against a history whose figures were computed by hand.

| deployment | release | tenant | asked (Nov) | ran (Nov) | lead | what went wrong |
|---|---|---|---|---|---|---|
| D1 | r1 | a | 1 10:00 | 2 10:00 | 24 h | |
| D2 | r1 | b | 1 10:00 | 2 12:00 | 26 h | I4: 8 09:00 to 9 14:00, noticed 9 13:00, when D4 ran already |
| D3 | r2 | a | 8 22:00 | 9 10:00 | 12 h | I1: 9 11:00 to 11:40, noticed 11:10; I2: 9 11:30 to 12:30, noticed 11:35;
|    |    |   |         |         |      | I3: 10 09:00 to 09:30, noticed 09:20 |
| D4 | r2 | b | 8 22:00 | 9 12:00 | 14 h | |
| D5 | r3 | a | 16 04:00 | 16 10:00 | 6 h | |

until Nov 23 10:00: three weeks. Failed are D2 and D3: 2 of 5, although there were 4 incidents (4 / 5 = 80 % is the
mistake), and D4 was the latest on b when I4 was noticed (D4 instead of D2 is the other mistake).
Recovery: D3 9 11:00 to 10 09:30 = 1350 min, D2 8 09:00 to 9 14:00 = 1740 min. Rework: D4 (after D2), D5 (after D3).
Exposure: a 11:00 to 12:30 and 30 min = 120 min, b 1740 min.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ringgate.domain.model import Deployment
from ringgate.evidence import EvidenceActor, EvidenceChain, EvidenceKind, NewEvidence
from ringgate.evidence.history import Incident, TenantDeployment, TenantHistory, attributed, history_of
from ringgate.evidence.measures import by, detection, dora, exposure, median_interval, poisson_interval
from ringgate.evidence.witness import ChainWitness
from ringgate.store import Store


def at(day: int, clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


D1 = TenantDeployment("r1", "canary", "a", at(2, "10:00"), at(1, "10:00"), gone=at(9, "10:00"))
D2 = TenantDeployment("r1", "broad", "b", at(2, "12:00"), at(1, "10:00"), gone=at(9, "12:00"))
D3 = TenantDeployment("r2", "canary", "a", at(9, "10:00"), at(8, "22:00"), gone=at(16, "10:00"))
D4 = TenantDeployment("r2", "broad", "b", at(9, "12:00"), at(8, "22:00"))
D5 = TenantDeployment("r3", "canary", "a", at(16, "10:00"), at(16, "04:00"))
I1 = Incident("a", at(9, "11:00"), at(9, "11:10"), at(9, "11:40"), "person", "no invoices")
I2 = Incident("a", at(9, "11:30"), at(9, "11:35"), at(9, "12:30"), "gate", "slow")
I3 = Incident("a", at(10, "09:00"), at(10, "09:20"), at(10, "09:30"), "person", "no invoices again")
I4 = Incident("b", at(8, "09:00"), at(9, "13:00"), at(9, "14:00"), "person", "hours lost")
UNTIL = at(23, "10:00")


@pytest.fixture
def history() -> TenantHistory:
    return attributed([D1, D2, D3, D4, D5], [I1, I2, I3, I4], UNTIL)


def test_an_incident_belongs_to_what_was_in_force_when_it_began_not_to_the_latest(history):
    failed = {(each.release, each.tenant): len(each.incidents) for each in history.deployments if each.failed}
    assert failed == {("r1", "b"): 1, ("r2", "a"): 3}


def test_the_five_measures_are_those_computed_by_hand(history):
    frequency, lead, fails, recovery, rework = dora(history)
    assert (frequency.value, frequency.n) == (pytest.approx(5 / 3), 5)
    assert (frequency.low, frequency.high) == (
        pytest.approx(1.6235 / 3, rel=1e-3),
        pytest.approx(11.6683 / 3, rel=1e-3),
    )
    assert (lead.value, lead.n, lead.of) == (14.0, 5, 5)
    assert (fails.value, fails.n, fails.of) == (0.4, 2, 5)
    assert (fails.low, fails.high) == (pytest.approx(0.0527, abs=1e-4), pytest.approx(0.8534, abs=1e-4))
    assert (recovery.value, recovery.n, recovery.of) == (1545.0, 2, 2)
    assert (rework.value, rework.n, rework.of) == (0.4, 2, 5)


def test_three_incidents_of_one_deployment_are_one_failure(history):
    assert sum(len(each.incidents) for each in history.deployments) / len(history.deployments) == 0.8  # the mistake
    assert dora(history)[2].value == 0.4


def test_by_tenant_and_by_release(history):
    tenants = by(history, lambda each: each.tenant)
    assert {name: (each[2].n, each[2].of) for name, each in tenants.items()} == {"a": (1, 3), "b": (1, 2)}
    assert {name: (each[4].n, each[4].of) for name, each in tenants.items()} == {"a": (1, 3), "b": (1, 2)}
    releases = by(history, lambda each: each.release)
    assert {name: (each[2].n, each[2].of) for name, each in releases.items()} == {
        "r1": (1, 2), "r2": (1, 2), "r3": (0, 1),
    }  # fmt: skip


def test_exposure_counts_overlapping_minutes_once(history):
    measure, minutes = exposure(history)
    assert minutes == {"a": 120.0, "b": 1740.0}
    assert (measure.value, measure.n, measure.of) == (1860.0, 2, 2)


def test_the_delay_until_somebody_noticed(history):
    measure = detection(history)
    assert (measure.value, measure.n, measure.of) == (15.0, 4, 4)  # 5, 10, 20 and 1680 min


def test_what_is_not_over_is_named_and_not_left_out():
    still = Incident("b", at(9, "13:00"), at(9, "13:05"), None, "gate", "down")
    history = attributed([D4], [still], UNTIL)
    recovery = dora(history)[3]
    assert (recovery.value, recovery.n, recovery.of, recovery.remark) == (None, 0, 1, "1 not over yet")
    assert exposure(history)[1]["b"] == (UNTIL - at(9, "13:00")) / timedelta(minutes=1)


def test_an_incident_may_name_its_release_or_belong_to_none():
    said = Incident("b", at(9, "13:00"), at(9, "13:00"), None, "person", "old fault", release="r1")
    stray = Incident("c", at(9, "13:00"), at(9, "13:00"), None, "person", "who knows")
    history = attributed([D2, D4], [said, stray], UNTIL)
    assert [each.failed for each in history.deployments] == [True, False]
    assert history.unattributed == (stray,)


def test_nothing_known_is_no_number():
    assert [each.value for each in dora(TenantHistory((), (), None, UNTIL))] == [0.0, None, None, None, None]


def test_intervals_are_those_of_the_tables():
    assert median_interval(list(range(1, 6))) == (None, None)
    assert median_interval(list(range(1, 7))) == (1, 6)
    assert median_interval(list(range(1, 11))) == (2, 9)
    assert poisson_interval(0) == (0.0, pytest.approx(3.6889, rel=1e-4))
    assert poisson_interval(10) == (pytest.approx(4.7954, rel=1e-4), pytest.approx(18.3904, rel=1e-4))


def test_the_history_is_read_from_the_evidence(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/results.sqlite")
    clock = [at(2, "09:00")]
    chain = EvidenceChain(store, EvidenceActor("ops", "h", "", "", ""), clock=lambda: clock[0],
                          witness=ChainWitness("x", tmp_path / "seen"))  # fmt: skip

    def note(kind: EvidenceKind, release: str = "r1", ring: str = "canary", **body: object) -> None:
        chain.append(NewEvidence(kind, f"{kind}{len(chain.entries())}", release, ring, body))

    note(EvidenceKind.START, session="t", led_as="rehearsal")
    note(
        EvidenceKind.STAGE, session="t", stage="upgrade", tenant="a", began=at(2, "09:10"), seconds=60, outcome="passed"
    )
    clock[0] = at(3, "09:00")
    note(EvidenceKind.START, session="s", led_as="rollout")
    note(
        EvidenceKind.STAGE,
        session="s",
        stage="upgrade",
        tenant="a",
        began=at(3, "10:00"),
        seconds=600,
        outcome="passed",
    )
    note(EvidenceKind.STAGE, session="s", stage="upgrade", tenant="c", began=at(3, "10:00"), outcome="broken")
    note(EvidenceKind.STAGE, session="s", stage="verification", tenant="a", began=at(3, "10:10"), seconds=300,
         outcome="failed", reasons=[{"sentence": "wrong amount"}])  # fmt: skip
    note(
        EvidenceKind.STAGE,
        session="s",
        stage="rollback",
        tenant="a",
        began=at(3, "10:20"),
        seconds=600,
        outcome="passed",
    )
    note(EvidenceKind.INCIDENT, release="", ring="", id="i1", tenant="b", began=at(5, "12:00"), ended=None, what="down")
    note(EvidenceKind.INCIDENT, release="", ring="", id="i1", tenant="b", began=at(5, "12:00"), ended=at(5, "13:00"))
    by_hand = Deployment("d", at(4, "08:00"), "early", "r1")
    history = history_of(chain.entries(), [by_hand], {"early": ["b"]}, until=UNTIL)
    store.close()
    first, second = history.deployments
    assert (first.tenant, first.at, first.asked, first.rolled_back, first.gone) == (
        "a", at(3, "10:10"), at(2, "09:00"), True, at(3, "10:30"),
    )  # fmt: skip
    assert [(each.noticed, each.ended, each.what) for each in first.incidents] == [
        (at(3, "10:15"), at(3, "10:30"), "verification: wrong amount")
    ]
    assert (second.tenant, [each.ended for each in second.incidents]) == ("b", [at(5, "13:00")])
