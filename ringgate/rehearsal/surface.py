"""The surface in a rehearsal: what the ERP offers to programs before and after, weighed by what is used of it.

Used is what this rehearsal's runs touched before the upgrade, by the names of the series before, and what the release
says of integrations. That a scenario passes after the upgrade is no excuse for a break that it uses: its driver knows
both series, other programs may not. So a break that is used and that nobody accepted speaks against going on.

Reading a surface takes some 400 calls, so it is done once for each set of modules: the same release offers tenants
with the same modules the same. Who may do what is compared on each tenant, by its fingerprint.

    aldgate-surface-before.json   aldgate-surface-after.json      what it offered
    aldgate-use.json   aldgate-surface.txt                        what was used, and every change for people
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ringgate.drivers.protocol import Connection
from ringgate.model import RunResult, Tenant
from ringgate.rehearsal.record import write_whole
from ringgate.rehearsal.release import IntegrationTable
from ringgate.surface import Change, Klass, Usage, compare
from ringgate.surface.accepted import Acceptance, Judged, judge
from ringgate.surfaces import Surface, dumps, loads

_USE = "-use.json"
HEADINGS = (
    (Klass.BREAKING, True, "Breaks what is used"),
    (Klass.RISKY, True, "May break what is used"),
    (Klass.BREAKING, False, "Breaks, but nothing that is known uses it"),
    (Klass.RISKY, False, "May break, but nothing that is known uses it"),
    (Klass.COMPATIBLE, False, "Compatible"),
)


@dataclass(frozen=True, slots=True)
class Offered:
    """What came of one tenant's comparison: `detail` is what the report shows, `objection` speaks against going on."""

    tenant: str
    detail: dict[str, Any]
    objection: str


@dataclass(frozen=True)
class Surfaces:
    """The surfaces of one rehearsal, kept in `folder`; `rings` says in which each tenant is. Safe for threads."""

    folder: Path
    rings: Mapping[str, str]
    accepted: Sequence[Acceptance] = ()
    integrations: Sequence[IntegrationTable] = ()
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def before(
        self, tenant: Tenant, connection: Connection, modules: Sequence[str], results: Iterable[RunResult]
    ) -> None:
        """Keeps what is used of the tenant, and what it offers, unless that was read of one with the same modules."""
        with self._guard:
            known = self._uses()
            read_of = next(
                (name for name, use in known.items() if use.read_of == name and use.modules == tuple(modules)),
                tenant.id,
            )
            # One that was killed here has begun work that is not begun again: what that used still counts.
            earlier = known[tenant.id].usage if tenant.id in known else {}
            use = _Use(read_of, tuple(modules), {**earlier, **usage_of(results, self.integrations)})
            write_whole(self.folder / f"{tenant.id}{_USE}", json.dumps(asdict(use)))
        if read_of == tenant.id:
            write_whole(self._file(tenant.id, "before"), dumps(connection.surface()))

    def after(self, tenant: Tenant, connection: Connection, today: date) -> list[Offered]:
        """Compares for this tenant; the one that is read, for all of its ring that it stands for, too."""
        known = self._uses()
        use = known[tenant.id]
        whom = [tenant.id]
        if use.read_of == tenant.id:
            write_whole(self._file(tenant.id, "after"), dumps(connection.surface()))
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
        judged = judge(changes, self.accepted, tenant, today)
        write_whole(listing(self.folder, tenant), _listed(tenant, old, new, changes, judged))
        return Offered(tenant, _detail(old, new, changes, judged, use), objection(judged))

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


def usage_of(results: Iterable[RunResult], integrations: Iterable[IntegrationTable] = ()) -> dict[str, dict[str, int]]:
    """Touch -> who touched it, and in how many runs; one for an integration."""
    found: dict[str, Counter[str]] = {}
    for result in results:
        for touch in result.touched:
            found.setdefault(touch, Counter())[f"{result.scenario} over {result.channel}"] += 1
    for each in integrations:
        for use in each.uses:
            found.setdefault(f"{each.role} {use}", Counter())[each.name] += 1
    return {touch: dict(uses) for touch, uses in found.items()}


def objection(judged: Judged) -> str:
    """`2 changes break what is used, and nobody accepted them: The wire changed (...); account.move ...`"""
    breaks = [each for each in judged.open if each.used and each.klass is Klass.BREAKING]
    if not breaks:
        return ""
    one = len(breaks) == 1
    told = "; ".join(each.text for each in breaks[:3]) + ("; ..." if len(breaks) > 3 else "")
    ended = {id(change): by for change, by in judged.expired}
    late = [by for each in breaks if (by := ended.get(id(each)))]
    lapsed = f" ({len(late)} accepted by {late[0].owner} until {late[0].expires})" if late else ""
    what = "1 change breaks" if one else f"{len(breaks)} changes break"
    return f"{what} what is used, and nobody accepts {'it' if one else 'them'}{lapsed}: {told}."


def _detail(old: Surface, new: Surface, changes: Sequence[Change], judged: Judged, use: _Use) -> dict[str, Any]:
    by = {id(change): waiver for change, waiver in judged.accepted}
    lapsed = {id(change): waiver for change, waiver in judged.expired}
    rows = []
    for each in changes:
        if each.used and each.klass is not Klass.COMPATIBLE:
            waiver, ended = by.get(id(each)), lapsed.get(id(each))
            rows.append(
                {
                    "class": each.klass.value, "signature": each.signature, "sentence": each.sentence,
                    "users": sorted(each.uses, key=lambda name: (" over " in name, -each.uses[name], name)),
                    "accepted": f"{waiver.reason} ({waiver.owner}, until {waiver.expires})" if waiver else "",
                    "expired": f"{ended.owner}, until {ended.expires}" if ended else "",
                }
            )  # fmt: skip
    counts = Counter((each.klass.value, each.used and each.klass is not Klass.COMPATIBLE) for each in changes)
    return {
        "read_of": use.read_of,
        "used": rows,
        "counts": [[words, counts[klass.value, used]] for klass, used, words in HEADINGS],
        "touches": len(use.usage),
        "users": sorted({name for uses in use.usage.values() for name in uses}),
        "idle": [f"{each.signature} ({each.owner})" for each in judged.idle],
    }


def _listed(tenant: str, old: Surface, new: Surface, changes: Sequence[Change], judged: Judged) -> str:
    by = {id(change): waiver for change, waiver in judged.accepted}
    lines = [f"What {tenant} offers to programs: {old.erp} {old.series} -> {new.series}, {len(changes)} changes."]
    for klass, used, words in HEADINGS:
        chosen = [x for x in changes if x.klass is klass and (x.used is used or klass is Klass.COMPATIBLE)]
        lines += ["", f"{words} ({len(chosen)})", ""]
        for each in chosen:
            lines.append(f"  {each.sentence}")
            if each.used:
                lines.append(f"    used by {', '.join(sorted(each.uses))}")
            if waiver := by.get(id(each)):
                lines.append(f"    accepted: {waiver.reason} ({waiver.owner}, until {waiver.expires})")
    return "\n".join(lines) + "\n"
