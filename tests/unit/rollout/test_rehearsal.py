"""Which stages come when, what stops a rollout, and how one that was killed goes on. The stages themselves are real
elsewhere (tests/erp); here they say what they are told to say."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from ringgate.cli.rehearse import exit_code
from ringgate.domain.errors import ErpTimedOut, ErpUnavailable, NoRoute, Refused
from ringgate.domain.model import Residue
from ringgate.domain.terms import ResidueCause
from ringgate.host.machine_load import MachineLoad
from ringgate.inventory import Inventory
from ringgate.rollout.beginning import AlreadyThere, AnotherRelease, begin
from ringgate.rollout.conditions import Condition
from ringgate.rollout.controller import Rehearsal
from ringgate.rollout.record import Objection, RecordKeeper, RecordUnreadable
from ringgate.rollout.release import load_release
from ringgate.rollout.release_tables import ConditionsTable, RolloutAction
from ringgate.rollout.report import conclusion, write_report
from ringgate.rollout.stages.context import StageFinding
from tests.support.rehearsal import release_file

ROOT = Path(__file__).parents[3]
ORDER = ["baseline", "drill", "upgrade", "fingerprint", "verification"]


class Killed(BaseException):
    """What a SIGKILL is to a process: nothing is caught, nothing is written."""


class Place:
    """Which series each tenant runs."""

    def __init__(self) -> None:
        self.runs: dict[str, str] = {}

    def series(self, tenant: str) -> str:
        return self.runs.get(tenant, "7.0")

    def repair(self, tenant: str) -> bool:
        return False

    def upgraded_from(self, tenant: str) -> None:
        return None


class Stages:
    """Notes what is done, and does what the test said beforehand."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.say: dict[tuple[str, str], object] = {}

    def _do(self, stage: str, tenant) -> StageFinding:
        said = self.say.get((stage, tenant.id))
        if isinstance(said, list):  # one for each time it is done
            said = said.pop(0) if said else None
        else:
            self.say.pop((stage, tenant.id), None)
        if isinstance(said, BaseException):
            raise said
        self.done.append((stage, tenant.id))
        return said if isinstance(said, StageFinding) else StageFinding(note=f"{stage} done")

    def baseline(self, tenant, plan):
        return self._do("baseline", tenant)

    def drill(self, tenant):
        return self._do("drill", tenant)

    def upgrade(self, tenant, begins):
        return self._do("upgrade", tenant)

    def fingerprint(self, tenant):
        return self._do("fingerprint", tenant)

    def keep_left(self, tenant):
        self.left = [*getattr(self, "left", ()), tenant.id]

    def verification(self, tenant, plan, browser):
        return self._do("verification", tenant)

    def roll_back(self, tenant):
        return self._do("rollback", tenant)


class Silent:
    def __init__(self) -> None:
        self.remarks: list[str] = []

    def began(self, *_): ...
    def ended(self, *_): ...
    def decided(self, *_): ...

    def remark(self, sentence: str) -> None:
        self.remarks.append(sentence)


class World:
    """One rehearsal that can be started again and again."""

    def __init__(self, folder: Path) -> None:
        self.inventory = Inventory.load(ROOT / "tenants")
        definition = folder.with_name("definition")
        definition.mkdir()
        self.release = load_release(release_file(definition, "high"), self.inventory)
        self.place, self.stages, self.folder = Place(), Stages(), folder
        self.recovered: list[tuple[bool, str]] = []
        self.left: dict[tuple[bool, int], object] = {}
        self.watcher = Silent()

    def take_back(self, in_flight, whose):
        self.recovered.append((in_flight, " ".join(sorted(whose))))
        said = self.left.pop((in_flight, len(self.recovered)), ())
        if isinstance(said, Exception):
            raise said
        return said

    def start(self):
        ledger = RecordKeeper(self.folder)
        begin(ledger, self.release, self.place, "s1")
        rehearsal = Rehearsal(
            self.release, self.inventory, self.place, [], _no_engine, ledger, self.stages, self.watcher,
            self.take_back, pause=lambda: None,
        )  # fmt: skip
        return rehearsal.run()


@contextmanager
def _no_engine():
    raise NoRoute("no engine is needed here")
    yield


@pytest.fixture
def world(tmp_path, monkeypatch):
    # Background load is a thread of scenarios on neighbours; it is real in tests/erp.
    monkeypatch.setattr(
        "ringgate.rollout.controller.Rehearsal._background_load", lambda self, ring: _NoBackgroundLoad()
    )
    return World(tmp_path / "rehearsal")


class _NoBackgroundLoad:
    neighbours = results = failures = broken = ()
    error = ""

    def __enter__(self):
        return self

    def __exit__(self, *_): ...


def against(
    condition: str, action: RolloutAction, tenant: str = "aldgate", sentence: str = "it is not as it was"
) -> StageFinding:
    return StageFinding(reasons=[Objection(condition=condition, action=action, tenant=tenant, sentence=sentence)])


def test_every_ring_goes_through_every_stage_in_order(world):
    record = world.start()
    assert record.succeeded
    assert exit_code(record) == 0
    of_aldgate = [stage for stage, tenant in world.stages.done if tenant == "aldgate"]
    assert of_aldgate == ORDER
    first = [tenant for stage, tenant in world.stages.done if stage == "upgrade"]
    assert (first[0], sorted(first[1:3]), first[3]) == ("aldgate", ["bleecker", "cologne"], "kyoto")
    everybody = "aldgate bleecker cologne kyoto"
    rings = [(True, "aldgate"), (True, "bleecker cologne"), (True, "kyoto")]
    assert world.recovered == [(False, everybody), *rings, (True, everybody)]


def test_a_failed_migration_rolls_the_ring_back_and_leaves_the_others_alone(world):
    world.stages.say["upgrade", "aldgate"] = against("migration_failed", RolloutAction.ROLL_BACK)
    record = world.start()
    assert [stage for stage, _ in world.stages.done] == ["baseline", "drill", "upgrade", "rollback"]
    assert {tenant for _, tenant in world.stages.done} == {"aldgate"}
    assert record.rings["canary"].decision is RolloutAction.ROLL_BACK
    assert record.rings["early"].decision is None
    assert exit_code(record) == 1
    assert conclusion(record) == "Ring canary was rolled back. aldgate: it is not as it was"


@pytest.mark.parametrize("stage", ["baseline", "drill"])
def test_what_is_wrong_before_the_change_stops_before_the_change(world, stage):
    world.stages.say[stage, "aldgate"] = against("not_ready", RolloutAction.PAUSE)
    record = world.start()
    assert "upgrade" not in {stage for stage, _ in world.stages.done}
    assert record.rings["canary"].decision is RolloutAction.PAUSE


def test_a_pause_after_the_change_is_verified_to_the_end_and_goes_no_further(world):
    world.stages.say["fingerprint", "aldgate"] = against("inconclusive", RolloutAction.PAUSE)
    record = world.start()
    assert [stage for stage, _ in world.stages.done] == ORDER
    assert record.rings["canary"].decision is RolloutAction.PAUSE
    assert exit_code(record) == 2


def test_the_gravest_reason_decides(world):
    world.stages.say["fingerprint", "aldgate"] = against("inconclusive", RolloutAction.PAUSE)
    world.stages.say["verification", "aldgate"] = against("isolation_failed", RolloutAction.ROLL_BACK, sentence="leak")
    record = world.start()
    assert record.rings["canary"].decision is RolloutAction.ROLL_BACK
    assert conclusion(record) == "Ring canary was rolled back. aldgate: leak (1 further reason)"
    assert exit_code(record) == 1


@pytest.mark.parametrize("stage", ["fingerprint", "verification"])
def test_an_outage_counts_against_the_erp_when_a_second_look_confirms_it(world, stage):
    world.stages.say[stage, "aldgate"] = [ErpUnavailable("nobody answers"), ErpUnavailable("nobody answers")]
    record = world.start()
    assert record.rings["canary"].reasons[0].condition == "platform_failed"
    assert record.rings["canary"].decision is RolloutAction.ROLL_BACK


@pytest.mark.parametrize("problem", [ErpUnavailable("nobody answers"), ErpTimedOut("no answer"), NoRoute("no way")])
@pytest.mark.parametrize("stage", ORDER)
def test_what_is_over_at_the_second_look_speaks_against_nobody(world, stage, problem):
    world.stages.say[stage, "aldgate"] = [problem]
    assert world.start().succeeded
    assert world.watcher.remarks == [f"aldgate: {stage} is tried once more: {problem}"]


def test_what_the_erp_plainly_refused_is_not_asked_twice(world):
    world.stages.say["verification", "aldgate"] = [Refused("post_invoice", "the period is closed")]
    record = world.start()
    assert record.rings["canary"].decision is RolloutAction.ROLL_BACK
    assert "verification" not in [stage for stage, _ in world.stages.done]


@pytest.mark.parametrize(("busy", "decision"), [(True, RolloutAction.PAUSE), (False, RolloutAction.ROLL_BACK)])
def test_a_second_time_out_is_unknown_on_a_machine_that_has_no_time_to_spare(world, monkeypatch, busy, decision):
    load = MachineLoad(share=0.99 if busy else 0.2)
    monkeypatch.setattr("ringgate.rollout.controller.measured", lambda: nullcontext(load))
    world.stages.say["verification", "aldgate"] = [ErpTimedOut("no answer"), ErpTimedOut("no answer")]
    record = world.start()
    assert record.rings["canary"].decision is decision
    assert ("processors were 99% busy" in record.rings["canary"].reasons[0].sentence) is busy


def test_spares_that_cannot_be_taken_back_are_told_and_tried_again(world):
    world.left[True, 2] = RuntimeError("the disk is full")
    record = world.start()
    assert (record.succeeded, record.left) == (True, [])
    assert world.watcher.remarks == [
        "canary: what was begun and not needed is taken back once more, for RuntimeError: the disk is full"
    ]


def test_a_promotion_that_left_something_behind_is_not_called_a_success(world, tmp_path):
    world.left[True, 5] = (Residue("kyoto", "run1", "post_invoice", "RG-1", "no answer", ResidueCause.SLOW),)
    record = world.start()
    assert (record.succeeded, exit_code(record)) == (True, 2)
    page = write_report(record, world.release, tmp_path / "page.html").read_text()
    for words in ("1 record could not be taken back", "post_invoice RG-1 on kyoto was not taken back", "recover"):
        assert words in page
        assert words in conclusion(record) or words == "recover"


def test_an_error_of_our_side_is_inconclusive_and_never_a_pass(world):
    world.stages.say["verification", "aldgate"] = [NoRoute("no way there"), NoRoute("no way there")]
    record = world.start()
    assert record.rings["canary"].decision is RolloutAction.PAUSE
    assert record.tenants["aldgate"].stages["verification"].outcome == "broken"
    assert exit_code(record) == 2


@pytest.mark.parametrize("stage", ORDER)
@pytest.mark.parametrize("tenant", ["aldgate", "cologne"])
def test_killed_in_any_stage_it_goes_on_there_and_ends_the_same(world, stage, tenant):
    world.stages.say[stage, tenant] = Killed()
    with pytest.raises(Killed):
        world.start()
    record = world.start()
    assert record.succeeded
    assert record.starts == 2
    assert sorted(world.stages.done) == sorted((s, t.id) for s in ORDER for t in world.release.tenants)


def test_killed_while_it_rolls_back_it_rolls_back(world):
    world.stages.say["verification", "aldgate"] = against("process_failed", RolloutAction.ROLL_BACK)
    world.stages.say["rollback", "aldgate"] = Killed()
    with pytest.raises(Killed):
        world.start()
    record = world.start()
    assert [stage for stage, _ in world.stages.done] == [*ORDER, "rollback"]
    assert record.rings["canary"].decision is RolloutAction.ROLL_BACK


def test_one_that_stopped_is_not_gone_on_with_but_begun_again(world):
    world.stages.say["upgrade", "aldgate"] = against("migration_failed", RolloutAction.ROLL_BACK)
    world.start()
    record = world.start()
    assert record.succeeded
    assert record.starts == 1


def test_another_text_of_the_release_is_not_taken_for_the_same(world, tmp_path):
    world.stages.say["upgrade", "aldgate"] = Killed()
    with pytest.raises(Killed):
        world.start()
    other = tmp_path / "release.toml"
    other.write_text(world.release.path.read_text() + "\n# changed\n")
    shutil.copy(world.release.path.with_name("tryton-8.0-accepted.toml"), tmp_path)
    world.release = load_release(other, world.inventory)
    with pytest.raises(AnotherRelease, match="put the old text back, or give --anew"):
        world.start()


def test_tenants_that_run_the_new_series_already_are_told_before_anything_is_done(world):
    world.place.runs = {"kyoto": "8.0"}
    with pytest.raises(AlreadyThere, match=r"kyoto run 8\.0 already"):
        world.start()
    assert world.stages.done == []


def test_a_record_of_an_earlier_form_is_refused_in_one_sentence(world):
    world.start()
    file = world.folder / "record.json"
    file.write_text(file.read_text().replace('"form": 2,', ""))
    with pytest.raises(RecordUnreadable, match="by another version of Ringgate: give --anew to begin again"):
        world.start()
    assert not RecordKeeper(world.folder).unfinished(world.release.digest)
    file.write_text("{}")
    with pytest.raises(RecordUnreadable, match="another version"):
        world.start()
    file.write_text("[1")
    with pytest.raises(RecordUnreadable, match="is not the record of a rehearsal: move it away"):
        world.start()


def test_the_conditions_of_a_release_are_those_that_there_are():
    assert list(ConditionsTable.model_fields) == [each.value for each in Condition]
    assert ConditionsTable().action(Condition.INCONCLUSIVE) is RolloutAction.PAUSE


def test_the_page_tells_the_story(world, tmp_path):
    world.stages.say["verification", "cologne"] = against(
        "process_failed", RolloutAction.ROLL_BACK, "cologne", "<b>3</b> & 4"
    )
    page = write_report(world.start(), world.release, tmp_path / "page.html").read_text()
    assert "Ring early was rolled back." in page
    assert "cologne: &lt;b&gt;3&lt;/b&gt; &amp; 4" in page
    assert "7.6: names of models and fields" in page
    assert "Not begun" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
