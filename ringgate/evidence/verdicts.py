"""A gate's verdict as evidence: the verdict itself, and the digests of all that it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def verdict_evidence(
    verdict: Verdict, inventory: Inventory, store: Store, label: str, *, read: ResultColumns | None = None
) -> list[NewEvidence]:
    """The verdict and the waivers that it applied. `label` is this look's own; `read` are all results of the release on
    the ring that it was made from (None: they are read from the store again). Raises StoreError."""
    facts = verdict.facts
    tenants = inventory.select(rings=[facts.ring])
    if read is None:
        until = moment_of(microseconds(facts.now) + 1)
        results = store.columns(ring=facts.ring, release=facts.release, since=facts.started, until=until)
    else:
        started = read.records["started"]
        begun = facts.started or datetime.min.replace(tzinfo=UTC)
        results = read.only((started >= microseconds(begun)) & (started <= microseconds(facts.now)))
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
    told.update(_in_order(labels, shapes, results.records["started"]).tobytes())
    return told.hexdigest()


def _in_order(labels: NDArray[Any], shapes: NDArray[Any], started: NDArray[Any]) -> NDArray[Any]:
    """The rows by start, labels and shape. Where all three fit into 63 bits together, sorting one number for each row
    takes a tenth of the time."""
    rows = np.empty(len(started), [("labels", "<u4"), ("shape", "<u4"), ("started", "<i8")])
    if not len(rows):
        return rows
    first, of_labels, of_shapes = int(started.min()), int(labels.max()).bit_length(), int(shapes.max()).bit_length()
    below = of_labels + of_shapes
    if (int(started.max()) - first).bit_length() + below <= 63:
        keys = (started - first) << below | labels.astype("<i8") << of_shapes | shapes
        keys.sort()
        rows["labels"] = keys >> of_shapes & (1 << of_labels) - 1
        rows["shape"] = keys & (1 << of_shapes) - 1
        rows["started"] = (keys >> below) + first
    else:
        order = np.lexsort((shapes, labels, started))
        rows["labels"], rows["shape"], rows["started"] = labels[order], shapes[order], started[order]
    return rows


def hold_for(verdict: Verdict, store: Store) -> None:
    """What a decided verdict rests on stays in the store. Raises StoreError."""
    facts, before = verdict.facts, verdict.baseline
    since = (before.since if before else None) or facts.started
    if verdict.decided and since is not None:
        name = f"verdict {digest_of([facts.release, facts.ring])[:16]}"
        reason = f"the verdict on {facts.release} on {facts.ring} rests on it"
        store.hold(name, reason, facts.ring, since, facts.now, facts.now + HELD)
