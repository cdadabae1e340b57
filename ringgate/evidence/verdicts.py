"""A gate's verdict as evidence: the verdict itself, and the digests of all that it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

import numpy as np

from ringgate.domain.columns import ResultColumns
from ringgate.domain.labels import microseconds, moment_of
from ringgate.domain.model import Deployment, Tenant
from ringgate.evidence.actor import code_digest
from ringgate.evidence.canonical import canonical, digest_of, digest_of_text, plain
from ringgate.evidence.entry import EvidenceKind, NewEvidence
from ringgate.gate import Verdict
from ringgate.inventory import Inventory
from ringgate.judging import as_json
from ringgate.store import Store
from ringgate.store.pruning import HELD


def verdict_evidence(verdict: Verdict, inventory: Inventory, store: Store, label: str) -> list[NewEvidence]:
    """The verdict and the waivers that it applied. `label` is this look's own. Raises StoreError."""
    facts = verdict.facts
    tenants = inventory.select(rings=[facts.ring])
    until = moment_of(microseconds(facts.now) + 1)
    results = store.columns(ring=facts.ring, release=facts.release, since=facts.started, until=until)
    document = as_json(verdict)
    for signal in document["evidence"].values():
        del signal["curve"]  # how it came about can be computed from the results
    body = {
        "source": "gate", "verdict": verdict.word, "action": verdict.action, "decided": verdict.decided,
        "results": {"since": facts.started, "until": facts.now, "runs": len(results)},
        "digests": {
            "policy": digest_of(facts.policy), "inventory": digest_of_tenants(tenants), "code": code_digest(),
            "results": digest_of_results(results),
        },
        "document": document,
    }  # fmt: skip
    key = f"verdict/{facts.release}/{facts.ring}/{label}"
    waivers = [waiver_evidence("gate", waiver, facts.release) for waiver, _ in verdict.waived]
    return [*waivers, NewEvidence(EvidenceKind.VERDICT, key, facts.release, facts.ring, body)]


def waiver_evidence(accepts: str, waiver: Any, release: str) -> NewEvidence:
    """What somebody accepted of a release, noted once. `accepts` says of what: gate, books, surface, ..."""
    key = f"waiver/{release}/{digest_of([accepts, waiver])[:32]}"
    return NewEvidence(EvidenceKind.WAIVER, key, release, body={"accepts": accepts, "waiver": waiver})


def deployment_evidence(deployment: Deployment) -> NewEvidence:
    """That a release reached a ring, and who brought it there."""
    key = f"deployment/{deployment.id}"
    return NewEvidence(EvidenceKind.DEPLOYMENT, key, deployment.release, deployment.ring, plain(deployment))


def digest_of_tenants(tenants: Collection[Tenant]) -> str:
    """Of what the inventory says of these tenants, with secrets as references: another order is the same."""
    return digest_of(sorted(map(canonical, tenants)))


def digest_of_results(results: ResultColumns) -> str:
    """SHA-256 over the runs in the order of their start, labels and shape: first the canonical texts of labels and
    shapes that occur, each in its order, then for each run the places of both in these lists (4 bytes each) and its
    start in microseconds since 1970 (8 bytes), little-endian. Their order in the store is of no matter."""
    columns, told = [], hashlib.sha256()
    for of, known in (("labels", results.labels), ("shape", results.shapes)):
        keys = results.keys(of) if len(results) else []
        text_of = {key: canonical(known[key]) for key in keys}
        texts = sorted(set(text_of.values()))
        places = {text: place for place, text in enumerate(texts)}
        table = np.zeros(max(keys, default=0) + 1, "<u4")
        for key, text in text_of.items():
            table[key] = places[text]
        columns.append(table[results.records[of]] if len(results) else np.empty(0, "<u4"))
        told.update(digest_of_text(canonical(texts)).encode())
    labels, shapes = columns
    started = results.records["started"]
    order = np.lexsort((labels.astype("<u8") << 32 | shapes, started))
    rows = np.empty(len(results), [("labels", "<u4"), ("shape", "<u4"), ("started", "<i8")])
    rows["labels"], rows["shape"], rows["started"] = labels[order], shapes[order], started[order]
    told.update(rows.tobytes())
    return told.hexdigest()


def hold_for(verdict: Verdict, store: Store) -> None:
    """What a decided verdict rests on stays in the store. Raises StoreError."""
    facts, before = verdict.facts, verdict.baseline
    since = (before.since if before else None) or facts.started
    if verdict.decided and since is not None:
        name = f"verdict {digest_of([facts.release, facts.ring])[:16]}"
        reason = f"the verdict on {facts.release} on {facts.ring} rests on it"
        store.hold(name, reason, facts.ring, since, facts.now, facts.now + HELD)
