"""Regions judged together: the same verdict as on one machine, no pass while one is silent, and no text crosses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ringgate import cli
from ringgate.domain.model import (
    Attachment,
    Deployment,
    Failure,
    Residue,
    RunResult,
    Scenario,
    SignalSample,
    Step,
)
from ringgate.domain.terms import Outcome, StepKind
from ringgate.gate import Action, GatePolicy, Signal, Verdict, Word
from ringgate.inventory import Inventory
from ringgate.judging import Judge, RegionalJudge
from ringgate.judging.regions import feeds_of, send_segments, step_words, take_segments, taking
from ringgate.scenario.discovery import load_scenarios
from ringgate.store import LATE, ProberState, Store
from ringgate.web.gate import judge_of
from tests.unit.gate.sample import LATER, MINUTE, RING, START, before, every_minute, failed, run, self_test
from tests.unit.gate.test_columnar import assert_same, history
from tests.unit.inventory.test_inventory import SMALLEST, write

POLICY = GatePolicy(least_rate=0.04, must=("time-entry",))
INVENTORY = Inventory(Path("tenants"), (*RING, *LATER), ("canary", "broad"), {})
REGIONS = {"eu-west": ("aldgate", "bleecker"), "eu-central": ("cologne",)}
END = START + timedelta(hours=3)
TOLD = END + LATE
"""Up to when regions tell everything that was recorded until END is a minute later."""

WORDS = {"time-entry": {"enter time", "post invoice"}, "invoicing": {"enter time", "post invoice"}}
BACK = timedelta(hours=8)


class Machines:
    """A store of each region, one of all results, and one that the regions send to."""

    def __init__(self, folder: Path) -> None:
        self.now, self.files = END - timedelta(seconds=1), folder / "sent"
        self.files.mkdir()
        self.url = f"sqlite:///{folder}/all.sqlite"
        clock = self.clock
        self.stores = {name: Store(f"sqlite:///{folder}/{name}.sqlite", clock) for name in (*REGIONS, "one", "all")}

    def clock(self) -> datetime:
        return self.now

    def add(self, *results: RunResult) -> None:
        for region, theirs in REGIONS.items():
            self.stores[region].add(*(each for each in results if each.tenant in theirs))
        self.stores["one"].add(*results)

    def deployed(self, deployment: Deployment) -> None:
        for each in (*REGIONS, "one"):
            self.stores[each].deployed(deployment)

    def seen(self) -> None:
        for each in (*REGIONS, "one"):
            self.stores[each].seen(ProberState(f"prober of {each}", START, END))

    def send(self, *regions: str, now: datetime = TOLD) -> None:
        for each in regions or REGIONS:
            send_segments(self.stores[each], self.files, each, INVENTORY, WORDS, now, BACK)

    def take(self) -> list[str]:
        return [each.problem for each in take_segments(self.stores["all"], self.files) if each.problem]

    def judged(self, of: str, now: datetime, policy: GatePolicy = POLICY, due: object = None) -> Verdict:
        kind = RegionalJudge if of == "all" else Judge
        judge = kind(lambda: self.stores[of], INVENTORY, policy, clock=lambda: now, due=due)  # type: ignore[arg-type]
        return judge.verdict("canary", "8.0")


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    made = Machines(tmp_path)
    yield made
    for each in made.stores.values():
        each.close()


DEPLOYED = Deployment("d1", START, "canary", "8.0", note="by hand", by="someone@acme.example")


def good() -> list[RunResult]:
    return [*before(), *every_minute(179), *(self_test(START + timedelta(hours=n, minutes=30)) for n in range(3))]


def rules_of(verdict: Verdict) -> list[str]:
    return [reason.rule for reason in verdict.reasons]


def assert_same_verdict(one: Verdict, other: Verdict) -> None:
    assert (one.word, one.action, one.state) == (other.word, other.action, other.state)
    assert rules_of(one) == rules_of(other)
    for part in ("evidence", "samples", "unused", "outlook", "radius", "waived", "expired"):
        assert_same(getattr(one, part), getattr(other, part), part)
    texts = {"breaches": (), "policy": GatePolicy()}
    assert_same(replace(one.facts, **texts), replace(other.facts, **texts), "facts")  # type: ignore[arg-type]
    told = [[(b.invariant, b.tenant, b.scenario, b.run_id, b.before) for b in v.facts.breaches] for v in (one, other)]
    assert told[0] == told[1]
    causes = [[(a.cause, a.because, a.group.runs, a.group.tenants) for a in v.attributions] for v in (one, other)]
    assert causes[0] == causes[1]


@pytest.mark.parametrize("seed", [0, 3, 5, 9])
def test_the_same_results_come_to_the_same_verdict_as_on_one_machine(machines: Machines, seed: int) -> None:
    told = history(seed)
    machines.seen()
    machines.deployed(DEPLOYED)
    machines.deployed(Deployment("d2", START + 10 * MINUTE, "canary", "8.0", ("bleecker",)))
    machines.add(*told.before, *(each for piece in told.pieces for each in piece))
    machines.send()
    assert machines.take() == []
    assert_same_verdict(
        machines.judged("one", END, told.policy, told.due), machines.judged("all", TOLD, told.policy, told.due)
    )


def test_signals_of_the_platform_count_as_on_one_machine(machines: Machines) -> None:
    machines.deployed(DEPLOYED)
    machines.add(*good())
    for number in range(-60, 170):
        at, value = START + number * MINUTE, 300.0 if number > 100 else 3.0
        sample = SignalSample(at, "queue-backlog", value, "jobs", "canary", "cologne", 100.0)
        machines.stores["eu-central"].sampled([sample, replace(sample, tenant="a name from a database")])
        machines.stores["one"].sampled([sample])
    machines.send()
    assert machines.take() == []
    one, other = machines.judged("one", END), machines.judged("all", TOLD)
    assert "backlog" in str(one.reasons)
    assert_same_verdict(one, other)


def test_a_healthy_release_is_promoted_over_two_regions(machines: Machines) -> None:
    machines.deployed(DEPLOYED)
    machines.add(*good())
    machines.send()
    machines.take()
    verdict = machines.judged("all", TOLD)
    assert (rules_of(verdict), verdict.word, verdict.facts.now) == ([], Word.PASS, END)


def test_a_region_that_is_silent_or_never_sent_is_never_a_pass(machines: Machines) -> None:
    machines.deployed(DEPLOYED)
    machines.add(*good())
    machines.send("eu-west")
    machines.take()
    verdict = machines.judged("all", TOLD)
    assert ("region_silent" in rules_of(verdict), verdict.word) == (True, Word.INCONCLUSIVE)
    assert "eu-central has sent nothing" in str(verdict.reasons)
    machines.send("eu-central")
    machines.take()
    assert machines.judged("all", TOLD).word is Word.PASS
    machines.send("eu-west", now=TOLD + timedelta(minutes=6))
    machines.take()
    patient = replace(POLICY, freshness=timedelta(hours=5), signals={Signal.SILENCE: False})
    verdict = machines.judged("all", TOLD + timedelta(minutes=6), patient)
    assert (rules_of(verdict), verdict.action) == (["region_silent"], Action.WAIT)
    assert "what eu-central sent ends at" in verdict.reasons[0].sentence


def test_a_silent_region_hides_nothing_that_another_tells(machines: Machines) -> None:
    machines.deployed(DEPLOYED)
    machines.add(*good())
    machines.send()
    later = [failed(name, END + n * MINUTE / 4) for n in range(80) for name in REGIONS["eu-west"]]
    machines.now = END + timedelta(minutes=20)
    machines.add(*later)
    machines.send("eu-west", now=machines.now + LATE + MINUTE)
    machines.take()
    verdict = machines.judged("all", machines.now + LATE + MINUTE)
    assert (verdict.word, verdict.action) == (Word.FAIL, Action.ROLL_BACK)
    assert "region_silent" in rules_of(verdict)


def test_the_server_judges_regions_as_the_command_does(machines: Machines) -> None:
    machines.deployed(DEPLOYED)
    machines.add(*every_minute(9))
    machines.send("eu-west")
    machines.take()
    said = judge_of(machines.url, lambda: INVENTORY, clock=lambda: TOLD)("canary", "8.0", TOLD)
    assert said.verdict == "inconclusive"
    assert "eu-central has sent nothing" in str(said.reasons)
    assert said.at == END


def test_one_machine_alone_knows_no_regions(machines: Machines) -> None:
    machines.deployed(DEPLOYED)
    machines.add(*every_minute(9))
    judge = RegionalJudge(lambda: machines.stores["one"], INVENTORY, POLICY, clock=lambda: END)
    assert_same_verdict(machines.judged("one", END), judge.verdict("canary", "8.0"))


# --- what crosses -----------------------------------------------------------------------------------------------------


def test_no_text_of_a_tenant_crosses(machines: Machines) -> None:
    secret = "Müller & Sons 4711"
    steps = (
        Step("enter time", 0.0, 1.0, Outcome.PASSED),
        Step(f"approve purchases of {secret}", 1.0, 1.0, Outcome.FAILED, StepKind.POSTING),
    )
    why = Failure(
        f"Strange {secret}", secret, steps[1].name, because=secret, expected=secret, actual=secret, traceback=secret
    )
    machines.add(
        run(
            "cologne",
            START,
            Outcome.FAILED,
            failure=why,
            steps=steps,
            reason=secret,
            server=f"8.0 of {secret}",
            residue=(Residue("cologne", "r1", "post", secret, secret),),
            trace_id=secret,
            attachments=(Attachment(secret, "text", secret),),
            touched=frozenset({secret}),
            session=secret,
        )
    )
    machines.stores["eu-central"].deployed(replace(DEPLOYED, note=secret, by=secret, version=f"8.0 {secret}"))
    machines.stores["eu-central"].seen(ProberState("p1", START, END, detail={"host": secret}))
    machines.stores["eu-central"].sampled([SignalSample(START, "queue-backlog", 1.0, secret, "canary", "cologne")])
    machines.send("eu-central")
    sent = "".join(each.read_text() for each in machines.files.iterdir())
    assert not [word for word in ("ller", "Sons", "4711", "M\\u00fc") if word in sent]
    assert machines.take() == []
    (result,) = machines.stores["all"].results()
    assert [step.name for step in result.steps] == ["enter time", "step 2"]
    assert (result.failure.kind, result.failure.step) == ("other", "step 2") if result.failure else False
    assert result.posting == 1_000_000
    assert result.server == "?"


def test_the_lines_are_those_of_the_list(machines: Machines) -> None:
    machines.deployed(DEPLOYED)
    machines.seen()
    machines.add(*every_minute(9))
    machines.stores["eu-west"].sampled([SignalSample(START, "queue-backlog", 1.0, "jobs", "canary", "aldgate", 9.0)])
    machines.send("eu-west")
    rows = [json.loads(line) for each in machines.files.iterdir() for line in each.read_text().splitlines()]
    width = {"segment": 6, "labels": 9, "shape": 5, "run": 8, "deployment": 7, "sample": 7, "prober": 5, "end": 3}
    assert {(row[0], len(row)) for row in rows} == set(width.items())
    assert not [row for row in rows if "cologne" in row]


def test_a_step_is_told_by_name_only_where_it_stands_in_the_file() -> None:
    scenarios: dict[str, Scenario] = load_scenarios(Path("scenarios"))
    words = step_words(scenarios)["authority"]
    assert "compare with runs before" in words
    assert not [each for each in words if each.startswith("approve purchases of 1")]
    assert all(words for words in step_words(scenarios).values())


# --- what can go wrong ------------------------------------------------------------------------------------------------

Damage = Callable[[Path], object]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _changed(path: Path) -> None:
    path.write_text(path.read_text().replace('"failed"', '"passed"').replace("time-entry", "time-exit"))


def _of_another(path: Path) -> None:
    path.write_text((path.parent / "eu-west-000001.jsonl").read_text())


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_cut, "is cut off"),
        (_changed, "was changed"),
        (Path.unlink, "number 2 before it is not"),
        (_of_another, "it says that it is number 1 of eu-west"),
        (lambda path: path.write_text('["segment", 2]\n[]\n[]\n'), "cut off, or was changed"),
    ],
)
def test_a_file_that_is_wrong_stops_its_region_alone(machines: Machines, damage: Damage, words: str) -> None:
    machines.deployed(DEPLOYED)
    machines.add(*every_minute(9))
    machines.send(now=END)
    assert machines.take() == []
    machines.send()
    machines.send(now=TOLD + MINUTE)
    damage(next(machines.files.glob("eu-central-*2.jsonl")))
    (problem,) = machines.take()
    assert words in problem
    there = {each.region: each.problem for each in feeds_of(machines.stores["all"]).feeds}
    assert there == {"eu-central": problem, "eu-west": ""}
    verdict = machines.judged("all", END + timedelta(minutes=8))
    assert words in str(verdict.reasons)
    assert verdict.word is Word.INCONCLUSIVE


def test_killed_in_between_nothing_comes_in_twice(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    machines.deployed(DEPLOYED)
    machines.add(*every_minute(9))
    machines.stores["eu-west"].sampled(
        [SignalSample(START, "queue-backlog", 1.0, "jobs", "canary", "aldgate", 9.0)] * 2
    )
    machines.send()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(taking, "keep_feeds", killed)
        with pytest.raises(KeyboardInterrupt):
            machines.take()
    for _ in range(2):
        assert machines.take() == []
    store = machines.stores["all"]
    assert len(store.results()) == 27
    assert len(store.deployments()) == len(REGIONS)
    assert len(store.samples()) == 2


def test_what_comes_is_sent_once_and_what_is_young_waits(machines: Machines) -> None:
    machines.now = END
    machines.add(run("aldgate", END))
    machines.send("eu-west", now=END + MINUTE / 2)
    machines.send("eu-west", now=END + MINUTE / 2)
    machines.take()
    assert machines.stores["all"].results() == []
    machines.send("eu-west", now=END + 2 * MINUTE)
    machines.send("eu-west", now=END + 3 * MINUTE)
    machines.take()
    assert len(machines.stores["all"].results()) == 1
    numbers = sorted(int(each.stem.rpartition("-")[2]) for each in machines.files.iterdir())
    assert numbers == list(range(1, len(numbers) + 1))


# --- the commands -----------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    for name in ("RINGGATE_RESULTS", "RINGGATE_INVENTORY", "RINGGATE_RESIDENCY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_commands_send_take_and_say_how_far_it_is(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, {"acme.toml": SMALLEST.format(id="acme")})
    region = Inventory.load(project / "tenants").tenants[0].region
    assert cli.run(["region", "status"]) == 1
    assert "has sent nothing" in capsys.readouterr().out
    assert cli.run(["region", "send", "sent", "--region", region]) == 0
    assert cli.run(["region", "take", "sent", "--results", "sqlite:///all.sqlite"]) == 0
    assert f"{region}: 0 runs in 1 file" in capsys.readouterr().out
    assert cli.run(["region", "status", "--results", "sqlite:///all.sqlite", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["region"], row["silent"], row["problem"]) == (region, "", "")
    (project / "sent" / f"{region}-000002.jsonl").write_text("x")
    assert cli.run(["region", "take", "sent", "--results", "sqlite:///all.sqlite"]) == 1
    assert "it is cut off" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_our_side(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, {"acme.toml": SMALLEST.format(id="acme")})
    (project / "sent").write_text("a file")
    assert cli.run(["region", "send", "sent", "--region", "default"]) == 2
    assert "sent" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["send", "sent", "--region", "mars"], "mars"),
        (["send", "sent", "--region", "default", "--every", "soon"], "--every must be a time with its unit"),
        (["take", "nowhere"], "nowhere is no folder"),
    ],
)
def test_wrong_use_is_told(project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    write(project, {"acme.toml": SMALLEST.format(id="acme")})
    assert cli.run(["region", *arguments]) == 3
    assert words in capsys.readouterr().err
