"""For each change who did what, from the complete population; what is missing is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ringgate.domain.model import Deployment
from ringgate.evidence import EvidenceActor, EvidenceChain, EvidenceKind, NewEvidence
from ringgate.evidence.duties import duties
from ringgate.evidence.duties_page import write_duties
from ringgate.evidence.witness import ChainWitness
from ringgate.store import Store

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
OPS = EvidenceActor("ops", "build-7", "c0ffee", "0.1.0", "1" * 64)


class Noted:
    """A store in which a test notes one fact after the other, a minute apart."""

    def __init__(self, folder) -> None:
        self.store, self.now, self.number = Store(f"sqlite:///{folder}/results.sqlite"), NOON, 0
        self.folder = folder

    def note(self, kind: EvidenceKind, ring: str = "", by: EvidenceActor = OPS, **body: object):
        self.now, self.number = self.now + timedelta(minutes=1), self.number + 1
        witness = ChainWitness("x", self.folder / "seen")
        chain = EvidenceChain(self.store, by, witness=witness, clock=lambda: self.now)
        return chain.append(NewEvidence(kind, f"k{self.number}", "8.0", ring, body))[0]

    def led(self, session: str, led_as: str, digest: str = "d" * 64, author: str = "ada", approve: bool = True) -> None:
        """A rehearsal or a rollout of two rings, to its good end."""
        self.note(
            EvidenceKind.START, session=session, led_as=led_as, author=author, risk="high",
            approval_rings=["early"] if approve else [], digests={"release": digest},
            rings=[{"ring": "canary", "tenants": ["a"]}, {"ring": "early", "tenants": ["b"]}],
        )  # fmt: skip
        for ring, tenant in (("canary", "a"), ("early", "b")):
            if ring == "early" and approve:
                given = self.note(EvidenceKind.APPROVAL, ring, person="grace", role="manager")
                self.note(EvidenceKind.DECISION, ring, session=session, action="open",
                          by_role={"manager": ["grace"]}, approvals=[given.digest])  # fmt: skip
            began = (self.now + timedelta(seconds=30)).isoformat()
            self.note(EvidenceKind.STAGE, ring, session=session, stage="upgrade", tenant=tenant, began=began)
            self.note(EvidenceKind.VERDICT, ring, session=session, source="rollout", verdict="pass",
                      digests={"release": digest})  # fmt: skip
        self.note(EvidenceKind.END, session=session, succeeded=True)

    def report(self, deployments=(), seen=()):
        chain = EvidenceChain(self.store, OPS, witness=ChainWitness("x", self.folder / "seen"))
        return duties(chain.entries(), deployments, seen)


@pytest.fixture
def noted(tmp_path):
    noted = Noted(tmp_path)
    yield noted
    noted.store.close()


def test_a_rehearsed_and_approved_change_names_everybody(noted):
    noted.led("s1", "rehearsal")
    noted.led("s2", "rollout")
    early = next(each for each in noted.report().changes if each.ring == "early")
    assert early.led_as == "rollout"
    assert (early.authorisation.by, early.approval.by, early.deployment.by) == (("ada",), ("grace",), ("ops@build-7",))
    assert early.test.what == "rehearsed on early"
    assert early.gaps == ()
    assert {each.name: each.state for each in early.controls}["conditions and steps of the release"] == "unchanged"


def test_what_was_changed_since_its_rehearsal_is_said(noted):
    noted.led("s1", "rehearsal", digest="d" * 64)
    noted.led("s2", "rollout", digest="e" * 64)
    canary = next(each for each in noted.report().changes if each.ring == "canary")
    control = canary.controls[0]
    assert (control.state, control.words) == ("changed", "the release was changed since it was rehearsed")
    assert "it was tested only after it was deployed" in canary.gaps


def test_a_control_is_tested_by_the_fault_that_it_caught(noted):
    noted.led("s1", "rollout")
    assert {each.controls[1].state for each in noted.report().changes} == {"never tested"}
    caught = {"self_tests": [{"scenario": "x", "tenant": "a", "at": "", "caught": True}]}
    noted.note(EvidenceKind.VERDICT, "canary", source="gate", verdict="pass", document=caught, digests={"policy": "p"})
    canary = next(each for each in noted.report().changes if each.ring == "canary")
    assert [each.state for each in canary.controls] == ["never tested", "unchanged", "unchanged"]
    other = EvidenceActor("ops", "build-7", "c0ffee", "0.2.0", "2" * 64)
    noted.note(EvidenceKind.VERDICT, "canary", other, source="gate", verdict="pass", document={"self_tests": []},
               digests={"policy": "q"})  # fmt: skip
    canary = next(each for each in noted.report().changes if each.ring == "canary")
    assert [each.state for each in canary.controls] == ["never tested", "changed", "changed"]


def test_nobody_is_in_two_duties_unnoticed(noted):
    noted.led("s1", "rollout", author="Grace")
    early = next(each for each in noted.report().changes if each.ring == "early")
    assert "grace approved it and wrote the release" in early.gaps


def test_what_only_deployments_or_runs_know_of_is_there(noted):
    noted.led("s1", "rollout", approve=False)
    by_hand = Deployment("d1", NOON, "broad", "8.0", by="")
    report = noted.report([by_hand], [("8.0", "canary"), ("8.1", "canary"), ("", "canary")])
    assert {(each.release, each.ring) for each in report.changes} == {("8.0", x) for x in ("canary", "early", "broad")}
    broad = next(each for each in report.changes if each.ring == "broad")
    assert "it was deployed without a test that passed" in broad.gaps
    assert any("nobody is known to have deployed it" in each for each in broad.gaps)
    assert report.unknown == (("8.1", "canary"),)
    assert report.population == {"evidence": 2, "deployments": 1, "runs": 2}
    assert not report.complete


def test_the_page_holds_every_change_and_gap(noted, tmp_path):
    noted.led("s1", "rollout", author="grace")
    report = noted.report(seen=[("9.0<script>", "canary")])
    text = write_duties(report, ["entry 3 was changed"], tmp_path / "duties.html").read_text()
    assert "grace approved it and wrote the release" in text
    assert "8.0 on early" in text
    assert "entry 3 was changed" in text
    assert "9.0&lt;script&gt;" in text


def test_an_upgrade_that_failed_is_told_and_one_that_our_side_broke_is_none(noted):
    stage = {"stage": "upgrade"}
    noted.note(EvidenceKind.STAGE, "canary", tenant="a", outcome="passed", **stage)
    noted.note(EvidenceKind.STAGE, "canary", tenant="b", outcome="failed", **stage)
    noted.note(EvidenceKind.STAGE, "canary", tenant="c", outcome="broken", **stage)
    noted.note(EvidenceKind.STAGE, "early", tenant="d", outcome="broken", **stage)
    by_ring = {each.ring: each for each in noted.report().changes}
    assert by_ring["canary"].deployment.what == "upgraded a; failed on b"
    assert by_ring["early"].deployment.what == "no deployment was noted"
