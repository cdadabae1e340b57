"""What a pack states about a release: in-toto statements, each in a Sigstore bundle of its own.

Predicates of others: a ring's verdict is https://in-toto.io/attestation/test-result/v0.1, the summary is
https://slsa.dev/verification_summary/v1. Ringgate's own are `urn:ringgate:fingerprint:v1`, `...waiver:v1`,
`...approval:v1` and `...manifest:v1`. A bundle is `application/vnd.dev.sigstore.bundle.v0.3+json` with a public key's
fingerprint as its hint and one signature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringgate.evidence.canonical import digest_of
from ringgate.evidence.entry import EvidenceEntry, EvidenceKind
from ringgate.evidence.signing import SigningKey, VerifyingKey, statement

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
SUMMARY = "https://slsa.dev/verification_summary/v1"
FINGERPRINT = "urn:ringgate:fingerprint:v1"
WAIVER = "urn:ringgate:waiver:v1"
MANIFEST = "urn:ringgate:manifest:v1"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"

_RESULTS = {"pass": "PASSED", "fail": "FAILED"}
"""An inconclusive verdict is no result of a test: nothing is stated of it but in the summary."""


def bundle(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """A Sigstore bundle around a DSSE envelope with one signature."""
    return {
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": envelope["signatures"][0]["keyid"]}, "tlogEntries": []},
        "dsseEnvelope": dict(envelope),
    }


def statements_of(entries: Sequence[EvidenceEntry], key: SigningKey) -> dict[str, dict[str, Any]]:
    """The bundles by the name of their file, without the summary. Approvals are their makers' own."""
    found: dict[str, dict[str, Any]] = {}
    for each in _newest(entries):
        number = f"{each.number:06}"
        if each.kind is EvidenceKind.VERDICT and each.body["verdict"] in _RESULTS:
            found[f"{number}-test-result-{each.ring}"] = bundle(key.sign(_test_result(each)))
        elif each.kind is EvidenceKind.STAGE and each.body.get("stage") == "fingerprint":
            name = f"{number}-fingerprint-{each.body['tenant']}"
            found[name] = bundle(key.sign(statement(_subject(each), FINGERPRINT, _about(each))))
        elif each.kind is EvidenceKind.WAIVER:
            found[f"{number}-waiver"] = bundle(key.sign(statement(_subject(each), WAIVER, _about(each))))
        elif each.kind is EvidenceKind.APPROVAL:
            found[f"{number}-approval-{each.ring}"] = bundle(each.body["envelope"])
    return {f"statements/{name}.sigstore.json": each for name, each in found.items()}


def keys_of(entries: Sequence[EvidenceEntry], own: VerifyingKey) -> list[VerifyingKey]:
    """Of all who signed: the pack's, and the approvers'."""
    lines = {own.line, *(str(each.body["key"]) for each in entries if each.kind is EvidenceKind.APPROVAL)}
    return [VerifyingKey.read(line) for line in sorted(lines)]


def summary_of(release: str, entries: Sequence[EvidenceEntry], inputs: Mapping[str, str]) -> dict[str, Any]:
    """A SLSA verification summary: PASSED only if the newest rollout came to a good end, and every verdict of it, and
    the newest of every gate, is a pass. `inputs` are the digests of the statements by the names of their files."""
    verdicts = [each for each in _newest(entries) if each.kind is EvidenceKind.VERDICT]
    starts = [each for each in entries if each.kind is EvidenceKind.START]
    session = starts[-1].body["session"] if starts else ""
    ended = not starts or any(
        each.kind is EvidenceKind.END and each.body.get("session") == session and each.body.get("succeeded")
        for each in entries
    )
    passed = bool(verdicts) and ended and all(each.body["verdict"] == "pass" for each in verdicts)
    rules = sorted({_policy(each) for each in verdicts})
    predicate = {
        "verifier": {"id": "urn:ringgate", "version": {"ringgate": entries[-1].by.version}},
        "timeVerified": entries[-1].at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "resourceUri": f"urn:ringgate:release:{release}",
        "policy": {"uri": f"urn:ringgate:policy:{release}", "digest": {"sha256": policy_digest(rules)}},
        "inputAttestations": [{"uri": name, "digest": {"sha256": digest}} for name, digest in sorted(inputs.items())],
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_UNEVALUATED"],
        "verdicts": [
            {"ring": each.ring, "verdict": each.body["verdict"], "source": each.body["source"], "entry": each.number,
             "policy": _policy(each)} for each in verdicts
        ],
    }  # fmt: skip
    return statement({f"release {release}": _release_digest(starts, release)}, SUMMARY, predicate)


def policy_digest(rules: Sequence[str]) -> str:
    """The digest of the policy, or over those of several in their order."""
    return rules[0] if len(rules) == 1 else digest_of(list(rules))


def _newest(entries: Sequence[EvidenceEntry]) -> list[EvidenceEntry]:
    """Without what an earlier rollout came to, and without all but the newest verdict of a gate on a ring. Waivers and
    approvals stay."""
    starts = [each for each in entries if each.kind is EvidenceKind.START]
    session = starts[-1].body["session"] if starts else None
    gates = {each.ring: each.number for each in entries if each.body.get("source") == "gate"}
    return [
        each for each in entries
        if ("session" not in each.body or each.body["session"] == session)
        and (each.body.get("source") != "gate" or gates[each.ring] == each.number)
    ]  # fmt: skip


def _test_result(entry: EvidenceEntry) -> dict[str, Any]:
    body = entry.body
    document = body.get("document", {})
    tested = document.get("tenants", {}).get("tested", [])
    reasons = document.get("reasons") or body.get("reasons", [])
    made_from = sorted((name, each) for name, each in body["digests"].items() if name != "results" and len(each) == 64)
    failed = [f"{each.get('tenant') or each.get('rule')}: {each['sentence']}" for each in reasons]
    predicate = {
        "result": _RESULTS[body["verdict"]],
        "configuration": [{"name": name, "digest": {"sha256": digest}} for name, digest in made_from],
        "passedTests": body.get("passed") or ([] if failed else tested),
        "warnedTests": [],
        "failedTests": failed,
    }  # fmt: skip
    return statement(_subject(entry) | {"results": body["digests"]["results"]}, TEST_RESULT, predicate)


def _subject(entry: EvidenceEntry) -> dict[str, str]:
    return {f"evidence {entry.number}": entry.digest}


def _about(entry: EvidenceEntry) -> dict[str, Any]:
    return {"release": entry.release, "ring": entry.ring, "entry": entry.number, **entry.body}


def _policy(entry: EvidenceEntry) -> str:
    """A gate's policy; a rollout's is the release itself, with its conditions."""
    digests = entry.body["digests"]
    found = str(digests.get("policy") or digests.get("release"))
    return found if len(found) == 64 else digest_of(found)


def _release_digest(starts: Sequence[EvidenceEntry], release: str) -> str:
    found = str(starts[-1].body["digests"]["release"]) if starts else ""
    return found if len(found) == 64 else digest_of([release, found])
