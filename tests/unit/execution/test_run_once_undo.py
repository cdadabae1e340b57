"""What a run wrote is taken back, whatever became of it; what cannot be is residue, and recovered later."""

from __future__ import annotations

from ringgate.api import PROJECT_MANAGER, expect_refusal
from ringgate.domain.errors import ErpUnavailable, NeverSent, Refused
from ringgate.domain.reversal import NOTHING_TO_UNDO
from ringgate.domain.terms import Outcome, ResidueCause
from ringgate.execution.recovery import recover
from ringgate.execution.undo import Patience
from tests.support.samples import tenant
from tests.unit.execution.support import Heard, run, two_projects


def test_the_reversal_is_on_disk_before_the_write_is_sent(engine, driver):
    seen = []

    def peeks(erp, make, run):
        create = driver.create_project
        driver.create_project = lambda draft: (
            seen.append([path.read_text() for path in engine.journal.folder.iterdir()]), create(draft)
        )[1]  # fmt: skip
        erp.sign_in(PROJECT_MANAGER).create_project(make.project())

    result = run(peeks, engine)
    assert f'"marker": "RG-{result.run_id}-1"' in seen[0][0]


def test_each_reversal_is_tried_and_what_is_left_is_residue_until_recovered(engine, driver):
    def first_cannot_be_undone(erp, make, run):
        two_projects(erp, make, run)
        driver.cannot_undo.add(driver.projects[1])

    result = run(first_cannot_be_undone, engine)
    assert driver.undone == driver.projects[:1]
    assert [(each.marker, each.reason) for each in result.residue] == [
        (driver.projects[1], "the tenant does not answer")
    ]
    driver.cannot_undo.clear()
    heard = Heard()
    (recovered,) = recover(engine.journal, {"aldgate": tenant()}, engine.drivers, sinks=[heard])
    assert (recovered.undone, recovered.left) == (1, ())
    assert [(each.run_id, each.undone, each.left) for each in heard] == [(result.run_id, 1, ())]
    assert recover(engine.journal, {"aldgate": tenant()}, engine.drivers) == []


def test_an_undo_that_was_slow_is_tried_again_before_the_run_is_judged(engine, driver):
    def slow(erp, make, run):
        two_projects(erp, make, run)
        driver.cannot_undo.add(driver.projects[0])

    engine.patience = Patience(sleep=lambda _seconds: driver.cannot_undo.clear())
    result = run(slow, engine)
    assert (result.outcome, result.residue) == (Outcome.PASSED, ())
    assert list(engine.journal.folder.iterdir()) == []


def test_a_run_that_was_right_and_whose_undo_was_slow_proves_nothing(engine, driver):
    def slow(erp, make, run):
        two_projects(erp, make, run)
        driver.cannot_undo.add(driver.projects[0])

    result = run(slow, engine)
    assert (result.outcome, result.failure.kind) == (Outcome.BROKEN, "undo-slow")
    assert [each.cause for each in result.residue] == [ResidueCause.SLOW]
    assert result.failure.message == (
        f"create_project {driver.projects[0]} on aldgate was not taken back: the tenant does not answer; "
        "`ringgate recover` takes it back"
    )
    assert not result.failure.traceback


def test_a_run_whose_undo_was_refused_has_failed(engine, driver):
    def refused(erp, make, run):
        two_projects(erp, make, run)
        driver.undo = lambda reversal: (_ for _ in ()).throw(Refused("undo", "the period is closed"))

    result = run(refused, engine)
    assert (result.outcome, result.failure.kind) == (Outcome.FAILED, "undo-refused")
    assert {each.cause for each in result.residue} == {ResidueCause.REFUSED}


def test_what_failed_before_is_told_whatever_its_undo_came_to(engine, driver):
    def fails(erp, make, run):
        two_projects(erp, make, run)
        driver.cannot_undo.add(driver.projects[0])
        raise Refused("post_invoice", "period is closed")

    result = run(fails, engine)
    assert (result.outcome, result.failure.kind, len(result.residue)) == (Outcome.FAILED, "refused", 1)


def test_recovery_is_as_patient_as_it_is_told_to_be(engine, driver):
    def slow(erp, make, run):
        two_projects(erp, make, run)
        driver.cannot_undo.add(driver.projects[0])

    run(slow, engine)
    (left,) = recover(engine.journal, {"aldgate": tenant()}, engine.drivers)
    assert len(left.left) == 1
    patient = Patience(sleep=lambda _seconds: driver.cannot_undo.clear())
    (done,) = recover(engine.journal, {"aldgate": tenant()}, engine.drivers, patience=patient)
    assert (done.undone, done.left) == (1, ())


def test_a_write_that_got_no_answer_stays_noted_until_it_can_no_longer_come(engine, driver):
    def unanswered(erp, make, run):
        driver.undo = lambda reversal: NOTHING_TO_UNDO
        driver.create_project = lambda draft: (_ for _ in ()).throw(ErpUnavailable("timed out"))
        erp.sign_in(PROJECT_MANAGER).create_project(make.project())

    (residue,) = run(unanswered, engine).residue
    assert residue.reason == "the ERP has not answered this write, and may still do it"
    (recovered,) = recover(engine.journal, {"aldgate": tenant()}, engine.drivers, settle=0)
    assert (recovered.undone, recovered.left) == (1, ())


def test_a_refused_write_is_settled_at_once(engine, driver):
    def refused(erp, make, run):
        driver.undo = lambda reversal: NOTHING_TO_UNDO
        driver.create_project = lambda draft: (_ for _ in ()).throw(Refused("create_project", "no"))
        expect_refusal(erp.sign_in(PROJECT_MANAGER).create_project, make.project(), because="nobody may")

    assert run(refused, engine).residue == ()


def test_a_write_that_was_never_sent_is_settled_at_once(engine, driver):
    class Late(ErpUnavailable, NeverSent): ...

    def never_sent(erp, make, run):
        driver.undo = lambda reversal: NOTHING_TO_UNDO
        driver.create_project = lambda draft: (_ for _ in ()).throw(Late("too late"))
        erp.sign_in(PROJECT_MANAGER).create_project(make.project())

    result = run(never_sent, engine)
    assert (result.outcome, result.residue) == (Outcome.FAILED, ())


def test_recovery_of_a_tenant_that_is_gone_is_residue_and_is_kept(engine, driver):
    run(lambda erp, make, run: (two_projects(erp, make, run), driver.cannot_undo.update(driver.projects)), engine)
    for _ in range(2):
        (recovered,) = recover(engine.journal, {}, engine.drivers)
        assert {each.reason for each in recovered.left} == {"the inventory no longer has this tenant"}
