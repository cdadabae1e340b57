"""`ringgate approve`: two people let a rollout go on that waits for them; what is refused is told and not noted."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ringgate import cli
from ringgate.evidence import EvidenceKind
from ringgate.rollout.approval_wait import RingApprovals
from ringgate.rollout.approvals import ApprovalRefused
from ringgate.rollout.beginning import begin
from ringgate.rollout.controller import Rehearsal
from ringgate.rollout.evidence import RolloutEvidence
from ringgate.rollout.noted_approvals import NotedApprovals
from ringgate.rollout.record import RecordKeeper
from ringgate.rollout.release import load_release
from tests.support.rehearsal import release_file
from tests.unit.rollout.test_evidence import BY, NotedWorld
from tests.unit.rollout.test_rehearsal import Killed, _no_engine, _NoBackgroundLoad

APPROVALS = """
[approvals]
author = "ada"
rings = ["early"]
wait = "1 min"
[[approvals.roles]]
name = "release-manager"
quorum = 2
[[approvals.roles.people]]
name = "grace"
keys = ["{grace}"]
[[approvals.roles.people]]
name = "linus"
keys = ["{linus}"]
[[approvals.roles.people]]
name = "ada"
keys = ["{ada}"]
"""


FREEZE = """
[[rollout.freezes]]
name = "year end"
times = ["2026-12-20 00:00 to 2027-01-06 00:00"]
"""


class ApprovedWorld(NotedWorld):
    """A rehearsal that waits; `meanwhile` is done while it does, one at each look."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.keys = folder.parent / "keys"
        self.keys.mkdir()
        lines = {name: self.new_key(name) for name in ("grace", "linus", "ada", "stranger")}
        place = folder.parent / "approved"
        place.mkdir()
        self.file = release_file(place, "high")
        self.file.write_text(self.file.read_text() + APPROVALS.format(**lines))
        self.release = load_release(self.file, self.inventory)
        self.waited: list[str] = []
        self.meanwhile: list[Callable[[], object]] = []

    def new_key(self, name: str) -> str:
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.keys / name]
        subprocess.run(words, check=True)
        return (self.keys / f"{name}.pub").read_text().strip()

    def pause(self) -> None:
        if not self.meanwhile:
            raise Killed
        self.meanwhile.pop(0)()

    def start(self):
        self.ledger = RecordKeeper(self.folder)
        begin(self.ledger, self.release, self.place, self.session)
        evidence = RolloutEvidence(self.open_store, BY, self.release, "estate")
        approvals = RingApprovals(self.open_store, BY, self.release, self.watcher.remark, pause=self.pause)
        approvals.waits = self.waited.append
        self.ledger.noted = evidence.note

        def opens(ring: str) -> None:
            evidence.settle(self.ledger.record)
            approvals.wait(self.ledger.record, ring)

        return Rehearsal(
            self.release, self.inventory, self.place, [], _no_engine, self.ledger, self.stages, self.watcher,
            self.take_back, pause=lambda: None, opens=opens,
        ).run()  # fmt: skip

    def approve(self, who: str, *more: str) -> int:
        words = ["approve", str(self.file), "--ring", "early", "--key", str(self.keys / who), "--results", self.url]
        return cli.run([*words, *more])


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(
        "ringgate.rollout.controller.Rehearsal._background_load", lambda self, ring: _NoBackgroundLoad()
    )
    world = ApprovedWorld(tmp_path / "rehearsal")
    yield world
    world.store.close()


def waiting(world: ApprovedWorld) -> None:
    """It was killed while it waited for approval."""
    with pytest.raises(Killed):
        world.start()


def test_a_rollout_waits_for_two_keys_and_then_goes_on(world, capsys):
    done: list[tuple[str, str]] = []
    world.meanwhile = [
        lambda: done.extend(world.stages.done), lambda: world.approve("grace"), lambda: world.approve("linus"),
    ]  # fmt: skip
    assert world.start().succeeded
    assert {tenant for _, tenant in done} == {"aldgate"}  # nothing of early was touched while it waited
    missing = [each.partition("missing: ")[2].partition(" (")[0] for each in world.waited]
    assert missing == ["2 of release-manager", "1 of release-manager", ""]
    out = " ".join(capsys.readouterr().out.split())
    assert "noted: grace approves early as release-manager, until" in out
    assert "Missing still: 1 of release-manager (linus, ada)." in out
    assert "The ring may be opened." in out
    opened = [each for each in world.chain.entries(kinds=[EvidenceKind.DECISION]) if each.body["action"] == "open"]
    assert [each.body["by_role"] for each in opened] == [{"release-manager": ["grace", "linus"]}]
    assert any("early is not opened without approval; missing: 2 of" in each for each in world.watcher.remarks)


def test_a_rollout_that_was_killed_while_it_waited_goes_on_with_what_was_approved(world):
    waiting(world)
    assert (world.approve("grace"), world.approve("linus")) == (0, 0)
    assert world.start().succeeded


def test_a_rollout_does_not_wait_longer_than_its_release_says(world):
    world.release.table.approvals.__dict__["wait"] = timedelta(0)
    record = world.start()
    assert record.waits.startswith("early is not opened without approval; missing: 2 of release-manager")
    assert record.rings["early"].began is None
    assert (world.approve("grace"), world.approve("linus")) == (0, 0)
    assert world.start().succeeded


def test_before_a_rollout_has_begun_there_is_nothing_to_approve(world, capsys):
    assert world.approve("grace") == 1
    assert "refused: no rollout of rehearsed has begun" in capsys.readouterr().err


def test_refused_are_the_author_the_same_person_twice_and_a_stranger(world, capsys):
    waiting(world)
    assert [world.approve(who) for who in ("ada", "grace", "grace", "stranger")] == [1, 0, 1, 1]
    err = capsys.readouterr().err
    assert "ada wrote the release, and may not approve it" in err
    assert "grace has approved already, and counts once" in err
    assert "is nobody's who may approve rehearsed" in err
    assert len(world.chain.entries(kinds=[EvidenceKind.APPROVAL])) == 1


def test_a_release_that_was_changed_since_it_began_is_not_approved(world, capsys):
    waiting(world)
    world.file.write_text(world.file.read_text() + "\n# changed\n")
    assert world.approve("grace") == 1
    assert "it was changed since it began" in capsys.readouterr().err


def test_an_approval_of_an_earlier_rollout_does_not_open_the_next(world):
    waiting(world)
    assert (world.approve("grace"), world.approve("linus")) == (0, 0)
    world.ledger.forget()
    world.session = "s2"
    waiting(world)
    assert any("it was given to another rollout (s1)" in each for each in world.watcher.remarks)


def test_an_inventory_that_changed_after_makes_the_approvals_void(world):
    waiting(world)
    assert (world.approve("grace"), world.approve("linus")) == (0, 0)
    rings = tuple((ring, tenants[:1]) if ring == "early" else (ring, tenants) for ring, tenants in world.release.rings)
    object.__setattr__(world.release, "rings", rings)
    waiting(world)
    assert any("inventory of early changed after grace approved" in each for each in world.watcher.remarks)


def test_evidence_that_was_changed_opens_nothing(world):
    waiting(world)
    assert (world.approve("grace"), world.approve("linus")) == (0, 0)
    with world.store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER evidence_no_update")
        connection.exec_driver_sql("UPDATE evidence SET ring = 'broad' WHERE number = 2")
    with pytest.raises(ApprovalRefused, match="early is not opened: the evidence was changed"):
        world.start()
    assert world.approve("ada") == 1


def test_a_ring_that_was_opened_is_gone_on_with_after_its_approvals_ended(world):
    world.meanwhile = [lambda: world.approve("grace"), lambda: world.approve("linus")]
    world.stages.say["upgrade", "bleecker"] = Killed()
    with pytest.raises(Killed):
        world.start()
    world.release.table.approvals.__dict__["roles"] = ()  # whoever approved is not asked again
    assert world.start().succeeded


def noted_approvals(world: ApprovedWorld) -> NotedApprovals:
    release = load_release(world.file, world.inventory)
    return NotedApprovals(world.open_store, BY, release, world.session)


def test_a_freeze_is_passed_by_those_approvals_alone_that_name_it(world, capsys):
    world.file.write_text(world.file.read_text() + FREEZE)
    world.release = load_release(world.file, world.inventory)
    waiting(world)
    assert (world.approve("grace"), world.approve("linus")) == (0, 0)
    assert noted_approvals(world).missing("early", "ring") == ""
    assert "2 of release-manager" in noted_approvals(world).missing("early", "freeze year end")
    freeze = ["--freeze", "year end"]
    assert [world.approve(who, *freeze) for who in ("ada", "grace", "grace", "linus")] == [1, 0, 1, 0]
    told = capsys.readouterr()
    assert "ada wrote the release" in told.err
    assert "noted: grace approves that early passes the freeze year end as" in told.out
    assert "It may pass the freeze year end." in told.out
    known = noted_approvals(world)
    assert known.missing("early", "freeze year end") == ""
    assert known.missing("early", "ring") == ""
    for ring, subject in (("early", "freeze payroll"), ("canary", "freeze year end")):
        assert "2 of release-manager" in known.missing(ring, subject)


def test_an_approval_of_a_freeze_opens_no_ring(world):
    world.file.write_text(world.file.read_text() + FREEZE)
    world.release = load_release(world.file, world.inventory)
    waiting(world)
    assert [world.approve(who, "--freeze", "year end") for who in ("grace", "linus")] == [0, 0]
    assert "2 of release-manager" in noted_approvals(world).missing("early", "ring")


def test_an_unknown_freeze_is_wrong_use(world, capsys):
    world.file.write_text(world.file.read_text() + FREEZE)
    assert world.approve("grace", "--freeze", "year ende") == 3
    assert "has no freeze year ende; did you mean year end?" in " ".join(capsys.readouterr().err.split())


def test_without_approvers_nobody_passes_a_freeze(world):
    world.release.table.__dict__["approvals"] = None
    known = NotedApprovals(world.open_store, BY, world.release, "s1")
    assert known.missing("early", "ring") == ""
    assert "names nobody who may approve it" in known.missing("early", "freeze year end")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--ring", "broad"], "asks for approvals of early, and not of broad"),
        (["--key", "nowhere"], "the key nowhere cannot be read"),
        (["--role", "board"], "grace has not the role board"),
    ],
)
def test_wrong_use(world, capsys, more, why):
    waiting(world)
    assert world.approve("grace", *more) in (1, 3)
    assert why in capsys.readouterr().err
