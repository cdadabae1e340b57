"""`ringgate approve release.toml --ring R`: lets a ring be opened, by one's own key."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringgate.cli.common import Exit, UsageMistake
from ringgate.cli.release import ReleaseArgument
from ringgate.cli.runs import ResultsOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringgate.evidence import EvidenceChain, EvidenceEntry, NewEvidence
    from ringgate.evidence.signing import SigningKey
    from ringgate.rollout.approval_tables import ApprovalsTable
    from ringgate.rollout.approvals import ApprovalSubject


def add_to(app: typer.Typer) -> None:
    """Puts the command on `ringgate` itself."""
    app.command()(approve)


def approve(
    release: ReleaseArgument,
    ring: Annotated[str, typer.Option(metavar="NAME", help="The ring that may be opened; activation, for features.")],
    key: Annotated[
        Path, typer.Option(metavar="FILE", help="Your own private key, Ed25519, as ssh-keygen or OpenSSL writes it.")
    ] = Path("~/.ssh/id_ed25519"),
    role: Annotated[
        str, typer.Option(metavar="NAME", help="As whom you approve, where you have several roles.", show_default=False)
    ] = "",
    freeze: Annotated[
        str, typer.Option(metavar="NAME", help="A freeze that the ring may pass; it is not opened by that alone.",
                          show_default=False)
    ] = "",
    session: Annotated[
        str, typer.Option(metavar="ID", show_default=False, help="The rollout [default: the one begun last].")
    ] = "",
    results: ResultsOption = None,
) -> int:  # fmt: skip
    """Approve that a rollout opens a ring, switches its features on, or passes a freeze on a ring.

    Who may is in the release, `[approvals]`. An approval is of the release, the ring's tenants as the inventory has
    them, and the verdict on the ring before: when any of them changes it is void. Ends with 0 if it was noted, 1 if it
    is refused, 2 if the store cannot be written, 3 for wrong use.
    """
    from ringgate.evidence import EvidenceChain, this_actor
    from ringgate.evidence.signing import SigningKey
    from ringgate.host.paths import results_url
    from ringgate.inventory.files import nearest
    from ringgate.rollout.release import read_release
    from ringgate.store import Store

    table, digest = read_release(release)
    if freeze and freeze not in (names := [each.name for each in table.rollout.freezes]):
        raise UsageMistake(f"{release} has no freeze {freeze}{nearest(freeze, names)}")
    if table.approvals is None or (ring not in table.approvals.rings and not freeze):
        asked = ", ".join(table.approvals.rings) if table.approvals else "none of its rings"
        raise UsageMistake(f"{release} asks for approvals of {asked}, and not of {ring}.")
    own = SigningKey.load(key.expanduser(), lambda: str(typer.prompt("Passphrase", hide_input=True, err=True)))
    store = Store(results_url(results))
    try:
        chain = EvidenceChain(store, this_actor())
        entries = chain.entries(release=table.id)
        try:
            start = _start(entries, session, table.id, digest)
            subject = replace(_subject(entries, start, ring, table.id, digest), freeze=freeze)
            told = _approved(chain, entries, table.approvals, subject, own, role, release)
        except _Refused as error:
            typer.secho(f"refused: {error}.", fg="red", err=True)
            return Exit.FAILED
    finally:
        store.close()
    typer.echo(told)
    return Exit.OK


class _Refused(Exception):
    """With the reason, in words."""


def _start(entries: Sequence[EvidenceEntry], session: str, release: str, digest: str) -> EvidenceEntry:
    from ringgate.evidence import EvidenceKind

    starts = [
        each for each in entries
        if each.kind is EvidenceKind.START and session in ("", each.body["session"])
    ]  # fmt: skip
    if not starts:
        raise _Refused(f"no rollout of {release} has begun: start it, and it waits for you")
    if starts[-1].body["digests"]["release"] != digest:
        raise _Refused("the release is not the one that is rolled out: it was changed since it began")
    return starts[-1]


def _subject(
    entries: Sequence[EvidenceEntry], start: EvidenceEntry, ring: str, release: str, digest: str
) -> ApprovalSubject:
    from ringgate.rollout.approval_wait import ring_before
    from ringgate.rollout.approvals import ApprovalSubject, verdict_before

    try:
        before = ring_before(ring, [each["ring"] for each in start.body["rings"]])
    except ValueError:
        raise _Refused(f"{ring} has no tenant in this rollout") from None
    session = start.body["session"]
    verdict = verdict_before(entries, session, before) if before else ""
    if before and not verdict:
        raise _Refused(f"there is no verdict on {before} yet, and it is part of what you approve")
    return ApprovalSubject(release, ring, session, digest, start.body["digests"]["inventory"][ring], verdict)


def _approved(
    chain: EvidenceChain, entries: Sequence[EvidenceEntry], table: ApprovalsTable, subject: ApprovalSubject,
    key: SigningKey, role: str, path: Path,
) -> str:  # fmt: skip
    from ringgate.rollout.activation_tables import ACTIVATION
    from ringgate.rollout.approval_wait import authors_of
    from ringgate.rollout.approvals import ApprovalRefused, approve, given_for, involved_in, judge_approvals

    now = datetime.now(UTC)
    report = chain.verify()
    if not report.holds:
        raise _Refused(f"the evidence was changed ({report.problems[0]})")
    try:
        new = approve(table, subject, key, now, role=role)
    except ApprovalRefused as error:
        raise _Refused(str(error)) from None
    given = given_for(entries, subject.ring, subject.freeze)
    involved = involved_in(entries, subject.session, {table.author, *authors_of(path)}, ())
    tried = _entry(new, len(given))
    state = judge_approvals(table, subject, [*given, tried], involved, now)
    if tried not in state.counted:
        raise _Refused(state.refused[-1].split(": ", 1)[1])
    chain.append(new)
    may = "Its features may be switched on." if subject.ring == ACTIVATION else "The ring may be opened."
    if subject.freeze:
        may = f"It may pass the freeze {subject.freeze}."
    missing = f"Missing still: {', '.join(state.missing)}." if state.missing else may
    what = f"that {subject.ring} passes the freeze {subject.freeze}" if subject.freeze else subject.ring
    verdict = f", and the verdict {subject.verdict_digest[:16]}..." if subject.verdict_digest else ""
    return (
        f"noted: {new.body['person']} approves {what} as {new.body['role']}, until "
        f"{new.body['ends']:%Y-%m-%d %H:%M} UTC: release {subject.release_digest[:16]}..., inventory "
        f"{subject.inventory_digest[:16]}...{verdict}. {missing}"
    )


def _entry(new: NewEvidence, number: int) -> EvidenceEntry:
    """As it would be noted."""
    from ringgate.evidence import EvidenceEntry, this_actor
    from ringgate.evidence.canonical import plain

    body: dict[str, Any] = plain(new.body)
    return EvidenceEntry(number, "", datetime.now(UTC), new.kind, new.key, new.release, new.ring, this_actor(), body)
