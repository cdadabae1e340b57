"""An entry of evidence: what happened to a release, when, by whom, and which entry came before it.

The text of an entry is the canonical JSON of all its fields; its digest is the SHA-256 of that text. `previous` is the
digest of the entry before it, 64 zeros for the first one. Whoever changes an entry changes its digest, and would have
to change every later one, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from ringgate.domain.errors import OurSideError
from ringgate.evidence.canonical import canonical, digest_of_text
from ringgate.store import EvidenceRow

FORM = 1
"""The form of the entries that are written now."""

FIRST = "0" * 64
"""What the first entry has for a previous digest."""


class EvidenceKind(StrEnum):
    START = "start"  # a program began to lead a release, or went on with it
    STAGE = "stage"  # a stage of a tenant came to its end
    ATTEMPT = "attempt"  # something failed and was tried once more
    VERDICT = "verdict"
    DECISION = "decision"
    WAIVER = "waiver"  # a difference, a change, a signal or an untested process that somebody accepted
    APPROVAL = "approval"
    DEPLOYMENT = "deployment"
    INCIDENT = "incident"  # something was wrong on a tenant: `of` is what it comes of, where somebody says
    TICKET = "ticket"  # what a user told the help desk of a tenant
    CHANGE = "change"  # a setting of tenants or of a ring was changed, beside any release
    CONTROL = "control"  # a file that a control asks for, or digests of artefacts that were seen
    ELEVATION = "elevation"  # a right that a release was given for a time, or that was taken back
    END = "end"


class EvidenceUnreadable(OurSideError):
    """What lies in the store is no entry of evidence."""

    kind = "evidence"


@dataclass(frozen=True, slots=True)
class EvidenceActor:
    """Who wrote an entry: the user and host of the operating system, the commit of the folder where it was started
    ("" outside of one, "+" at its end where files were changed), Ringgate's version, the digest of its own code."""

    user: str
    host: str
    commit: str
    version: str
    code: str


@dataclass(frozen=True, slots=True)
class NewEvidence:
    """What is to be noted. `key` names the fact: what was noted once under a key is not noted again."""

    kind: EvidenceKind
    key: str
    release: str
    ring: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EvidenceEntry:
    """One that is kept. `number` counts from 1; `body` has plain values alone."""

    number: int
    previous: str
    at: datetime
    kind: EvidenceKind
    key: str
    release: str
    ring: str
    by: EvidenceActor
    body: Mapping[str, Any]

    @property
    def text(self) -> str:
        return canonical(
            {
                "form": FORM, "number": self.number, "previous": self.previous, "at": self.at, "kind": self.kind,
                "key": self.key, "release": self.release, "ring": self.ring, "by": self.by, "body": self.body,
            }
        )  # fmt: skip

    @property
    def digest(self) -> str:
        return digest_of_text(self.text)

    @property
    def row(self) -> EvidenceRow:
        text = self.text
        return EvidenceRow(self.number, self.key, self.kind.value, self.release, self.ring, text, digest_of_text(text))


def entry_of(row: EvidenceRow) -> EvidenceEntry:
    """Raises EvidenceUnreadable for what is none."""
    try:
        found = json.loads(row.entry)
        if found["form"] != FORM:
            raise EvidenceUnreadable(f"entry {row.number} is of form {found['form']}, which this version cannot read")
        return EvidenceEntry(
            number=found["number"], previous=found["previous"],
            at=datetime.strptime(found["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC),
            kind=EvidenceKind(found["kind"]), key=found["key"], release=found["release"], ring=found["ring"],
            by=EvidenceActor(**found["by"]), body=found["body"],
        )  # fmt: skip
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceUnreadable(f"entry {row.number} is no entry of evidence: {error}") from None
