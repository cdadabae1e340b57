"""kill -9 of `ringgate rehearse` on the real ERP, and the same command again: it ends as if nothing had happened.

Two points are tried with every run of the tests. `make kill-drill` tries all of them, on two tenants of one ring, and
prints what each start found: a rehearsal that promotes is killed at each of its stages, then one that rolls back.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ringgate.domain.terms import Channel
from ringgate.drivers.protocol import Call
from ringgate.estate import Estate
from ringgate.execution import setup
from ringgate.inventory import Inventory
from ringgate.rollout.record import STAGES, RehearsalRecord
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.results import BaselineResult, FingerprintResult, VerificationResult
from tests.erp.killed_rehearsal import POINTS
from tests.support.estate import KILLS, Books
from tests.support.rehearsal import release_file

DRIFT = """
[[manual_steps]]
name = "one that does harm"
sql = "UPDATE account_tax SET rate = rate - 0.01;"
"""
"""A release with it changes the books, is found out by the fingerprint, and is rolled back."""

EXCEPTION = '\n[[exceptions]]\ntenant = "bleecker"\nowner = "tests"\nreason = "as it fits"\nexpires = 2099-01-01\n'
ALONE, TOGETHER = EXCEPTION + "skip = true\n", EXCEPTION + 'ring = "canary"\n'

PROMOTING = [point for point in POINTS if not point.startswith("rollback")]
ROLLING_BACK = [
    ["rollback: losses are noted", "rollback: closed", "rollback: restored", "decision: not yet written"],
    ["rollback: served"],
]
"""In one go each. One that was killed when it was closed is restored by the next start, and killed again in that."""


@dataclass
class Rehearsed:
    """One release on an estate of its own, whose command can be started, and killed, again and again."""

    estate: Estate
    file: Path
    folder: Path
    told: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "RINGGATE_STATE": str(self.folder / "state"), "PYTHONUNBUFFERED": "1"}

    def _command(self, *more: str) -> list[str]:
        out = str(self.folder / "page.html")
        where = ["--platform", f"estate={self.estate.name}", "--tenants", "2"]
        return ["rehearse", str(self.file), *where, "--settle", "10", "--out", out, *more]

    def _run(self, what: str, *command: str) -> int:
        log, began = self.folder / "log.txt", time.monotonic()
        with log.open("w") as out:
            done = subprocess.run(
                [sys.executable, "-m", *command], env=self.environment, stdout=out, stderr=subprocess.STDOUT,
                start_new_session=True, check=False,
            )  # fmt: skip
        took = time.monotonic() - began
        telling = re.compile("cut off|not taken back|tried once more")
        remarks = [line.strip() for line in log.read_text().splitlines() if telling.search(line)]
        self.told.append(f"{took:6.1f} s  {what:45} {'; '.join(remarks)}".rstrip())
        return done.returncode

    def kill_at(self, point: str) -> None:
        code = self._run(f"killed at {point}", "tests.erp.killed_rehearsal", point, *self._command())
        assert code == -signal.SIGKILL, (self.folder / "log.txt").read_text()

    def finish(self) -> tuple[int, RehearsalRecord]:
        code = self._run("went on to its end", "ringgate.cli", *self._command())
        (kept,) = (self.folder / "state" / "rehearsals").glob("*/record.json")
        return code, RehearsalRecord.model_validate_json(kept.read_text())

    def recover(self) -> str:
        command = [sys.executable, "-m", "ringgate.cli", "recover", "-i", str(self.estate.inventory_path)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def books(self) -> dict[str, Books]:
        """Each tenant's trial balance and open documents."""
        tenants, found = Inventory.load(self.estate.inventory_path).tenants, {}
        with setup.engine(tenants, session="books", results=f"sqlite:///{self.folder}/books.sqlite") as engine:
            for tenant in tenants:
                connection = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call("books", "0" * 32))
                try:
                    books = connection.books()
                    balance = {account: str(amount) for account, amount in books.trial_balance().items()}
                    found[tenant.id] = balance, books.open_documents()
                finally:
                    connection.close()
        return found

    def nothing_is_left(self) -> None:
        """No tenant lost or half upgraded, no database of a drill, no process, nothing in a journal."""
        assert self.recover().startswith("Nothing to recover"), self.recover()
        assert list((self.folder / "state" / "journal").iterdir()) == []
        status = self.estate.status()
        assert status.standing, status.rows
        assert [each.upgrade for each in self.estate.record.tenants.values() if each.upgrade] == []
        assert list(self.estate.run.glob("migration-*.pid")) == []
        strange = {x for x in self.estate.database.databases() if x.startswith(("drill_", "new_"))}
        assert strange == set()


@pytest.fixture(scope="module")
def small_estate() -> Estate:
    """Two tenants of their own: whole starts of the command are tested, the setting up of the estate with them.

    Another worker may have a test of this file, too: the estate is stopped when the whole run is over."""
    estate = Estate.at(KILLS)
    estate.up(tenants=2)
    return estate


@pytest.fixture
def rehearsed(small_estate: Estate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Rehearsed]:
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))

    def make(risk: str, more: str) -> Rehearsed:
        small_estate.reset("aldgate", "bleecker")
        file = release_file(tmp_path, risk, "kills")
        file.write_text(file.read_text() + more)
        return Rehearsed(small_estate, file, tmp_path)

    return make


def outcomes(record: RehearsalRecord) -> dict[str, list[str]]:
    return {name: [f"{each}: {stage.outcome}" for each, stage in kept.stages.items()]
            for name, kept in record.tenants.items()}  # fmt: skip


def promoted(rehearsed: Rehearsed, points: Sequence[str], tenants: Sequence[str]) -> None:
    before = rehearsed.books()
    for point in points:
        rehearsed.kill_at(point)
    code, record = rehearsed.finish()
    assert code == 0, (rehearsed.folder / "log.txt").read_text()
    # A risk below high drills the restore on the first tenant of a ring alone.
    expected = {each: [x for x in STAGES if each == tenants[0] or x != "drill"] for each in tenants}
    assert outcomes(record) == {each: [f"{stage}: passed" for stage in stages] for each, stages in expected.items()}
    assert record.starts == len(points) + 1
    assert {name: place.series for name, place in rehearsed.estate.record.tenants.items() if name in tenants} == (
        dict.fromkeys(tenants, "8.0")
    )
    for kept in record.tenants.values():
        before_, books, after = (kept.result(x) for x in (BaselineResult, FingerprintResult, VerificationResult))
        assert books.differences == []
        assert after.finished == before_.begun
    assert rehearsed.books() == before
    rehearsed.nothing_is_left()


def test_killed_in_a_run_and_in_the_migration_it_ends_the_same(rehearsed: Callable[..., Rehearsed]) -> None:
    points = ["baseline: a run has written", "migration: half-way"]
    promoted(rehearsed("low", ALONE), points, ["aldgate"])


@pytest.fixture
def drilled(capsys: pytest.CaptureFixture[str]) -> Iterator[list[Rehearsed]]:
    """Prints at its end what each start did."""
    if os.environ.get("RINGGATE_KILLS") != "all":
        pytest.skip("every stage takes a quarter of an hour: `make kill-drill`")
    made: list[Rehearsed] = []
    yield made
    with capsys.disabled():
        print("\n" + "\n".join(line for each in made for line in each.told))


def test_killed_at_every_stage_it_is_promoted_all_the_same(
    rehearsed: Callable[..., Rehearsed], drilled: list[Rehearsed]
) -> None:
    drilled.append(rehearsed("medium", TOGETHER))
    promoted(drilled[0], PROMOTING, ["aldgate", "bleecker"])


@pytest.mark.parametrize("points", ROLLING_BACK, ids=["before it is served", "after"])
def test_killed_at_every_step_of_a_rollback_it_is_rolled_back_all_the_same(
    points: list[str], rehearsed: Callable[..., Rehearsed], drilled: list[Rehearsed]
) -> None:
    drilled.append(rehearsed("low", DRIFT + ALONE))
    before = drilled[0].books()
    for point in points:
        drilled[0].kill_at(point)
    code, record = drilled[0].finish()
    assert code == 1, (drilled[0].folder / "log.txt").read_text()
    assert record.rings["canary"].decision is RolloutAction.ROLL_BACK
    assert {each.condition for each in record.rings["canary"].reasons} == {"fingerprint_drift"}
    assert outcomes(record)["aldgate"] == [
        "baseline: passed", "drill: passed", "upgrade: passed", "fingerprint: failed", "rollback: passed",
    ]  # fmt: skip
    assert {place.series for place in drilled[0].estate.record.tenants.values()} == {"7.0"}
    assert drilled[0].books() == before
    drilled[0].nothing_is_left()
