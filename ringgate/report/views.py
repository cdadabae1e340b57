"""What the page's sections show, made from results: every text in here is clean, and every path checked."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ringgate.domain.model import Attachment, Failure, RunResult, Scenario, Tenant
from ringgate.domain.terms import InvoiceMethod, Outcome
from ringgate.report.images import Picture, embed
from ringgate.report.links import links_of
from ringgate.report.matrix import STATE_WORDS, CellState, Matrix
from ringgate.report.text import (
    CHANNEL_WORDS,
    DASH,
    LONG,
    TRACEBACK,
    approval_words,
    clean,
    clock,
    count,
    fault,
    host,
    humanise,
    inside,
    link,
    listed,
    relative,
    seconds,
    tax_words,
    unique,
)

ROOM = 8_000_000
"""Bytes of pictures in one page; beyond it they are linked."""
MOST_PICTURES = 3
"""Pictures of one failure that are shown; the others are linked."""


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A file next to the page. `href` is "" where it is gone, `command` what opens a trace, `picture` what is shown."""

    name: str
    kind: str
    href: str
    path: str
    command: str = ""
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of a failed run."""

    name: str
    seconds: str
    state: str


@dataclass(frozen=True, slots=True)
class FailureView:
    """A run that did not pass. `links` are names and addresses in others' tools, `erp_log` what the ERP's log said."""

    anchor: str
    state: str
    scenario: str
    tenant: str
    channel: str
    fault: str
    kind: str
    message: str
    checked: str
    step: str
    expected: str
    actual: str
    because: str
    traceback: str
    steps: tuple[StepView, ...]
    evidence: tuple[EvidenceView, ...]
    run_id: str
    duration: str
    links: tuple[tuple[str, str], ...] = ()
    erp_log: str = ""


@dataclass(frozen=True, slots=True)
class ResidueView:
    """Something that was written and not undone."""

    tenant: str
    scenario: str
    verb: str
    marker: str
    reason: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Absence:
    """What does not apply, and why: `where` names tenants and channels."""

    anchor: str
    scenario: str
    where: str
    reason: str
    number: int


@dataclass(frozen=True, slots=True)
class TenantView:
    """A tenant's rules, for the table of tenants. Users and secrets are no part of it."""

    id: str
    name: str
    erp: str
    ring: str
    region: str
    currency: str
    decimals: str
    tax: str
    rounding: str
    halves: str
    approval: str
    invoicing: str
    language: str
    timezone: str
    paused: str


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One run, for the auditor."""

    anchor: str
    tenant: str
    scenario: str
    channel: str
    state: str
    started: str
    duration: str
    undo: str
    calls: int
    seed: int
    run_id: str
    trace_id: str


def anchors(results: Sequence[RunResult]) -> dict[int, str]:
    """Where each run is found on the page, by `id(run)`: run ids are others' text and may repeat."""
    return {
        id(run): f"{'failure' if run.outcome in (Outcome.FAILED, Outcome.BROKEN) else 'run'}-{number}"
        for number, run in enumerate(results, 1)
    }


def failures(
    results: Sequence[RunResult],
    matrix: Matrix,
    where: Mapping[int, str],
    page: Path,
    root: Path,
    tenants: Sequence[Tenant] = (),
) -> tuple[FailureView, ...]:
    """Failed runs, then broken ones, each in the order of the matrix."""
    bad = [run for run in results if run.outcome in (Outcome.FAILED, Outcome.BROKEN)]
    order = {key: number for number, key in enumerate(matrix.cells)}
    bad.sort(key=lambda r: (r.outcome is Outcome.BROKEN, order[r.tenant, r.scenario, r.channel], r.started_at))
    room, made = ROOM, []
    links = {tenant.id: tenant.links for tenant in tenants}
    for run in bad:
        view = _failure(run, where[id(run)], page, root, room, links.get(run.tenant, {}))
        room -= sum(len(item.picture.uri) for item in view.evidence if item.picture)
        made.append(view)
    return tuple(made)


def _failure(run: RunResult, anchor: str, page: Path, root: Path, room: int, links: Mapping[str, str]) -> FailureView:
    said = run.failure
    message, checked = _said(said)
    evidence: list[EvidenceView] = []
    for item in run.attachments:
        shown = sum(1 for made in evidence if made.picture)
        made = _evidence(item, page, root, room if shown < MOST_PICTURES else 0)
        room -= len(made.picture.uri) if made.picture else 0
        evidence.append(made)
    return FailureView(
        anchor=anchor,
        state=run.outcome.value,
        scenario=humanise(run.scenario),
        tenant=clean(run.tenant, 60),
        channel=CHANNEL_WORDS[run.channel],
        fault=fault(run.outcome, said),
        kind=clean(said.kind, 40) if said else "",
        message=message,
        checked=checked,
        step=clean(said.step, 120) if said else "",
        expected=clean(said.expected) if said else "",
        actual=clean(said.actual) if said else "",
        because=clean(said.because) if said else "",
        traceback=clean(said.traceback, TRACEBACK) if said else "",
        steps=tuple(StepView(clean(s.name, 120), seconds(s.seconds), s.outcome.value) for s in run.steps),
        evidence=tuple(evidence),
        run_id=clean(run.run_id, 80),
        duration=seconds(run.seconds),
        links=links_of(links, run),
        erp_log=next((_log(root, item) for item in run.attachments if item.kind == "log"), ""),
    )


def _log(root: Path, item: Attachment) -> str:
    file = inside(root, item.path)
    return clean(file.read_text(encoding="utf-8", errors="replace"), TRACEBACK) if file else ""


def _said(failure: Failure | None) -> tuple[str, str]:
    """The message, and what was checked: an expectation's message repeats what stands beside it, but for its start."""
    if failure is None or not failure.message:
        return "No reason was recorded.", ""
    what, repeats, _ = failure.message.partition(f": expected {failure.expected}, but it is {failure.actual}")
    if failure.expected and failure.actual and repeats:
        return "", clean(what)
    return clean(failure.message), ""


def _evidence(item: Attachment, page: Path, root: Path, room: int) -> EvidenceView:
    name, kind = clean(item.name, 120) or clean(item.kind, 40), clean(item.kind, 40)
    file = inside(root, item.path)
    if file is None:
        return EvidenceView(name, kind, "", clean(item.path, 200))
    path = relative(file, page)
    command = f"playwright show-trace {shlex.quote(path)}" if kind == "trace" else ""
    picture = embed(file, room) if kind == "screenshot" and room > 0 else None
    return EvidenceView(name, kind, link(path), clean(path, 300), clean(command, 400), picture)


def residue(results: Sequence[RunResult]) -> tuple[ResidueView, ...]:
    """What was not undone, by tenant."""
    left = [(run, item) for run in results for item in run.residue]
    left.sort(key=lambda pair: (pair[1].tenant, pair[0].started_at))
    return tuple(
        ResidueView(
            clean(item.tenant, 60),
            humanise(run.scenario),
            clean(item.verb, 80).replace("_", " "),
            clean(item.marker, 120),
            clean(item.reason),
            clean(item.run_id, 80),
        )
        for run, item in left
    )


def absences(matrix: Matrix) -> tuple[dict[tuple[str, str, str], str], tuple[Absence, ...]]:
    """Not applicable checks, one entry for each scenario and reason; and each cell's anchor."""
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for cell in matrix.of(CellState.SKIPPED):
        key = (cell.scenario, clean(cell.reason, LONG) or "no reason was recorded")
        groups.setdefault(key, []).append((cell.tenant, cell.channel.value))
    found, made = {}, []
    order = sorted(groups.items(), key=lambda pair: matrix.scenarios.index(pair[0][0]))
    for number, ((scenario, reason), cells) in enumerate(order, 1):
        anchor = f"absent-{number}"
        found.update({(tenant, scenario, channel): anchor for tenant, channel in cells})
        made.append(Absence(anchor, humanise(scenario), _where(cells, matrix), reason, len(cells)))
    return found, tuple(made)


def _where(cells: Sequence[tuple[str, str]], matrix: Matrix) -> str:
    """`bleecker`, or `kyoto (browser)`, or `all tenants`: channels only where not all of them are meant."""
    by_tenant: dict[str, list[str]] = {}
    for tenant, channel in cells:
        by_tenant.setdefault(tenant, []).append(channel)
    every = len(matrix.channels)
    if len(by_tenant) == len(matrix.tenants) > 1 and len({tuple(c) for c in by_tenant.values()}) == 1:
        channels = next(iter(by_tenant.values()))
        return "all tenants" if len(channels) == every else f"all tenants ({listed(channels)})"
    return listed(clean(t, 60) if len(c) == every else f"{clean(t, 60)} ({listed(c)})" for t, c in by_tenant.items())


def tenant_views(tenants: Sequence[Tenant]) -> tuple[TenantView, ...]:
    """The tenants' rules in words."""
    made = []
    for t in tenants:
        p = t.policy
        decimals = "no decimals" if p.currency.digits == 0 else count(p.currency.digits, "decimal")
        paused = f"until {t.paused_until}: {t.paused_reason}".removesuffix(": ") if t.paused_until else ""
        made.append(
            TenantView(
                id=clean(t.id, 60),
                name=clean(t.name, 120),
                erp=erp_name(t),
                ring=clean(t.ring, 40),
                region=clean(" / ".join(unique([t.region, t.residency])), 80),
                currency=p.currency.code,
                decimals=decimals,
                tax=tax_words(p),
                rounding=f"by {p.tax_rounding.value}" if p.taxes else DASH,
                halves=p.rounding_mode.value if p.taxes else "",
                approval=approval_words(p.approval, p.currency.code),
                invoicing="by hours logged" if p.invoice_method is InvoiceMethod.TIMESHEET else "by hours planned",
                language=clean(t.language, 20),
                timezone=clean(t.timezone, 60),
                paused=clean(paused, 300),
            )
        )
    return tuple(made)


def audit(results: Sequence[RunResult], where: Mapping[int, str]) -> tuple[AuditRow, ...]:
    """Every run, in the order they were started."""
    return tuple(
        AuditRow(
            anchor=where[id(run)],
            tenant=clean(run.tenant, 60),
            scenario=humanise(run.scenario),
            channel=CHANNEL_WORDS[run.channel],
            state=STATE_WORDS[CellState(run.outcome.value)],
            started=clock(run.started_at),
            duration=seconds(run.seconds),
            undo=seconds(run.undo_seconds) if run.undo_seconds else DASH,
            calls=run.calls,
            seed=run.seed,
            run_id=clean(run.run_id, 80),
            trace_id=clean(run.trace_id, 80),
        )
        for run in sorted(results, key=lambda run: run.started_at)
    )


def facts(
    results: Sequence[RunResult], tenants: Sequence[Tenant], matrix: Matrix, release: str
) -> tuple[tuple[str, str, str], ...]:
    """Label, value and small print: where, with which release, when and how long."""
    made = []
    erps = unique(erp_name(t) for t in tenants)
    hosts = unique(host(t.api) for t in tenants)
    named = clean(release, 80) or clean(listed(unique(run.release for run in results), 3), 160)
    if named:
        made.append(("Release", named, listed((erp for erp in erps if erp not in named), 3)))
    elif erps:
        made.append(("ERP", listed(erps, 3), ""))
    rings = unique(clean(r, 40) for r in (*(t.ring for t in tenants), *(run.ring for run in results)))
    ringed = f"{'ring' if len(rings) == 1 else 'rings'} {listed(rings)}" if rings else ""
    made.append(("Where", count(len(matrix.tenants), "tenant"), ringed))
    if hosts:
        made.append(("Host", listed(hosts, 2), ""))
    ran = [run for run in results if run.outcome is not Outcome.SKIPPED]
    if ran:
        began = min(run.started_at for run in ran)
        ended = max(run.started_at + timedelta(seconds=run.seconds + run.undo_seconds) for run in ran)
        made.append(("Started", clock(began)[:16] + " UTC", ""))
        work = sum(run.seconds + run.undo_seconds for run in ran)
        work_words = f"{seconds(work)} of work in {count(len(ran), 'run')}"
        made.append(("Took", seconds((ended - began).total_seconds()), work_words))
    return tuple(made)


def erp_name(tenant: Tenant) -> str:
    """`Tryton 7.0`."""
    return f"{clean(tenant.erp, 40).capitalize()} {clean(tenant.series, 20)}".strip()


def scenario_titles(scenarios: Sequence[Scenario]) -> dict[str, str]:
    """What each scenario says of itself, by id."""
    return {scenario.id: clean(scenario.title, 200) for scenario in scenarios}
