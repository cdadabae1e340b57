"""A pack is one signed file; another party's verifier accepts its statements, and no changed byte passes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from securesystemslib.exceptions import VerificationError

from ringgate.evidence.pack import PackRefused, zipped
from ringgate.evidence.pack_check import checked_pack
from ringgate.evidence.signing import SigningKey
from ringgate.host import secrets
from tests.unit.evidence.packs import GRACE, KEY, files_of, foreign, pack_of


@pytest.fixture
def pack(tmp_path: Path) -> bytes:
    return pack_of(tmp_path)


def test_a_pack_is_as_it_was_made(pack: bytes) -> None:
    report = checked_pack(pack, [KEY.public])
    assert report.problems == ()
    assert (report.release, report.signer, report.result) == ("tryton-8-0", KEY.public.fingerprint, "PASSED")
    assert (report.statements, report.entries) == (7, 7)  # 2 test results, 3 others, summary, manifest


def test_the_same_evidence_and_key_give_the_same_bytes(pack: bytes, tmp_path: Path) -> None:
    assert zipped(files_of(pack)) == pack


def test_another_partys_verifier_accepts_every_statement(pack: bytes) -> None:
    bundles = {name: content for name, content in files_of(pack).items() if name.endswith(".sigstore.json")}
    said = {name.split("/")[-1]: foreign(content) for name, content in bundles.items()}
    assert {each["_type"] for each in said.values()} == {"https://in-toto.io/Statement/v1"}
    kinds = sorted(each["predicateType"] for each in said.values())
    assert kinds == [
        "https://in-toto.io/attestation/test-result/v0.1", "https://in-toto.io/attestation/test-result/v0.1",
        "https://slsa.dev/verification_summary/v1", "urn:ringgate:approval:v1", "urn:ringgate:fingerprint:v1",
        "urn:ringgate:manifest:v1", "urn:ringgate:waiver:v1",
    ]  # fmt: skip
    assert {json.loads(content)["mediaType"] for content in bundles.values()} == {
        "application/vnd.dev.sigstore.bundle.v0.3+json"
    }
    assert said["summary.sigstore.json"]["predicate"]["policy"]["digest"] == {"sha256": "a" * 64}
    result = next(each for name, each in said.items() if "test-result-canary" in name)["predicate"]
    assert (result["result"], result["passedTests"]) == ("PASSED", ["aldgate upgrade"])


def test_another_partys_verifier_refuses_what_was_changed(pack: bytes) -> None:
    """A sample; every byte is changed in tests/deploy."""
    content = files_of(pack)["summary.sigstore.json"]
    bundle = json.loads(content)
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"]).replace(b"PASSED", b"FAILED")
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(VerificationError):
        foreign(json.dumps(bundle).encode())


def test_a_changed_byte_anywhere_is_found(pack: bytes) -> None:
    """A sample of places, the ends among them; every byte is changed in tests/deploy."""
    places = {0, 1, len(pack) // 2, len(pack) - 2, len(pack) - 1, *range(7, len(pack), len(pack) // 150)}
    missed = [place for place in sorted(places) if checked_pack(_changed(pack, place), [KEY.public]).holds]
    assert missed == []


def test_what_is_added_removed_or_cut_off_is_found(pack: bytes) -> None:
    files = files_of(pack)
    approval = next(name for name in files if "approval" in name)
    for changed in (
        pack + b"\n", pack[:-1], pack[1:], b"", b"PK",
        zipped(files | {"more.txt": b"x"}), zipped({name: each for name, each in files.items() if name != approval}),
        zipped(files | {"releases.json": files["releases.json"].replace(b"other-1", b"other-2")}),
    ):  # fmt: skip
        assert not checked_pack(changed, [KEY.public]).holds
    less = checked_pack(zipped({name: each for name, each in files.items() if name != approval}), [KEY.public])
    assert less.problems == (f"{approval} is not in it",)


def test_a_pack_that_somebody_else_signed_anew_is_found_by_who_knows_the_key(tmp_path: Path, pack: bytes) -> None:
    report = checked_pack(pack, [SigningKey.new().public])
    assert report.problems == (f"it is signed with {KEY.public.fingerprint}, which is none of the given keys",)
    assert not checked_pack(pack, [GRACE.public]).holds  # an approver's key is not the pack's


def test_an_inconclusive_ring_has_no_test_result_and_the_summary_does_not_pass(tmp_path: Path) -> None:
    files = files_of(pack_of(tmp_path, early="inconclusive"))
    assert [name for name in files if "test-result" in name and "early" in name] == []
    summary = foreign(files["summary.sigstore.json"])["predicate"]
    assert summary["verificationResult"] == "FAILED"
    assert [(each["ring"], each["verdict"]) for each in summary["verdicts"]] == [
        ("canary", "pass"), ("early", "inconclusive"),
    ]  # fmt: skip


def test_a_ring_that_failed_says_so_with_its_reasons(tmp_path: Path) -> None:
    files = files_of(pack_of(tmp_path, early="fail"))
    result = foreign(next(each for name, each in files.items() if "test-result-early" in name))["predicate"]
    assert (result["result"], result["failedTests"]) == ("FAILED", ["kyoto: a step was slow to tell"])


def test_every_release_is_named_so_that_a_missing_one_shows(pack: bytes) -> None:
    releases = json.loads(files_of(pack)["releases.json"])
    assert [(each["release"], each["entries"]) for each in releases] == [("other-1", 1), ("tryton-8-0", 7)]
    assert "other-1" not in files_of(pack)["evidence.jsonl"].decode()


def test_no_secret_comes_into_a_pack(tmp_path: Path) -> None:
    secrets.hide("hunter22")
    content = pack_of(tmp_path, told="login failed for hunter22")
    every = b"".join(files_of(content).values())
    for name, each in files_of(content).items():
        if name.endswith(".sigstore.json"):
            every += base64.b64decode(json.loads(each)["dsseEnvelope"]["payload"])
    assert b"login failed for ***" in every
    assert b"hunter22" not in every


def test_a_secret_that_came_to_be_known_later_is_not_packed(tmp_path: Path) -> None:
    pack_of(tmp_path, told="login failed for hunter22")
    secrets.hide("hunter22")
    with pytest.raises(PackRefused, match="holds a secret that is known by now"):
        pack_of(tmp_path, told="login failed for hunter22")


def test_a_release_without_evidence_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(PackRefused, match="there is no evidence of typo; there is of: other-1, tryton-8-0"):
        pack_of(tmp_path, release="typo")


def _changed(content: bytes, place: int) -> bytes:
    found = bytearray(content)
    found[place] ^= 0x20
    return bytes(found)
