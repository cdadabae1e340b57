"""A store with the evidence of a release, and its pack; and another party's verifier."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from ringgate.evidence import EvidenceChain, EvidenceKind, NewEvidence
from ringgate.evidence.pack import packed
from ringgate.evidence.signing import SigningKey
from ringgate.evidence.witness import ChainWitness
from ringgate.rollout.approval_tables import ApprovalsTable
from ringgate.rollout.approvals import ApprovalSubject, approve
from ringgate.store import Store
from tests.unit.evidence.chains import BY

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
KEY, GRACE = SigningKey.new(), SigningKey.new()
DIGESTS = {"release": "a" * 64, "inventory": "b" * 64, "results": "c" * 64}


def verdict(ring: str, word: str) -> NewEvidence:
    reasons = [] if word == "pass" else [{"tenant": "kyoto", "sentence": "a step was slow to tell"}]
    body = {"session": "s1", "source": "rollout", "verdict": word, "digests": DIGESTS, "reasons": reasons,
            "passed": ["aldgate upgrade"]}  # fmt: skip
    return NewEvidence(EvidenceKind.VERDICT, f"s1/{ring}/verdict", "tryton-8-0", ring, body)


def pack_of(folder: Path, *, early: str = "pass", told: str = "", release: str = "tryton-8-0") -> bytes:
    """The pack of a release whose second ring came to the verdict `early`; `told` is a reason's text."""
    store = Store(f"sqlite:///{folder}/results.sqlite")
    chain = EvidenceChain(store, BY, witness=ChainWitness("x", folder / "seen"), clock=lambda: NOON)
    table = ApprovalsTable.model_validate({"author": "ada", "rings": ["early"], "roles": [
        {"name": "release-manager", "people": [{"name": "grace", "keys": [GRACE.public.line]}]}]})  # fmt: skip
    subject = ApprovalSubject("tryton-8-0", "early", "s1", "a" * 64, "b" * 64, "c" * 64)
    chain.append(NewEvidence(EvidenceKind.DEPLOYMENT, "d1", "other-1", "canary", {"by": "ops"}))
    chain.append(
        NewEvidence(EvidenceKind.START, "s1/start/1", "tryton-8-0", body={"session": "s1", "digests": DIGESTS}),
        NewEvidence(EvidenceKind.WAIVER, "w1", "tryton-8-0", body={"accepts": "books", "waiver": {"owner": "cfo"}}),
        NewEvidence(EvidenceKind.STAGE, "s1/aldgate/fingerprint", "tryton-8-0", "canary", {
            "session": "s1", "tenant": "aldgate", "stage": "fingerprint", "outcome": "passed", "note": told}),
        verdict("canary", "pass"),
        approve(table, subject, GRACE, NOON),
        verdict("early", early),
        NewEvidence(EvidenceKind.END, "s1/end", "tryton-8-0", body={"session": "s1", "succeeded": early == "pass"}),
    )  # fmt: skip
    try:
        return packed(store.evidence_rows(), release, KEY)
    finally:
        store.close()


def files_of(pack: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pack)) as found:
        return {name: found.read(name) for name in found.namelist()}


def foreign_key(line: str, fingerprint: str) -> SSlibKey:
    raw = load_ssh_public_key(line.encode()).public_bytes_raw()
    return SSlibKey(fingerprint, "ed25519", "ed25519", {"public": raw.hex()})


def foreign(content: bytes) -> dict[str, Any]:
    """The statement of a bundle, if securesystemslib accepts it with the key of the pack or the approver's. Raises
    whatever it raises."""
    bundle = json.loads(content)
    envelope = Envelope.from_dict(bundle["dsseEnvelope"])
    own = KEY if bundle["verificationMaterial"]["publicKey"]["hint"] == KEY.public.fingerprint else GRACE
    envelope.verify([foreign_key(own.public.line, own.public.fingerprint)], 1)
    return json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
