"""`ringgate evidence list|show|verify`, and what notes evidence: `ringgate gate`, `ringgate event deploy`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ringgate import cli
from ringgate.evidence import EvidenceChain, this_actor
from ringgate.store import Store
from tests.unit.cli.test_gate import _now, fill, gate, place, ring  # noqa: F401 - fixtures

# ruff: noqa: F811 - parameters are named as the fixtures that they are


@pytest.fixture
def judged(fill: Callable[..., str], ring: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The URL of a store in which a pass was noted."""
    url = fill()
    assert gate(ring, url) == 0
    capsys.readouterr()
    return url


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert cli.run(["evidence", *words]) == code
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return out + err


def test_a_verdict_is_noted_with_its_digests(judged: str, capsys: pytest.CaptureFixture[str]) -> None:
    listed = told(capsys, "list", "--results", judged)
    assert "verdict" in listed
    assert "pass" in listed
    entry = json.loads(told(capsys, "show", "1", "--results", judged))
    assert (entry["kind"], entry["release"], entry["body"]["verdict"]) == ("verdict", "8.0", "pass")
    assert sorted(entry["body"]["digests"]) == ["code", "inventory", "policy", "results"]
    assert entry["body"]["results"]["runs"] > 100
    assert entry["by"]["host"] == this_actor().host
    store = Store(judged)
    assert store.stats()["retention_holds"] == 1
    store.close()


def test_the_same_results_give_the_same_digests(
    judged: str,
    ring: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gate(ring, judged)
    capsys.readouterr()
    one, two = (json.loads(told(capsys, "show", number, "--results", judged))["body"] for number in ("1", "2"))
    assert one["digests"] == two["digests"]


def test_a_verdict_is_not_noted_where_nobody_wants_it(
    fill: Callable[..., str],
    ring: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = fill()
    assert gate(ring, url, "--no-keep") == 0
    capsys.readouterr()
    assert "No evidence was noted" in told(capsys, "list", "--results", url)


def test_a_pass_that_cannot_be_noted_is_none(
    fill: Callable[..., str],
    ring: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = fill()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TRIGGER full BEFORE INSERT ON evidence BEGIN SELECT RAISE(ABORT, 'full'); END"))
    engine.dispose()
    assert gate(ring, url) == 2
    assert "the verdict was not noted as evidence: the result store" in capsys.readouterr().err


def test_a_deployment_is_noted(judged: str, ring: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["event", "deploy", "--ring", ring, "--release", "8.1", "--by", "grace", "--results", judged]
    assert cli.run(words) == 0
    capsys.readouterr()
    entries = json.loads(
        told(capsys, "list", "--release", "8.1", "--kind", "deployment", "--json", "--results", judged)
    )
    assert [each["body"]["by"] for each in entries] == ["grace"]


def test_evidence_that_is_as_it_was_ends_with_0(judged: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, "verify", "--results", judged)
    assert "The evidence is as it was written: 1 entry." in said
    head = said.split()[-1]
    assert told(capsys, "verify", "--head", head, "--results", judged)
    assert json.loads(told(capsys, "verify", "--json", "--results", judged))["ok"] is True


def test_evidence_that_was_changed_ends_with_1(judged: str, capsys: pytest.CaptureFixture[str]) -> None:
    engine = create_engine(judged)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER evidence_no_update"))
        connection.execute(text("UPDATE evidence SET entry = replace(entry, 'pass', 'fail')"))
    engine.dispose()
    said = told(capsys, "verify", "--results", judged, code=1)
    assert "error: entry 1 was changed: its text does not have its digest." in said
    assert "Note this elsewhere" not in said


def test_a_record_whose_facts_are_not_there_ends_with_1(
    judged: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "state" / "rehearsals" / "demo"
    folder.mkdir(parents=True)
    (folder / "record.json").write_text("{}")
    said = told(capsys, "verify", "--results", judged, code=1)
    assert "record.json" in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["list", "--kind", "guess"], "there is no such kind of evidence: guess"),
        (["show", "9"], "there is no entry 9"),
        (["verify", "--head", "9"], "--head must be as"),
    ],
)
def test_wrong_use_is_3(judged: str, capsys: pytest.CaptureFixture[str], words: list[str], why: str) -> None:
    assert why in told(capsys, *words, "--results", judged, code=3)


def test_the_actor_is_the_ci_users_where_there_is_one(tmp_path: Path) -> None:
    actor = this_actor({"GITHUB_ACTOR": "ada"}, tmp_path)
    assert (actor.user, actor.commit, len(actor.code)) == ("ada", "", 64)


def test_evidence_is_read_back_as_it_was_noted(judged: str) -> None:
    store = Store(judged)
    assert EvidenceChain(store, this_actor()).entries()[0].body["document"]["format"] == 1
    store.close()


def test_a_release_is_packed_and_the_pack_is_verified(
    judged: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(capsys, "pack", "8.0", "--results", judged)
    assert "pack.zip: the evidence of 8.0, signed with SHA256:" in said
    (tmp_path / "own.pub").write_text(said.strip().split(": ")[-1])
    assert oct((tmp_path / "state" / "evidence" / "signing-key").stat().st_mode)[-3:] == "600"
    checked = told(capsys, "verify", "pack.zip", "--key", "own.pub")
    assert "pack.zip is as it was made: 8.0, PASSED; 3 statements" in checked
    assert "give it to --key" in told(capsys, "verify", "pack.zip")
    content = bytearray((tmp_path / "pack.zip").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "pack.zip").write_bytes(content)
    assert "pack.zip is not as it was made" in told(capsys, "verify", "pack.zip", "--key", "own.pub", code=1)
    assert json.loads(told(capsys, "verify", "pack.zip", "--json", code=1))["ok"] is False
    assert "there is no evidence of typo" in told(capsys, "pack", "typo", "--results", judged, code=2)
    assert "nowhere.zip cannot be read" in told(capsys, "verify", "nowhere.zip", code=3)
