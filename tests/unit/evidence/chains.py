"""What holds for evidence in any database: called for SQLite here, and for PostgreSQL in tests/erp."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from sqlalchemy import create_engine, text

from ringgate.evidence import EvidenceActor, EvidenceChain, EvidenceKind, NewEvidence
from ringgate.evidence.witness import ChainWitness
from ringgate.store import Store

BY = EvidenceActor("ada", "build-7", "c0ffee", "0.1.0", "0" * 64)
ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from pathlib import Path
from tests.unit.evidence.chains import chain_in, fact
store, chain = chain_in(sys.argv[1], Path(sys.argv[2]))
for number in range(int(sys.argv[4])):
    chain.append(fact(f"{sys.argv[3]}-{number}"), fact(f"{sys.argv[3]}-{number}-b"))
    print(number, flush=True)
"""


def fact(key: str, **body: object) -> NewEvidence:
    return NewEvidence(EvidenceKind.DECISION, key, "8.0.3", "canary", {"action": "promote", **body})


def chain_in(url: str, folder: Path) -> tuple[Store, EvidenceChain]:
    store = Store(url)
    return store, EvidenceChain(store, BY, witness=ChainWitness(store.address, folder))


def writer(url: str, folder: Path, name: str, number: int) -> subprocess.Popen[str]:
    """A process that notes so many pairs of facts, and prints the number of each pair that it has noted."""
    words = [sys.executable, "-c", WRITER, url, str(folder), name, str(number)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def check_two_writers(url: str, folder: Path) -> None:
    Store(url).close()
    both = [writer(url, folder, name, 30) for name in ("a", "b")]
    told = [each.communicate(timeout=60) for each in both]
    assert [each.returncode for each in both] == [0, 0], told
    store, chain = chain_in(url, folder)
    report = chain.verify()
    store.close()
    assert (report.problems, report.entries) == ((), 120)


def check_killed_writers(url: str, folder: Path) -> None:
    """Killed at any moment: what was said to be noted is there, in pairs, and the next one goes on."""
    Store(url).close()
    noted: list[str] = []
    for round_ in range(2):
        process = writer(url, folder, f"r{round_}", 10_000)
        assert process.stdout is not None
        for _ in range(3 + 4 * round_):
            noted.append(f"r{round_}-{process.stdout.readline().strip()}")
        os.kill(process.pid, signal.SIGKILL)
        rest = process.communicate()[0].split("\n")[:-1]  # what comes after the last line break was cut off
        noted += [f"r{round_}-{line}" for line in rest]
    store, chain = chain_in(url, folder)
    report = chain.verify()
    keys = {each.key for each in chain.entries()}
    store.close()
    assert report.problems == ()
    assert set(noted) <= keys
    assert {key for key in keys if not key.endswith("-b")} == {key[:-2] for key in keys if key.endswith("-b")}


def check_nothing_is_changed(url: str, folder: Path) -> None:
    """The database refuses; and where it is made not to, each change of each column is found."""
    store, chain = chain_in(url, folder)
    for number in range(1, 6):
        chain.append(fact(f"k{number}"))
    assert chain.verify().holds
    engine = create_engine(url)
    for change in ("UPDATE evidence SET kind = 'end' WHERE number = 2", "DELETE FROM evidence WHERE number = 5"):
        try:
            with engine.begin() as connection:
                connection.execute(text(change))
        except Exception as error:
            assert "evidence is only added to" in str(error)  # noqa: PT017 - of two databases
        else:
            raise AssertionError(f"{change} was not refused")
    postgresql = engine.dialect.name == "postgresql"
    drop = "DROP TRIGGER {}" + (" ON evidence" if postgresql else "")
    with engine.begin() as connection:
        for name in ("evidence_no_change",) if postgresql else ("evidence_no_update", "evidence_no_delete"):
            connection.execute(text(drop.format(name)))
    check_each_change(engine, chain)
    engine.dispose()
    store.close()


def check_each_change(engine, chain: EvidenceChain) -> None:
    def done(*statements: str) -> None:
        with engine.begin() as connection:
            for each in statements:
                connection.execute(text(each))

    at3 = "WHERE number = 3"
    for column, other in (
        ("kind", "'end'"), ("release", "'8.0.4'"), ("ring", "''"), ("key", "'k9'"), ("digest", f"'{'1' * 64}'"),
        ("entry", "replace(entry, 'promote', 'pause')"), ("entry", "'{}'"), ("number", "30"),
    ):  # fmt: skip
        with engine.connect() as connection:
            before = connection.execute(text(f"SELECT * FROM evidence {at3}")).one()._mapping
        done(f"UPDATE evidence SET {column} = {other} {at3}")
        problems = chain.verify().problems
        assert problems, column
        with engine.begin() as connection:
            number = 30 if column == "number" else 3
            connection.execute(text(f"UPDATE evidence SET {column} = :old WHERE number = {number}"),
                               {"old": before[column]})  # fmt: skip
        assert chain.verify().holds
    done(f"DELETE FROM evidence {at3}")
    assert chain.verify().problems[0] == "entry 3 is missing"
    done("UPDATE evidence SET number = number - 1 WHERE number = 4", "UPDATE evidence SET number = 4 WHERE number = 5")
    assert any("does not follow" in each or "was changed" in each for each in chain.verify().problems)
