"""What users and the help desk are told of a release, made from release and inventory, in the tenant's language.

texts = StatusTexts.shipped()
texts.of(release, tenant, ReleaseState.PLANNED, Audience.CUSTOMERS, when=opening)    # StatusText(subject, body, "de")
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Audience, ReleaseState
from ringgate.host import paths
from ringgate.rollout.release import Release

FALLBACK = "en"
"""The language of those for whose language there is no text."""


@dataclass(frozen=True, slots=True)
class StatusText:
    """A text for the users of one tenant. `language` is an ISO 639-1 code: the one it is written in."""

    tenant: str
    language: str
    subject: str
    body: str


class StatusTexts:
    """The texts by language: `[de.planned]` has `subject`, `text` and, for a time that is not known, `unknown`."""

    def __init__(self, texts: Mapping[str, Mapping[str, Any]]) -> None:
        self._texts = texts

    @classmethod
    def shipped(cls) -> StatusTexts:
        return cls(tomllib.loads((paths.shipped("reports/templates") / "status_texts.toml").read_text("utf-8")))

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self._texts)

    def of(
        self, release: Release, tenant: Tenant, state: ReleaseState, audience: Audience, when: datetime | None = None
    ) -> StatusText:
        """`when` is the first moment at which the tenant may be upgraded, aware; None where that is not known."""
        language = _base(tenant.language) if _base(tenant.language) in self._texts else FALLBACK
        own = self._texts[language]
        said, name = own[state.value], tenant.name or tenant.id
        local = when.astimezone(ZoneInfo(tenant.timezone)) if when else None
        told = own["date"].format(day=local, zone=tenant.timezone) if local else ""
        values = {"title": release.table.title, "name": name, "when": told}
        text = said["unknown"] if state is ReleaseState.PLANNED and not told else said["text"]
        parts = [text.format(**values)]
        impact = release.table.support_impact_in.get(language, release.table.support_impact).strip()
        if impact and state in (ReleaseState.PLANNED, ReleaseState.DONE):
            parts.append(impact)
        if audience is Audience.SUPPORT:
            parts.append("\n".join(_for_support(release, tenant)))
        return StatusText(tenant.id, language, said["subject"].format(**values), "\n\n".join(parts))


def _base(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()


def _for_support(release: Release, tenant: Tenant) -> list[str]:
    table = release.table
    lines = [
        f"Release {release.id}: {table.before} to {table.after}, ring {_ring(release, tenant)}, risk {table.risk}."
    ]
    for name, part in table.components:
        versions = " to ".join(filter(None, (part.before, part.after)))
        if part.stated:
            lines.append(f"{name.capitalize()}: {'; '.join(filter(None, (versions, part.note))) or 'new build'}.")
        led = table.runbook.part(name)
        if led:
            lines.append(f"{name.capitalize()} is led by {led.owner}, {led.contact}.")
    lines += [f"{name.replace('-', ' ').capitalize()}: {address}" for name, address in sorted(tenant.addresses.items())]
    return lines


def _ring(release: Release, tenant: Tenant) -> str:
    return next((ring for ring, tenants in release.rings if tenant.id in {each.id for each in tenants}), tenant.ring)
