"""The surface in a rehearsal: what the ERP offers to programs before and after, weighed by what is used of it.

Used is what this rehearsal's runs touched before the upgrade, by the names of the series before, and what the release
says of integrations. That a scenario passes after the upgrade is no excuse for a break that it uses: its driver knows
both series, other programs may not. So a break that is used and that nobody accepted speaks against going on.

Reading a surface takes some 400 calls, so it is done once for each set of modules: the same release offers tenants
with the same modules the same. Who may do what is compared on each tenant, by its fingerprint.

    aldgate-surface-before.json   aldgate-surface-after.json      what it offered
    aldgate-touched.json   aldgate-use.json                       what runs used, and what that came to
    aldgate-surface.txt                                           every change, for people
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from ringgate.domain.events import Event, RunFinished
from ringgate.domain.model import RunResult, Tenant
from ringgate.domain.terms import Channel
from ringgate.domain.waivers import Waiver
from ringgate.drivers.protocol import Connection
from ringgate.host.atomic_files import write_atomically
from ringgate.rollout.release_tables import ReleaseIntegrationTable
from ringgate.rollout.results import SurfaceResult, UsedChange
from ringgate.surface import Severity, SurfaceChange, Usage, compare
from ringgate.surface.accepted import SurfaceJudgement, judge
from ringgate.surface.encoding import dumps, loads
from ringgate.surface.model import Surface

_USE, _NOTED = "-use.json", "-touched.json"
_OVER_API = f" over {Channel.API}"
HEADINGS = (
    (Severity.BREAKING, True, "Breaks what is used"),
    (Severity.RISKY, True, "May break what is used"),
    (Severity.BREAKING, False, "Breaks, but nothing that is known uses it"),
    (Severity.RISKY, False, "May break, but nothing that is known uses it"),
    (Severity.COMPATIBLE, False, "Compatible"),
)


@dataclass(frozen=True, slots=True)
class Offered:
    """What came of one tenant's comparison; `objection` speaks against going on, "" if nothing does."""

    tenant: str
    result: SurfaceResult
    objection: str


@dataclass(frozen=True)
class Surfaces:
    """The surfaces of one rehearsal, kept in `folder`; `rings` says in which each tenant is,
    `release` which release that is, for waivers of one alone.

    A sink of its runs: what they use is noted as each ends. Safe for threads."""

    folder: Path
    rings: Mapping[str, str]
    accepted: Sequence[Waiver] = ()
    integrations: Sequence[ReleaseIntegrationTable] = ()
    release: str = ""
    _guard: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    def on(self, event: Event) -> None:
        """Notes what a run used, as long as nothing was changed on its tenant."""
        if isinstance(event, RunFinished) and event.result.touched:
            with self._guard:
                self._note(event.result)

    def _note(self, result: RunResult) -> None:
        if (self.folder / f"{result.tenant}{_USE}").exists():
            return
        noted, name = self._noted(result.tenant), f"{result.scenario} over {result.channel}"
        for touch in result.touched:
            uses = noted.setdefault(touch, {})
            uses[name] = uses.get(name, 0) + 1
        write_atomically(self.folder / f"{result.tenant}{_NOTED}", json.dumps(noted))

    def _noted(self, tenant: str) -> dict[str, dict[str, int]]:
        file = self.folder / f"{tenant}{_NOTED}"
        found: dict[str, dict[str, int]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        return found

    def known(self) -> frozenset[str]:
        """The scenarios of which it was noted, on any tenant, what they use over the API."""
        with self._guard:
            everything = [self._noted(tenant) for tenant in self.rings]
        names = {name for noted in everything for uses in noted.values() for name in uses}
        return frozenset(name.removesuffix(_OVER_API) for name in names if name.endswith(_OVER_API))

    def ahead(self, tenant: Tenant, connection: Connection) -> None:
        """Reads what is offered before the upgrade, if nobody's was read yet: the first tenant's is needed in any case.

        It takes seconds, in which the tenant's processes can run."""
        if not any(self._file(name, "before").exists() for name in self.rings):
            write_atomically(self._file(tenant.id, "before"), dumps(connection.surface()))

    def before(self, tenant: Tenant, connection: Connection, modules: Sequence[str]) -> None:
        """Keeps what is used before the upgrade, and what is offered, unless a tenant with the same modules was read.

        What a process uses does not depend on the tenant: what was noted on others counts, too."""
        with self._guard:
            same = {name: use for name, use in self._uses().items() if use.modules == tuple(modules)}
            read_of = next((name for name, use in same.items() if use.read_of == name), tenant.id)
            usage: dict[str, Counter[str]] = {}
            for each in self.integrations:
                for use in each.uses:
                    usage.setdefault(f"{each.role} {use}", Counter())[each.name] = 1
            for other in self.rings:
                for touch, uses in self._noted(other).items():
                    usage.setdefault(touch, Counter()).update(uses)
            kept = _Use(read_of, tuple(modules), {touch: dict(uses) for touch, uses in usage.items()})
            write_atomically(self.folder / f"{tenant.id}{_USE}", json.dumps(asdict(kept)))
        if read_of == tenant.id and not self._file(tenant.id, "before").exists():
            write_atomically(self._file(tenant.id, "before"), dumps(connection.surface()))

    def after(self, tenant: Tenant, connection: Connection, today: date) -> list[Offered]:
        """Compares for this tenant; the one that is read, for all of its ring that it stands for, too."""
        known = self._uses()
        use = known[tenant.id]
        whom = [tenant.id]
        if use.read_of == tenant.id:
            write_atomically(self._file(tenant.id, "after"), dumps(connection.surface()))
            whom = [
                name for name, each in known.items() if each.read_of == tenant.id and self._together(name, tenant.id)
            ]
        elif self._together(tenant.id, use.read_of):
            return []
        old, new = (loads(self._file(use.read_of, when).read_text(encoding="utf-8")) for when in ("before", "after"))
        return [self._offered(name, old, new, known[name], today) for name in whom]

    def _together(self, one: str, other: str) -> bool:
        return self.rings[one] == self.rings[other]

    def _offered(self, tenant: str, old: Surface, new: Surface, use: _Use, today: date) -> Offered:
        changes = compare(old, new, use.usage)
        judged = judge(changes, self.accepted, tenant, today, self.release)
        write_atomically(listing(self.folder, tenant), _listed(tenant, old, new, changes, judged))
        return Offered(tenant, _result(changes, judged, use), objection(judged))

    def _uses(self) -> dict[str, _Use]:
        """Of each tenant that has been seen before the upgrade."""
        files = sorted(self.folder.glob(f"*{_USE}"))
        return {each.name.removesuffix(_USE): _use(each.read_text(encoding="utf-8")) for each in files}

    def _file(self, tenant: str, when: str) -> Path:
        return self.folder / f"{tenant}-surface-{when}.json"


@dataclass(frozen=True, slots=True)
class _Use:
    """`read_of` is the tenant whose surface was read for it, `usage` what was touched before the upgrade."""

    read_of: str
    modules: tuple[str, ...]
    usage: Usage


def _use(text: str) -> _Use:
    told = json.loads(text)
    return _Use(told["read_of"], tuple(told["modules"]), told["usage"])


def listing(folder: Path, tenant: str) -> Path:
    """The file that lists every change of a tenant's surface, for people."""
    return folder / f"{tenant}-surface.txt"


def objection(judged: SurfaceJudgement) -> str:
    """`2 changes break what is used, and nobody accepted them: The wire changed (...); account.move ...`"""
    breaks = [each for each in judged.open if each.used and each.klass is Severity.BREAKING]
    if not breaks:
        return ""
    one = len(breaks) == 1
    told = "; ".join(each.text for each in breaks[:3]) + ("; ..." if len(breaks) > 3 else "")
    ended = {id(change): by for change, by in judged.expired}
    late = [by for each in breaks if (by := ended.get(id(each)))]
    lapsed = f" ({len(late)} accepted by {late[0].owner} through {late[0].expires})" if late else ""
    what = "1 change breaks" if one else f"{len(breaks)} changes break"
    return f"{what} what is used, and nobody accepts {'it' if one else 'them'}{lapsed}: {told}."


def _result(changes: Sequence[SurfaceChange], judged: SurfaceJudgement, use: _Use) -> SurfaceResult:
    by = {id(change): waiver for change, waiver in judged.accepted}
    lapsed = {id(change): waiver for change, waiver in judged.expired}
    used = []
    for each in changes:
        if each.used and each.klass is not Severity.COMPATIBLE:
            waiver, ended = by.get(id(each)), lapsed.get(id(each))
            users = sorted(each.uses, key=lambda name: (" over " in name, -each.uses[name], name))
            accepted = f"{waiver.reason} ({waiver.owner}, through {waiver.expires})" if waiver else ""
            expired = f"{ended.owner}, through {ended.expires}" if ended else ""
            used.append(UsedChange(each.klass.value, each.signature, each.sentence, users, accepted, expired))
    counts = Counter((each.klass.value, each.used and each.klass is not Severity.COMPATIBLE) for each in changes)
    return SurfaceResult(
        read_of=use.read_of,
        used=used,
        counts=[(words, counts[klass.value, of_use]) for klass, of_use, words in HEADINGS],
        touches=len(use.usage),
        users=sorted({name for uses in use.usage.values() for name in uses}),
        idle=[f"{each.signature} ({each.owner})" for each in judged.idle],
    )


def _listed(tenant: str, old: Surface, new: Surface, changes: Sequence[SurfaceChange], judged: SurfaceJudgement) -> str:
    by = {id(change): waiver for change, waiver in judged.accepted}
    lines = [f"What {tenant} offers to programs: {old.erp} {old.series} -> {new.series}, {len(changes)} changes."]
    for klass, used, words in HEADINGS:
        chosen = [x for x in changes if x.klass is klass and (x.used is used or klass is Severity.COMPATIBLE)]
        lines += ["", f"{words} ({len(chosen)})", ""]
        for each in chosen:
            lines.append(f"  {each.sentence}")
            if each.used:
                lines.append(f"    used by {', '.join(sorted(each.uses))}")
            if waiver := by.get(id(each)):
                lines.append(f"    accepted: {waiver.reason} ({waiver.owner}, through {waiver.expires})")
    return "\n".join(lines) + "\n"
