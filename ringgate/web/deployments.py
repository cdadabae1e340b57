"""Notes what a pipeline says over HTTP: that a release reached a ring.

POST /api/v1/deployments     {"ring": "canary", "release": "8.0.12", "tenants": ["aldgate"]}
201 {"id": ..., "at": ..., ...}                  noted; 200 where the same Idempotency-Key noted it before
422 {"errors": [{"key": "ring", "rule": ...}]}   all that is wrong with it at once
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ringgate.domain.model import Deployment
from ringgate.evidence import EvidenceActor
from ringgate.evidence.deployments import (
    LONGEST,
    Wrong,
    id_of_key,
    moment_said,
    note_deployment,
    wrong_deployment,
)
from ringgate.execution.run_once import new_run_id
from ringgate.host.secrets import redact
from ringgate.inventory import Inventory
from ringgate.store import Store

KEYS = ("ring", "release", "tenants", "at", "version", "note", "by")


class DeploymentNotes:
    """Safe for threads: one is noted after the other."""

    def __init__(self, url: str, load: Callable[[], Inventory], by: EvidenceActor) -> None:
        self._url, self._load, self._by = url, load, by
        self._guard = threading.Lock()

    def note(self, said: Mapping[str, Any], key: str, now: datetime) -> tuple[int, dict[str, Any]]:
        """The answer's code and body. Raises RinggateError where inventory or store cannot be read or written."""
        wrong = wrong_kinds(said, KEYS, ("ring", "release"))
        if wrong:
            return refused(wrong)
        texts = {name: str(said.get(name, "")) for name in LONGEST}
        ring, tenants = str(said.get("ring", "")), tuple(sorted(set(said.get("tenants", ()))))
        at, wrong = moment_said(said.get("at"), now)
        wrong += wrong_deployment(self._load(), ring, tenants, texts)
        if wrong:
            return refused([("tenants" if name == "tenant" else name, rule) for name, rule in wrong])
        deployment = Deployment(
            id_of_key(key) if key else new_run_id(), at, ring, texts["release"].strip(), tenants,
            redact(texts["note"]), redact(texts["by"]), texts["version"].strip(),
        )  # fmt: skip
        with self._guard:
            store = Store(self._url)
            try:
                known = next((each for each in store.deployments() if each.id == deployment.id), None)
                if known and (known.ring, known.release, known.tenants) != (ring, deployment.release, tenants):
                    return 409, {"errors": [{"key": "Idempotency-Key", "rule": "was used for another deployment"}]}
                if known is None:
                    note_deployment(store, self._by, deployment)
            finally:
                store.close()
        told = known or deployment
        return 200 if known else 201, {**asdict(told), "at": told.at.isoformat(), "tenants": list(told.tenants)}


def refused(wrong: Sequence[Wrong]) -> tuple[int, dict[str, Any]]:
    """The answer that tells all of it."""
    return 422, {"errors": [{"key": key, "rule": redact(rule)} for key, rule in wrong]}


def wrong_kinds(said: Mapping[str, Any], keys: Sequence[str], required: Sequence[str]) -> list[Wrong]:
    """Keys that there are not, values of the wrong kind, and what is missing."""
    found = [(name, f"is no key; there is {', '.join(keys)}") for name in said if name not in keys]
    for name in keys:
        value = said.get(name)
        if name == "tenants" and value is not None:
            if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                found.append((name, "must be a list of tenants' ids"))
        elif value is not None and not isinstance(value, str):
            found.append((name, "must be text"))
    found += [(name, "is required") for name in required if name not in said]
    return found
