"""A prober may be killed at any moment: what it ran is in the store afterwards, each run once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ringgate.api import CONSULTANT, READ, SIGN_IN, scenario
from ringgate.domain.events import RunFinished, RunStarted
from ringgate.domain.model import Failure, RunResult
from ringgate.domain.terms import Channel, Outcome, Source
from ringgate.probing import spool as spooling
from ringgate.probing.spool import Spool, drain
from ringgate.store import Store
from tests.support.samples import tenant
from tests.unit.store.test_store import result

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def begun(run_id: str) -> RunStarted:
    sample = scenario(id="sample", effect=READ, needs={SIGN_IN}, roles={CONSULTANT})(lambda erp, make, run: None)
    return RunStarted(run_id, "0" * 32, sample, tenant(), Channel.API, NOON, "s1", "8.0", Source.PROBE)


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/results.sqlite")
    yield store
    store.close()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def died(folder):
    """A spool whose process is dead: `with died() as spool` writes to it, and lets its lock go as a kill does."""

    def make(*events) -> None:
        spool = Spool(folder, "dead", then=lambda result: None)
        for event in events:
            spool.on(event)
        os.close(spool._handle)

    return make


def keep(store: Store):
    return lambda results: store.add(*results, known=True)


def test_what_ended_is_stored_as_it_was(store, folder, died):
    ended = replace(result("r1"), touched=frozenset({"consultant call login"}))
    died(begun("r1"), RunFinished(ended))
    assert drain(folder, keep(store)) == []
    assert store.results() == [ended]
    assert store.usage() == {"consultant call login": {"time-entry over api": 1}}
    assert list(folder.iterdir()) == []


def test_a_run_without_an_end_was_killed_and_says_so(store, folder, died):
    died(begun("r1"))
    (killed,) = drain(folder, keep(store))
    assert store.results() == [killed]
    assert (killed.run_id, killed.outcome, killed.failure.kind) == ("r1", Outcome.BROKEN, "killed")
    assert (killed.tenant, killed.ring, killed.scenario, killed.started_at) == ("aldgate", "canary", "sample", NOON)
    assert (killed.session, killed.release, killed.source) == ("s1", "8.0", Source.PROBE)


def test_what_is_in_the_store_already_is_not_stored_again(store, folder, died):
    store.add(result("r1"))
    died(begun("r1"), RunFinished(result("r1")), begun("r2"), RunFinished(result("r2")))
    drain(folder, keep(store))
    drain(folder, keep(store))
    assert [each.run_id for each in store.results()] == ["r1", "r2"]


def test_a_line_that_was_cut_short_says_nothing(store, folder, died):
    died(begun("r1"), RunFinished(result("r1")))
    path = folder / "dead.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert [each.failure.kind for each in drain(folder, keep(store))] == ["killed"]


def test_a_store_that_cannot_be_written_loses_nothing(folder, died):
    died(begun("r1"), RunFinished(result("r1")))

    def full(results):
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        drain(folder, full)
    got: list[RunResult] = []
    drain(folder, got.extend)
    assert [each.run_id for each in got] == ["r1"]


def test_the_spool_of_a_living_prober_is_left_alone(store, folder):
    spool = Spool(folder, "alive", then=lambda result: None)
    spool.on(begun("r1"))
    assert drain(folder, keep(store)) == []
    assert store.results() == []
    spool.close()
    assert (folder / "alive.jsonl").exists()


def test_what_had_no_room_did_not_run(folder):
    went_on: list[RunResult] = []
    spool = Spool(folder, "one", then=went_on.append)
    for kind in ("occupied", "crowded", "secret"):
        spool.on(RunFinished(result(kind, outcome=Outcome.BROKEN, failure=Failure(kind, "no"))))
    assert [each.run_id for each in went_on] == ["secret"]


def test_a_file_that_has_grown_is_written_anew_without_what_is_stored(store, folder, monkeypatch):
    monkeypatch.setattr(spooling, "FULL", 5000)
    ended: list[RunResult] = []
    spool = Spool(folder, "one", then=ended.append)
    spool.on(begun("under-way"))
    for number in range(100):
        spool.on(begun(f"r{number}"))
        spool.on(RunFinished(result(f"r{number}")))
        spool.stored([ended.pop()])
    spool.on(RunFinished(result("not-stored")))
    assert (folder / "one.jsonl").stat().st_size < 8000
    os.close(spool._handle)
    assert [each.run_id for each in drain(folder, keep(store))] == ["under-way"]
    assert {"under-way", "not-stored"} <= {each.run_id for each in store.results()}


def test_a_spool_that_is_all_stored_leaves_no_file(folder):
    ended: list[RunResult] = []
    spool = Spool(folder, "one", then=ended.append)
    spool.on(RunFinished(result("r1")))
    spool.stored(ended)
    spool.close()
    assert list(folder.iterdir()) == []


def test_a_process_that_is_killed_leaves_what_it_ran(store, folder):
    code = f"""
        import os, signal
        from pathlib import Path
        from ringgate.domain.events import RunFinished
        from ringgate.probing.spool import Spool
        from tests.unit.probing.test_spool import begun, result
        spool = Spool(Path({str(folder)!r}), "killed", then=lambda result: None)
        spool.on(begun("r1")), spool.on(RunFinished(result("r1"))), spool.on(begun("r2"))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [each.run_id for each in drain(folder, keep(store))] == ["r2"]
    assert {each.run_id: each.outcome for each in store.results()} == {"r1": Outcome.FAILED, "r2": Outcome.BROKEN}
