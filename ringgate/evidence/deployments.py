"""Noting that a release reached a ring: checked, kept in the store, and chained as evidence. The same for a command and
for a server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from ringgate.domain.model import Deployment
from ringgate.evidence.chain import EvidenceChain
from ringgate.evidence.entry import EvidenceActor
from ringgate.evidence.verdicts import deployment_evidence
from ringgate.inventory import Inventory
from ringgate.inventory.files import nearest
from ringgate.store import Store

LONGEST = {"release": 128, "version": 64, "note": 1000, "by": 128}
"""Characters."""

Wrong = tuple[str, str]
"""A key, and what is wrong with it."""


def moment_said(text: str | None, now: datetime, key: str = "at") -> tuple[datetime, list[Wrong]]:
    """The moment in UTC, and what is wrong with the text."""
    if text is None:
        return now, []
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return now, [(key, f'"{text}" is no time; write it like 2027-01-31T22:00+01:00')]
    if moment.tzinfo is None:
        return now, [(key, f'"{text}" has no time zone; write it like 2027-01-31T22:00+01:00')]
    if moment > now + timedelta(minutes=1):
        return now, [(key, f'"{text}" has not come yet; note it when it has')]
    return moment.astimezone(UTC), []


def wrong_places(known: Inventory, ring: str | None, tenants: Sequence[str], key: str) -> Iterator[Wrong]:
    """Ring and tenants that the inventory does not have, or not together. `ring` is None where none is named, `key` is
    what the tenants are given as."""
    if ring is not None and ring not in known.rings:
        yield "ring", f'{known.path} has no ring "{ring}"{nearest(ring, known.rings)}'
    rings = {each.id: each.ring for each in known.tenants}
    for name in tenants:
        if name not in rings:
            yield key, f'{known.path} has no tenant "{name}"{nearest(name, rings)}'
        elif ring in known.rings and rings[name] != ring:
            yield key, f"{name} is in ring {rings[name]}, not in {ring}"


def wrong_deployment(known: Inventory, ring: str, tenants: Sequence[str], texts: Mapping[str, str]) -> Iterator[Wrong]:
    """Everything that is wrong with what was said; `texts` are those of `LONGEST`."""
    yield from wrong_places(known, ring, tenants, "tenant")
    if not texts["release"].strip():
        yield "release", "must not be empty"
    for key, most in LONGEST.items():
        if len(texts[key]) > most:
            yield key, f"has more than {most} characters"


def note_deployment(store: Store, by: EvidenceActor, deployment: Deployment) -> None:
    """Raises StoreError."""
    store.deployed(deployment)
    EvidenceChain(store, by).append(deployment_evidence(deployment))


def id_of_key(key: str) -> str:
    """The id of the deployment that a pipeline notes under this idempotency key."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]
