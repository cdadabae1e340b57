"""Whether what is installed for a tenant is what was released: promoted from ring to ring, not built anew."""

from __future__ import annotations

from collections.abc import Mapping

from ringgate.domain.model import Tenant
from ringgate.rollout.conditions import Condition
from ringgate.rollout.platforms.protocol import NamesArtefacts
from ringgate.rollout.record import Objection
from ringgate.rollout.results import VerificationResult
from ringgate.rollout.stages.context import StageContext


def installed(context: StageContext, tenant: Tenant) -> tuple[dict[str, str], list[Objection]]:
    """The digest of each artefact as the platform states it, and what speaks against going on.

    An artefact that the release names must be stated and equal. One that it does not name must be the same as on every
    tenant that was verified before. A platform that cannot say anything is asked nothing: an estate installs by
    itself, and what somebody else installs is not seen from here. Raises PlatformError."""
    if not isinstance(context.platform, NamesArtefacts):
        return {}, []
    said, named = dict(context.platform.artefacts(tenant.id)), context.release.table.components.artefacts
    found = []
    for name, digest in named.items():
        if name not in said:
            words = f"The platform does not say which {name} is installed; the release names {_short(digest)}."
            found.append(context.objection(Condition.INCONCLUSIVE, tenant, words))
        elif said[name] != digest:
            words = f"{name} is {_short(said[name])}, and the release names {_short(digest)}."
            found.append(context.objection(Condition.ARTEFACT_DIFFERS, tenant, words))
    for name, digest in said.items():
        other = "" if name in named else _other(context, tenant, name, digest)
        if other:
            words = f"{name} is {_short(digest)}, and on {other}: it was built anew, not promoted."
            found.append(context.objection(Condition.ARTEFACT_DIFFERS, tenant, words))
    return said, found


def _other(context: StageContext, tenant: Tenant, name: str, digest: str) -> str:
    """A tenant on which it is another, with its digest; "" if there is none."""
    for each, record in context.ledger.record.tenants.items():
        result = record.result(VerificationResult) if each != tenant.id else None
        known: Mapping[str, str] = result.artefacts if result else {}
        if known.get(name, digest) != digest:
            return f"{each} {_short(known[name])}"
    return ""


def _short(digest: str) -> str:
    return digest[: len("sha256:") + 12]
