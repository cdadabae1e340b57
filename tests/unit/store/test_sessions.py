"""What a session writes by Python's own SQLite is what `Store` would have written, and is read as `Store` reads it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringgate.domain.events import RunFinished, RunRecovered
from ringgate.domain.model import Deployment, Failure, RunResult, Step
from ringgate.domain.terms import Basis, Outcome, Source, StepKind
from ringgate.store import Store, StoreError
from ringgate.store.sessions import SqliteFile, session_store
from tests.unit.store.test_store import NOON, result

HOUR = timedelta(hours=1)
RESULTS = (
    result("r1", residue=()),
    result("r2", residue=(), session="suite", source=Source.SUITE, outcome=Outcome.PASSED, failure=None),
    result("r3", residue=(), session="suite", source=Source.SUITE, started_at=NOON + HOUR, ring="early", release="8.2"),
    result("r4", residue=(), session="suite", source=Source.SELF_TEST, started_at=NOON - HOUR),
    result("r5", session="", started_at=NOON + 2 * HOUR),  # with residue
    result("r6", residue=(), touched=frozenset({"consultant call login", "consultant read party.party"})),
    result("r7", residue=(), touched=frozenset({"consultant call login", "consultant read party.party"})),
    result("r8", residue=(), failure=Failure("amount", "off", "post", basis=Basis.POLICY), started_at=NOON + HOUR),
    result(
        "ra",
        residue=(),
        steps=(
            Step("post", 0.5, 0.25, Outcome.PASSED),
            Step("payroll", 1.0, 2.5, Outcome.PASSED, StepKind.ARRIVAL),
            Step("crm: late", 1.0, 0.0, Outcome.FAILED, StepKind.ARRIVAL),
            Step("payroll reversal: doubled", 4.0, 1.25, Outcome.FAILED, StepKind.ARRIVAL),
        ),
    ),
    result("r9", residue=(), outcome=Outcome.SKIPPED, failure=None, reason="not due", steps=(), server="7.0.42"),
)


def clock() -> datetime:
    return datetime(2026, 11, 28, 12, tzinfo=UTC)


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


@pytest.fixture
def files(tmp_path: Path) -> Iterator[tuple[Store, SqliteFile]]:
    """The same, written by each."""
    whole, other = tmp_path / "whole.sqlite", tmp_path / "session.sqlite"
    Store(f"sqlite:///{other}").close()
    store, session = Store(f"sqlite:///{whole}", clock), SqliteFile(other, clock)
    for each in RESULTS:
        store.on(RunFinished(each))
        session.on(RunFinished(each))
    yield store, session
    store.close()
    session.close()


def test_the_rows_are_the_same(files: tuple[Store, SqliteFile], tmp_path: Path) -> None:
    assert dump(tmp_path / "session.sqlite") == dump(tmp_path / "whole.sqlite")


@pytest.mark.parametrize(
    "asked",
    [
        {}, {"session": "suite"}, {"session": "nobody"}, {"since": NOON + HOUR}, {"until": NOON}, {"newest": 2},
        {"outcomes": [Outcome.PASSED]}, {"since": NOON, "until": NOON + HOUR, "outcomes": list(Outcome), "newest": 3},
    ],
    ids=str,
)  # fmt: skip
def test_the_same_is_read(files: tuple[Store, SqliteFile], asked: dict[str, object]) -> None:
    store, session = files
    assert session.results(**asked) == store.results(**asked)  # type: ignore[arg-type]


def test_deployments_are_read(files: tuple[Store, SqliteFile], tmp_path: Path) -> None:
    assert files[1].deployments() == []
    noted = Deployment(id="d1", at=NOON, ring="canary", release="8.2", tenants=("aldgate",), note="", by="ci")
    with closing(Store(f"sqlite:///{tmp_path}/session.sqlite")) as store:
        store.deployed(noted)
    assert files[1].deployments() == [noted]


def test_what_is_taken_back_later_is_no_longer_left(files: tuple[Store, SqliteFile], tmp_path: Path) -> None:
    with closing(Store(f"sqlite:///{tmp_path}/session.sqlite")) as store:
        assert store.left_behind()
        files[1].on(RunRecovered("r5", "aldgate", NOON, undone=1))
        assert store.left_behind() == []


def test_a_result_is_never_counted_twice(files: tuple[Store, SqliteFile]) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        files[1].on(RunFinished(replace(RESULTS[0], session="other")))
    assert len(files[1].results()) == len(RESULTS)
    assert files[1].results(session="other") == []


def test_a_file_that_is_gone_is_told_and_one_that_was_replaced_is_read(
    files: tuple[Store, SqliteFile], tmp_path: Path
) -> None:
    session, file = files[1], tmp_path / "session.sqlite"
    assert len(session.results()) == len(RESULTS)
    for name in ("session.sqlite", "session.sqlite-wal", "session.sqlite-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(StoreError, match="its file is gone"):
        session.results()
    Store(f"sqlite:///{file}").close()
    assert session.results() == []


def test_what_is_no_file_of_this_version_is_left_to_the_store(tmp_path: Path) -> None:
    new = tmp_path / "new.sqlite"
    with closing(session_store(f"sqlite:///{new}")) as store:
        assert isinstance(store, Store)
    with closing(session_store(f"sqlite:///{new}")) as store:
        assert isinstance(store, SqliteFile)
    with closing(sqlite3.connect(new)) as connection, connection:
        connection.execute("INSERT INTO ringgate_schema VALUES (99)")
    with pytest.raises(StoreError, match="newer than"):
        session_store(f"sqlite:///{new}")
    (tmp_path / "text.sqlite").write_text("no database, but a text that is long enough to be taken for one" * 9)
    with pytest.raises(StoreError):
        session_store(f"sqlite:///{tmp_path}/text.sqlite")


def test_a_session_does_without_sqlalchemy(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/results.sqlite"
    Store(url).close()
    said = (
        "import sys; from ringgate.store.sessions import session_store\n"
        f"store = session_store({url!r}); store.results(); store.deployments(); store.close()\n"
        "print('sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_results_of_several_threads_are_all_kept(files: tuple[Store, SqliteFile]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def keep(number: int) -> RunResult:
        each = result(f"t{number}", residue=(), session="threads")
        files[1].on(RunFinished(each))
        return each

    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(keep, range(20)))
    assert {each.run_id for each in files[1].results(session="threads")} == {each.run_id for each in kept}


def test_how_long_each_document_was_on_its_way_is_a_sample(files: tuple[Store, SqliteFile]) -> None:
    store, _ = files
    assert [(each.signal, each.value, each.tenant, each.at - NOON) for each in store.samples()] == [
        ("integration-lag/payroll", 2.5, "aldgate", timedelta(seconds=3.5)),
        ("integration-lag/payroll", 1.25, "aldgate", timedelta(seconds=5.25)),
    ]
