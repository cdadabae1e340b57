"""Rights that a release has for a time: granted, taken back whatever happens, looked at, and kept as evidence."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest

from ringgate.evidence import EvidenceChain, EvidenceKind, this_actor
from ringgate.rollout.elevation_tables import ElevationTable
from ringgate.rollout.elevations import ElevationError, Elevations, elevations_of, place_of, with_rights
from ringgate.store import Store

RIGHTS = """#!/bin/sh
echo "$1 $2" >> log
case "$1" in
grant) test ! -e "refuse-$2" || { echo "no such user" >&2; exit 1; }; touch "has-$2" ;;
revoke) test -e "lies-$2" || rm -f "has-$2" ;;
look) if test -e "odd-$2"; then echo perhaps; elif test -e "has-$2"; then echo granted; else echo revoked; fi ;;
esac
"""


def right(name="migration-user", **more):
    return ElevationTable.model_validate(
        {
            "name": name, "owner": "erp-operations", "reason": "it migrates tables", "ends": "2 h",
            "grant": ["./rights.sh", "grant", name], "revoke": ["./rights.sh", "revoke", name],
            "check": ["./rights.sh", "look", name], **more,
        }
    )  # fmt: skip


class Firm:
    """Where rights are granted for real: by a program that keeps a file for each."""

    def __init__(self, folder):
        self.folder, self.noted = folder, []
        (folder / "rights.sh").write_text(RIGHTS)
        (folder / "rights.sh").chmod(0o755)

    def has(self, name="migration-user"):
        return (self.folder / f"has-{name}").exists()

    def mark(self, what):
        (self.folder / what).touch()

    def rights(self, *tables):
        note = lambda table, action, why: self.noted.append((table.name, action, why))  # noqa: E731
        return Elevations(tables or (right(),), self.folder, self.folder / "granted.json", note)


@pytest.fixture
def firm(tmp_path):
    return Firm(tmp_path)


def test_a_right_is_there_while_the_work_is_done_and_gone_afterwards(firm):
    with firm.rights():
        assert firm.has()
    assert not firm.has()
    assert firm.noted == [
        ("migration-user", "granted", "it migrates tables"), ("migration-user", "revoked", "the work is over")
    ]  # fmt: skip


def test_it_is_taken_back_when_the_work_goes_wrong(firm):
    with pytest.raises(RuntimeError, match="a bug"), firm.rights():
        raise RuntimeError("a bug")
    assert not firm.has()


def test_what_a_killed_process_had_is_taken_back_before_anything_is_granted_again(firm):
    firm.rights()._grant(right())  # and killed
    with firm.rights():
        assert firm.has()
    log = [line.split()[0] for line in (firm.folder / "log").read_text().splitlines()]
    assert log == ["grant", "look", "revoke", "look", "grant", "look", "revoke", "look"]
    assert ("migration-user", "revoked", "left by a process that was ended") in firm.noted


def test_a_right_ends_while_the_work_goes_on(firm):
    gone, rights = threading.Event(), firm.rights(right().model_copy(update={"ends": timedelta(seconds=0.1)}))
    rights._note = lambda table, action, why: gone.set() if action == "revoked" and "time" in why else None
    with rights:
        assert gone.wait(20)
        assert not firm.has()


def test_one_that_is_not_gone_is_told_with_who_must_take_it_back_and_stays_known(firm):
    with pytest.raises(ElevationError, match="still granted; erp-operations must take it back"), firm.rights():
        firm.mark("lies-migration-user")
    assert firm.noted[-1][1] == "still granted"
    assert firm.rights().granted() == {"migration-user"}
    (firm.folder / "lies-migration-user").unlink()
    assert firm.rights().revoke("asked for") == ["migration-user"]
    assert not firm.has()


def test_where_one_cannot_be_granted_the_others_are_taken_back(firm):
    firm.mark("refuse-token")
    with pytest.raises(ElevationError, match=r"token could not be granted: \./rights\.sh ended with 1: no such user"):
        firm.rights(right(), right("token")).__enter__()
    assert not firm.has()


def test_a_check_that_says_neither_is_no_check(firm):
    firm.mark("odd-migration-user")
    with pytest.raises(ElevationError, match='said "perhaps", and neither granted nor revoked'):
        firm.rights().__enter__()


def test_one_that_the_release_does_not_name_any_more_is_told(firm):
    firm.rights()._grant(right())
    with pytest.raises(ElevationError, match="the release does not name it any more: take it back by hand"):
        firm.rights(right("token")).revoke("asked for")


def test_what_is_still_granted_stands_in_the_record_and_all_of_it_is_evidence(firm, tmp_path):
    record = SimpleNamespace(left=[], session="s1", starts=1)
    ledger = SimpleNamespace(record=record, folder=tmp_path / "kept", write=lambda: None)
    release = SimpleNamespace(
        table=SimpleNamespace(elevations=[right()]), path=tmp_path / "release.toml", id="tryton-8-0"
    )
    url = f"sqlite:///{tmp_path}/results.sqlite"

    def work():
        firm.mark("lies-migration-user")
        return record

    rights = elevations_of(release, ledger, lambda: Store(url), this_actor())
    assert with_rights(rights, ledger, work).left == [
        "migration-user was taken back, and its check says that it is still granted; erp-operations must take it back."
    ]
    assert place_of(ledger.folder).exists()
    store = Store(url)
    entries = EvidenceChain(store, this_actor()).entries(release="tryton-8-0")
    store.close()
    assert [(each.kind, each.body["action"]) for each in entries] == [
        (EvidenceKind.ELEVATION, "granted"), (EvidenceKind.ELEVATION, "still granted")
    ]  # fmt: skip
    assert not any("rights.sh" in str(each.body) for each in entries)
