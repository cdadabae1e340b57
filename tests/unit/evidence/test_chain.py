"""A chain of evidence: added to by several, killed while it is written, on a full disk, and changed by somebody."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ringgate.evidence import ChainHead, EvidenceChain, EvidenceKind, EvidenceUnreadable, NewEvidence
from ringgate.evidence.entry import FIRST, entry_of
from ringgate.evidence.witness import ChainWitness
from ringgate.host import secrets
from ringgate.store import EvidenceRow, Store, StoreError
from tests.unit.evidence.chains import (
    BY,
    ROOT,
    WRITER,
    chain_in,
    check_killed_writers,
    check_nothing_is_changed,
    check_two_writers,
    fact,
)

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/results.sqlite"


@pytest.fixture
def chain(url: str, tmp_path: Path):
    store = Store(url)
    yield EvidenceChain(store, BY, witness=ChainWitness(store.address, tmp_path / "seen"), clock=lambda: NOON)
    store.close()


def test_the_text_of_an_entry_is_as_the_documentation_says(chain: EvidenceChain) -> None:
    entry = chain.append(fact("k1", runs=3))[0]
    assert entry.text == (
        '{"at":"2026-11-28T12:00:00.000000Z","body":{"action":"promote","runs":3},"by":{"code":"' + "0" * 64
        + '","commit":"c0ffee","host":"build-7","user":"ada","version":"0.1.0"},"form":1,"key":"k1","kind":"decision",'
        '"number":1,"previous":"' + "0" * 64 + '","release":"8.0.3","ring":"canary"}'
    )  # fmt: skip


def test_each_entry_names_the_one_before_it(chain: EvidenceChain) -> None:
    one, two = chain.append(fact("k1"), fact("k2"))
    three = chain.append(fact("k3"))[0]
    assert (one.previous, two.previous, three.previous) == (FIRST, one.digest, two.digest)
    assert chain.entries() == [one, two, three]
    report = chain.verify()
    assert (report.holds, report.entries, report.head) == (True, 3, ChainHead(3, three.digest))


def test_a_fact_is_noted_once(chain: EvidenceChain) -> None:
    chain.append(fact("k1"))
    assert [each.key for each in chain.append(fact("k1", runs=4), fact("k2"))] == ["k2"]
    assert [each.body for each in chain.entries()] == [{"action": "promote"}] * 2


def test_entries_are_found_by_release_kind_and_key(chain: EvidenceChain) -> None:
    chain.append(fact("k1"), NewEvidence(EvidenceKind.END, "k2", "9"))
    assert [each.key for each in chain.entries(release="9")] == ["k2"]
    assert [each.key for each in chain.entries(kinds=[EvidenceKind.DECISION])] == ["k1"]
    assert [each.key for each in chain.entries(keys=["k2", "k7"])] == ["k2"]


def test_no_secret_is_noted(chain: EvidenceChain) -> None:
    secrets.hide("hunter22")
    chain.append(fact("k1", told=["login failed for hunter22", {"hunter22": 1}]))
    assert "hunter22" not in chain.entries()[0].text
    assert chain.verify().holds


def test_what_was_changed_is_found(url: str, tmp_path: Path) -> None:
    check_nothing_is_changed(url, tmp_path / "seen")


def test_a_change_with_a_digest_to_fit_is_found_at_the_next_entry(chain: EvidenceChain, url: str) -> None:
    chain.append(fact("k1"), fact("k2"), fact("k3"))
    old = chain.entries()[1]
    forged = json.loads(old.text) | {"body": {"action": "pause"}}
    row = entry_of(EvidenceRow(2, "k2", "decision", "8.0.3", "canary", json.dumps(forged), "")).row
    _forced(url, "UPDATE evidence SET entry = :entry, digest = :digest WHERE number = 2",
            {"entry": row.entry, "digest": row.digest})  # fmt: skip
    assert chain.verify().problems == ("entry 3 does not follow entry 2: one of them was put there",)


def test_an_end_that_was_cut_off_is_found_by_what_this_machine_saw(chain: EvidenceChain, url: str) -> None:
    chain.append(fact("k1"), fact("k2"))
    head = chain.verify().head
    assert head
    _forced(url, "DELETE FROM evidence WHERE number = 2")
    words = f"entry 2 with the digest {head.digest[:16]}... was seen, and the store ends with 1"
    assert chain.verify().problems == (words,)
    chain.append(fact("k3"))
    assert chain.verify().problems == (words.replace("the store ends with 1", "another one stands there"),)
    chain.append(fact("k4"))
    assert chain.verify().problems == (words.replace("the store ends with 1", "another one stands there"),)


def test_a_chain_that_was_replaced_whole_is_found_by_a_head_noted_elsewhere(url: str, tmp_path: Path) -> None:
    store, chain = chain_in(url, tmp_path / "one")
    chain.append(fact("k1"))
    head = chain.verify().head
    store.close()
    other, forged = chain_in(f"sqlite:///{tmp_path}/other.sqlite", tmp_path / "two")
    forged.append(fact("k1", runs=1))
    assert forged.verify().holds
    assert not forged.verify(head).holds
    other.close()


def test_a_start_without_an_end_is_said(chain: EvidenceChain) -> None:
    def start(session: str, number: int) -> NewEvidence:
        return NewEvidence(EvidenceKind.START, f"{session}/start/{number}", "8.0.3", body={"session": session})

    chain.append(start("s1", 1), start("s1", 2), start("s2", 1))
    chain.append(NewEvidence(EvidenceKind.END, "s1/end", "8.0.3", body={"session": "s1"}))
    report = chain.verify()
    assert report.holds
    assert report.remarks == (
        "entry 1, the start of 8.0.3 at 2026-11-28 12:00 UTC by ada, has no end: it was cut off, and gone on with by "
        "entry 2",
        "entry 3, the start of 8.0.3 at 2026-11-28 12:00 UTC by ada, has no end: it was abandoned, or is still at work",
    )


def test_an_entry_of_a_later_form_is_not_guessed_at(chain: EvidenceChain) -> None:
    row = chain.append(fact("k1"))[0].row
    later = EvidenceRow(1, "k1", "decision", "8.0.3", "canary", row.entry.replace('"form":1', '"form":2'), "")
    with pytest.raises(EvidenceUnreadable, match="entry 1 is of form 2, which this version cannot read"):
        entry_of(later)


def test_two_writers_at_once_make_one_chain(url: str, tmp_path: Path) -> None:
    check_two_writers(url, tmp_path / "seen")


def test_writers_that_are_killed_leave_a_chain_with_all_that_they_noted(url: str, tmp_path: Path) -> None:
    check_killed_writers(url, tmp_path / "seen")


def test_on_a_full_disk_nothing_is_half_noted_and_it_is_said(url: str, tmp_path: Path) -> None:
    Store(url).close()

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))  # bytes of any one file
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    words = [sys.executable, "-c", WRITER, url, str(tmp_path / "seen"), "full", "10000"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=small)
    assert done.returncode == 1
    assert "StoreError: the result store" in done.stderr
    store, chain = chain_in(url, tmp_path / "seen")
    report = chain.verify()
    assert report.problems == ()
    noted = int(done.stdout.splitlines()[-1]) + 1
    assert report.entries == 2 * noted
    chain.append(fact("room again"))
    assert chain.verify().holds
    store.close()


def test_a_database_that_has_no_room_says_so(chain: EvidenceChain) -> None:
    with chain._store._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(StoreError, match="cannot be written: database or disk is full"):
        chain.append(*(fact(f"k{number}", told="x" * 4_000) for number in range(50)))
    assert chain.verify().entries == 0


def _forced(url: str, statement: str, values: dict[str, str] | None = None) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for name in ("evidence_no_update", "evidence_no_delete"):
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        connection.execute(text(statement), values or {})
    engine.dispose()
