"""The runbook of a release: what to do, in order, made from the release and the inventory, so that it is never out of
date. Pure.

    book = runbook(release, RunbookPlace("release.toml", "command=hosts.toml"))
    book.parts[0].steps[0].commands      # ("ringgate release check release.toml", ...)
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ringgate.domain.model import Tenant
from ringgate.rollout.activation_tables import ACTIVATION
from ringgate.rollout.release import Release
from ringgate.rollout.release_tables import ComponentTable
from ringgate.rollout.stages.baseline import spelled

ADDRESSES = ("identity-provider", "storage", "reports")
"""What every tenant's operators need besides its ERP; one that the inventory does not state is named as a gap."""


@dataclass(frozen=True, slots=True)
class RunbookPlace:
    """How the commands are written: the release's file, the platform and the inventory as they are given to commands
    ("" for the default). `backups` says for a tenant which its newest backup is, in words; empty: nobody asked."""

    file: str
    platform: str = ""
    inventory: str = ""
    backups: Mapping[str, str] = field(default_factory=dict)

    def line(self, command: str, *more: str, known: bool = False) -> str:
        """A command on the release and the platform; `known`: it reads the inventory, too."""
        words = [*command.split(), self.file, *more]
        words += ["--platform", self.platform] if self.platform else []
        words += ["--inventory", self.inventory] if known and self.inventory else []
        return shlex.join(words)

    def plain(self, command: str) -> str:
        """One that knows no release: of the inventory alone."""
        return shlex.join([*command.split(), *(["--inventory", self.inventory] if self.inventory else [])])


@dataclass(frozen=True, slots=True)
class RunbookStep:
    """One thing to do. `decision` says who decides what here, "" where nothing is to be decided; `only_if` says when
    this is done at all, "" for always; `code` is what Ringgate itself does, to be read and not to be typed."""

    title: str
    text: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    decision: str = ""
    only_if: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class RunbookPart:
    """Application, database, integrations or infrastructure; who leads it, "" where the release does not say."""

    name: str
    owner: str
    contact: str
    change: str
    steps: tuple[RunbookStep, ...]


@dataclass(frozen=True, slots=True)
class Runbook:
    """`addresses` are (tenant, ring, what, where); `gaps` name what should be known and is not, in sentences."""

    release: str
    title: str
    digest: str
    facts: tuple[tuple[str, str], ...]
    addresses: tuple[tuple[str, str, str, str], ...]
    parts: tuple[RunbookPart, ...]
    gaps: tuple[str, ...]


def runbook(release: Release, place: RunbookPlace) -> Runbook:
    """All parts in the order in which they are begun."""
    table = release.table
    parts = [
        _part(release, "infrastructure", _infrastructure(release)),
        _part(release, "database", _database(release, place)),
        _part(release, "integrations", _integrations(release, place)),
        _part(release, "application", _application(release, place)),
    ]
    rings = "; ".join(f"{ring}: {', '.join(each.id for each in tenants)}" for ring, tenants in release.rings)
    facts = [
        ("Change", f"{table.before} to {table.after}"),
        ("Risk class", f"{table.risk.value}: {release.plan_of('').why}"),
        ("Rings", rings), ("Approvers", ", ".join(table.approvers)), ("Notes", " ".join(table.notes.split())),
        ("Support impact", " ".join(table.support_impact.split())),
    ]  # fmt: skip
    return Runbook(
        release.id, table.title, release.digest, tuple(each for each in facts if each[1]), _addresses(release),
        tuple(each for each in parts if each.steps), tuple(_gaps(release)),
    )  # fmt: skip


def _part(release: Release, name: str, steps: Sequence[RunbookStep]) -> RunbookPart:
    own = release.table.runbook.part(name)
    before = [RunbookStep("Before the first ring", own.before)] if own and own.before else []
    after = [RunbookStep("After the last ring", own.after)] if own and own.after else []
    component: ComponentTable = getattr(release.table.components, name)
    versions = " to ".join(filter(None, (component.before, component.after)))
    change = ": ".join(filter(None, (versions, component.note)))
    found = (*before, *steps, *after)
    return RunbookPart(name, own.owner if own else "", own.contact if own else "", change, found)


def _infrastructure(release: Release) -> list[RunbookStep]:
    changes = release.table.components.infrastructure
    if not (changes.before or changes.after or changes.note):
        return []
    return [RunbookStep("Change the infrastructure first", (changes.note or "As the release's files say.",))]


def _database(release: Release, place: RunbookPlace) -> list[RunbookStep]:
    table = release.table
    steps = [
        RunbookStep(f"Manual step {step.name}", ("Done by Ringgate on each tenant, in this order.",), code=step.text)
        for step in table.manual_steps
    ]
    return [
        RunbookStep(
            "Know what each tenant would be taken back to", tuple(_backup(each, place) for each in release.tenants),
            (place.line("ringgate rollout plan"),) if place.platform else (),
            decision=f"A backup that is too old: {table.conditions.backup_too_old.value}. One that does not restore: "
            f"{table.conditions.drill_failed.value}.",
        ),
        *steps,
        RunbookStep(
            "Compare the books by hand", ("Done by the rollout on each tenant; this does it once more.",),
            (place.plain("ringgate fingerprint take"),), only_if="somebody doubts a tenant's books",
            decision=f"Books that differ without a waiver: {table.conditions.fingerprint_drift.value}.",
        ),
    ]  # fmt: skip


def _backup(tenant: Tenant, place: RunbookPlace) -> str:
    promise = tenant.recovery
    words = "the inventory promises no recovery point"
    if promise:
        point, time = (spelled(each.total_seconds()) for each in (promise.point, promise.time))
        words = f"recovery point {point}, recovery time {time}"
    newest = place.backups.get(tenant.id, "")
    return f"{tenant.id}: {words}{f'; {newest}' if newest else ''}."


def _integrations(release: Release, place: RunbookPlace) -> list[RunbookStep]:
    table = release.table
    programs = tuple(
        f"{each.name} ({each.owner}) as {each.role.value} uses: {', '.join(each.uses)}." for each in table.integrations
    )
    receive = tuple(
        f"{tenant.id}: {each.name} ({each.owner}) receives within {spelled(each.within.total_seconds())}."
        for tenant in release.tenants for each in tenant.integrations.values()
    )  # fmt: skip
    both = ("ringgate integrations list", "ringgate integrations check")
    commands = [place.plain(each) for each in both] if receive else []  # they refuse where none is stated
    return [
        RunbookStep(
            "Know who talks to the ERP", (*programs, *receive) or ("None is stated in release or inventory.",),
            tuple(commands),
            decision="A change that breaks what is used and that nobody accepted: "
            f"{table.conditions.surface_broken.value}.",
        ),
    ]  # fmt: skip


def _application(release: Release, place: RunbookPlace) -> list[RunbookStep]:
    steps = [
        RunbookStep(
            "Check the files", (), (
                place.plain("ringgate tenants check"), place.line("ringgate release check", known=True),
                place.plain("ringgate tenants doctor"),
            ),
        ),
    ]  # fmt: skip
    if not place.platform:
        steps.append(_bracket(release, place))
        return [*steps, *_afterwards(release, place)]
    steps.append(
        RunbookStep(
            "Begin, or go on after anything that stopped it",
            ("Killed at any point, the same command goes on where it was. It says what it waits for.",),
            (place.line("ringgate rollout start", "--wait", known=True),),
        )
    )
    steps += [_ring(release, place, ring, tenants) for ring, tenants in release.rings]
    steps += _activation(release, place)
    steps += [
        RunbookStep(
            "Stop for a while", ("What is under way is verified to its end; nothing more is begun.",),
            (place.line("ringgate rollout pause", "the reason, in a sentence"), place.line("ringgate rollout resume")),
            only_if="somebody needs time to look",
        ),
        RunbookStep(
            "Take everything back", ("The last ring first, each tenant from the backup of its upgrade. No window is "
            "waited for. The report names what must be entered again.",),
            (place.line("ringgate rollout roll-back", "the reason, in a sentence", *_signed(release), known=True),),
            decision=f"{_roll_back(release)} decides it. Ringgate itself rolls back a ring for: "
            f"{_conditions(release)}.",
            only_if="it is decided",
        ),
        RunbookStep(
            "Begin again", ("All that was given for the rollout before is void: rings are approved anew.",),
            (place.line("ringgate rollout start", "--anew", "--wait", known=True),),
            only_if="everything was taken back, and the reason for it is no more",
        ),
    ]  # fmt: skip
    return [*steps, *_afterwards(release, place)]


def _activation(release: Release, place: RunbookPlace) -> list[RunbookStep]:
    """Switching on, and off again, what is deployed dark."""
    table = release.table
    if table.activation is None:
        return []
    flags = tuple(f"{each.name}: of {each.owner}, until {each.ends}." for each in table.activation.flags)
    asked, decision = _asked(release, ACTIVATION)
    approve = [shlex.join(["ringgate", "approve", place.file, "--ring", ACTIVATION])] if asked else []
    return [
        RunbookStep(
            "Switch the features on", (*flags, "Done by the rollout when every ring was promoted, ring by ring.",),
            (*approve, place.line("ringgate rollout flags", known=True)), decision=decision,
        ),
        RunbookStep(
            "Switch the features off", ("On every tenant, the last ring first. The tenants stay upgraded.",),
            (place.line("ringgate rollout switch-off", "the reason, in a sentence", known=True),),
            only_if="a feature does harm",
        ),
    ]  # fmt: skip


def _asked(release: Release, ring: str) -> tuple[bool, str]:
    """Whether something is opened only with approvals, and who decides it, in words."""
    approvals = release.table.approvals
    if approvals is None or ring not in approvals.rings:
        return False, "Opened without approval."
    who = "; ".join(
        f"{each.quorum} of {each.name} ({', '.join(person.name for person in each.people)})" for each in approvals.roles
    )
    holds = spelled(approvals.valid.total_seconds())
    return True, f"Opened when {who} approved, each by their own key; an approval holds for {holds}."


def _bracket(release: Release, place: RunbookPlace) -> RunbookStep:
    lines = [
        line for ring, _ in release.rings
        for line in (place.line("ringgate before", "--ring", ring, known=True),
                     place.line("ringgate after", "--ring", ring, known=True))
    ]  # fmt: skip
    words = "No platform was named: somebody else upgrades each ring between its two commands."
    return RunbookStep("Look before and after each ring", (words,), tuple(lines))


def _ring(release: Release, place: RunbookPlace, ring: str, tenants: Sequence[Tenant]) -> RunbookStep:
    asked, decision = _asked(release, ring)
    commands = [place.line("ringgate rollout status")]
    if asked:
        commands.append(shlex.join(["ringgate", "approve", place.file, "--ring", ring]))
    checks = "; ".join(sorted({release.plan_of(each.id).why for each in tenants}))
    return RunbookStep(
        f"Ring {ring}", (f"Tenants: {', '.join(each.id for each in tenants)}.", f"Verified by: {checks}."),
        tuple(commands), decision=decision,
    )  # fmt: skip


def _afterwards(release: Release, place: RunbookPlace) -> list[RunbookStep]:
    evidence = ["ringgate evidence verify", f"ringgate evidence pack {release.id} --out {release.id}.zip"]
    return [
        RunbookStep("Take back what killed runs left", (), (place.plain("ringgate recover"),)),
        RunbookStep("Keep the evidence", (), tuple(evidence)),
    ]


def _signed(release: Release) -> tuple[str, ...]:
    """What else a person gives who has it rolled back."""
    approvals = release.table.approvals
    return ("--key", "~/.ssh/id_ed25519") if approvals and approvals.roll_back else ()


def _roll_back(release: Release) -> str:
    approvals = release.table.approvals
    if not approvals or not approvals.roll_back:
        return " or ".join(release.table.approvers)
    people = {person.name for role in approvals.roles if role.name in approvals.roll_back for person in role.people}
    return f"{' or '.join(sorted(people))} ({' or '.join(approvals.roll_back)}, by their own key)"


def _conditions(release: Release) -> str:
    table = release.table.conditions
    names = [key for key in type(table).model_fields if getattr(table, key).value == "roll back"]
    return ", ".join(each.replace("_", " ") for each in names)


def _addresses(release: Release) -> tuple[tuple[str, str, str, str], ...]:
    found = []
    for ring, tenants in release.rings:
        for each in tenants:
            known = {"api": each.api, "web": each.web, **each.addresses}
            found += [(each.id, ring, what, where) for what, where in known.items() if where]
    return tuple(found)


def _gaps(release: Release) -> list[str]:
    found = []
    for what in ADDRESSES:
        without = [each.id for each in release.tenants if what not in each.addresses]
        if without:
            whom = "any tenant" if len(without) == len(release.tenants) else ", ".join(without)
            found.append(f"The inventory states no address of {what} for {whom} (addresses.{what}).")
    for name in ("application", "database", "integrations"):
        if release.table.runbook.part(name) is None:
            found.append(f"The release does not say who leads the part {name} (runbook.{name}).")
    return found
