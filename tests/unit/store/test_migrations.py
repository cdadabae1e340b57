"""A store of every earlier version opens, is brought up, and holds what it held."""

from __future__ import annotations

import re
import sqlite3
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine, inspect

from ringgate.domain.columns import RECORD
from ringgate.domain.model import Deployment, RunResult, SignalSample
from ringgate.domain.terms import Channel, Outcome, Source
from ringgate.store import SCHEMA_VERSION, ProberState, Store, StoreError, migrations
from tests.unit.store import version_3
from tests.unit.store.test_store import NOON, result

MINUTE = timedelta(minutes=1)
VERSIONS = Path(migrations.__file__).parent / "versions"


def results() -> list[RunResult]:
    """One of each kind, and some that passed, in the order of time."""
    passed = {"outcome": Outcome.PASSED, "failure": None, "residue": (), "attachments": ()}
    found = [
        result("r0"),
        result("r1", outcome=Outcome.SKIPPED, failure=None, reason="paused", steps=(), started_at=NOON),
        *(result(f"r{n}", **passed, started_at=NOON + n * MINUTE, tenant=f"t{n % 2}") for n in range(2, 9)),
        result("r9", **passed, session="s2", source=Source.SUITE, channel=Channel.BROWSER, trace_id="no trace",
               started_at=NOON + timedelta(hours=1)),
    ]  # fmt: skip
    return [replace(each, server="") for each in found]  # nobody asked for it then


def check_brought_up(url: str) -> None:
    """What a store of version 3 with `results()` holds, after it was opened."""
    store = Store(url)
    assert store.results() == results()
    assert [each.run_id for each in store.results(session="s2")] == ["r9"]
    assert [each.run_id for each in store.results(outcomes=[Outcome.SKIPPED])] == ["r1"]
    assert store.last_session() == "s2"
    assert len(store.recorded(NOON + timedelta(minutes=4))) == 7
    columns = store.columns(ring="canary", since=NOON + timedelta(minutes=2))
    assert sorted(columns.records["started"].tolist()) == sorted(
        round(each.started_at.timestamp() * 1e6) for each in results() if each.started_at >= NOON + timedelta(minutes=2)
    )
    assert store.usage() == {"a": {"time-entry over api": 7}, "b": {"time-entry over api": 7}}
    assert store.deployments() == [Deployment("d1", NOON, "canary", "8.0", ("aldgate",), "by hand", "ops")]
    assert store.samples() == [SignalSample(NOON, "backlog", 3.0, "jobs", "canary", "", 10.0)]
    assert store.counters() == {("late", "aldgate", "x", "api"): 2}
    assert store.probers() == [ProberState("p1", NOON, NOON, detail={"probes": 8})]
    assert store.figures("metrics") == {"place": "here"}
    store.add(replace(result("new"), started_at=NOON + timedelta(hours=2), touched=frozenset({"a"})))
    with pytest.raises(StoreError, match="cannot be written"):
        store.add(result("r0"))
    store.close()
    again = Store(url)
    assert [each.run_id for each in again.results(newest=2)] == ["r9", "new"]
    again.close()


def schema(url: str) -> Mapping[str, Any]:
    """Tables with their columns, keys and indexes, as the database tells."""
    engine = create_engine(url)
    look = inspect(engine)
    found = {
        table: (
            {(each["name"], str(each["type"]), each["nullable"]) for each in look.get_columns(table)},
            look.get_pk_constraint(table)["constrained_columns"],
            {
                (str(each["name"]), tuple(each["column_names"]), bool(each["unique"]))
                for each in look.get_indexes(table)
            },
        )
        for table in look.get_table_names()
    }
    engine.dispose()
    return found


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/results.sqlite"


def test_a_store_of_version_3_is_brought_up_and_holds_what_it_held(url: str) -> None:
    version_3.make(url, results())
    check_brought_up(url)


def test_a_store_that_was_brought_up_is_like_a_new_one(url: str, tmp_path: Path) -> None:
    version_3.make(url, results())
    Store(url).close()
    new = f"sqlite:///{tmp_path}/new.sqlite"
    Store(new).close()
    assert schema(url) == schema(new)
    assert triggers(tmp_path / "results.sqlite") == triggers(tmp_path / "new.sqlite") != []


def triggers(file: Path) -> list[tuple[str, str]]:
    """What keeps evidence from being changed."""
    with sqlite3.connect(file) as database:
        return sorted(database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))


def test_a_store_of_version_1_is_kept_and_goes_on(url: str, tmp_path: Path) -> None:
    version_3.make(url, [result("old")])
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        for table in ("touches", "deployments", "samples", "tallies", "probers", "figures"):
            database.execute(f"DROP TABLE {table}")
        database.execute("DROP INDEX runs_by_recording")
        for column in ("source", "recorded_at"):
            database.execute(f"ALTER TABLE runs DROP COLUMN {column}")
        database.execute("UPDATE ringgate_schema SET version = 1")
    store = Store(url)
    store.add(result("new", touched=frozenset({"a"}), started_at=NOON + timedelta(hours=1)))
    assert [(each.run_id, each.source) for each in store.results()] == [("old", Source.SUITE), ("new", Source.PROBE)]
    assert {each.run_id for _, each in store.recorded(None)} == {"old", "new"}
    assert store.usage() == {"a": {"time-entry over api": 1}}
    store.close()


def test_a_store_whose_bringing_up_fails_is_left_as_it_was(url: str, tmp_path: Path) -> None:
    version_3.make(url, results())
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        database.execute("UPDATE runs SET outcome = 'mended' WHERE run_id = 'r5'")
        before = list(database.iterdump())
    with pytest.raises(StoreError, match=r"results\.sqlite cannot be brought up to version \d+: run r5: .*mended"):
        Store(url)
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        assert list(database.iterdump()) == before


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("version", [6, 7])
def test_blocks_of_before_say_the_same(url: str, tmp_path: Path, packed: bool, version: int) -> None:
    """But for how long runs posted, which version 6 did not know."""
    store = Store(url)
    store.add(*results())
    kept = store.columns().in_order().records
    store.close()
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        for number, runs, data in database.execute("SELECT id, runs, data FROM run_blocks").fetchall():
            old = _as_before(np.frombuffer(data, RECORD), version)
            assert len(old) == runs
            told = zlib.compress(_by_columns(old)) if packed else old.tobytes()
            database.execute("UPDATE run_blocks SET packed = ?, data = ? WHERE id = ?", (packed, told, number))
        database.execute(f"UPDATE alembic_version SET version_num = '000{version}'")
        database.execute(f"UPDATE ringgate_schema SET version = {version}")
    store = Store(url)
    found = store.columns().in_order().records
    for name in found.dtype.names or ():
        lost = version == 6 and name == "posting"
        assert np.array_equal(found[name], np.zeros(len(kept)) if lost else kept[name]), name
    store.add(replace(result("new"), started_at=NOON + timedelta(hours=2)))
    assert len(store.columns()) == len(kept) + 1
    store.close()


def _as_before(records: np.ndarray, version: int) -> np.ndarray:
    """As versions 6 and 7 had them, with seconds as numbers that have a fraction."""
    posting = [("posting", "<i8")] if version == 7 else []
    old = np.empty(len(records), [("labels", "<u4"), ("shape", "<u4"), ("started", "<i8"), ("took", "<f8"),
                                  ("undoing", "<f8"), *posting])  # fmt: skip
    for name in old.dtype.names or ():
        old[name] = records[name] / (1e6 if name in ("took", "undoing") else 1)
    return old


def _by_columns(runs: np.ndarray) -> bytes:
    """As those versions packed them."""
    started = np.diff(runs["started"], prepend=np.int64(0))
    return b"".join((started if name == "started" else runs[name]).tobytes() for name in runs.dtype.names or ())


def test_there_is_one_migration_for_each_version() -> None:
    numbers = sorted(int(re.fullmatch(r"v(\d{4})_\w+\.py", each.name)[1]) for each in VERSIONS.glob("v*.py"))  # type: ignore[index]
    assert numbers == list(range(3, SCHEMA_VERSION + 1))
