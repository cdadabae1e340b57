"""The pages of a rehearsal: its report, beside it all its runs, and what changed for programs in full.

reports/out/rehearsal.html   rehearsal-runs.html   rehearsal-surface-aldgate.txt
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ringgate.domain.model import Residue, RunResult, Tenant
from ringgate.domain.terms import Outcome
from ringgate.report import build_report
from ringgate.report.text import link
from ringgate.rollout.record import RehearsalRecord
from ringgate.rollout.release import Release
from ringgate.rollout.report import write_report
from ringgate.rollout.stages.blame import UNDONE_LATE, kind_of, needs_second_look, passed
from ringgate.rollout.surface import listing


def write_pages(
    record: RehearsalRecord,
    release: Release,
    folder: Path,
    results: Sequence[RunResult],
    tenants: Sequence[Tenant],
    out: Path,
    evidence: Path,
    left: Sequence[Residue] = (),
) -> Path:
    """Writes the report to `out` and the others beside it. Returns `out`.

    `folder` is where the rehearsal keeps its files, `results` are its runs, `evidence` holds their attachments, `left`
    is what is left behind now. What was meant to run is the rehearsal's own business; the page of runs shows what did,
    as the rehearsal judged it.
    """
    results = as_judged(results, left)
    lists, runs = {}, ""
    for tenant in record.tenants:
        if (kept := listing(folder, tenant)).is_file():
            file = out.with_name(f"{out.stem}-surface-{tenant}.txt")
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept, file)
            lists[tenant] = link(file.name)
    if results:
        ran = {result.tenant for result in results}
        page = build_report(
            results, [tenant for tenant in tenants if tenant.id in ran], (),
            title=f"All runs of the rehearsal of {record.title}", generated_at=record.ended or datetime.now(UTC),
            release=record.release, out=out.with_name(f"{out.stem}-runs.html"), attachments_root=evidence,
            channels=sorted({result.channel for result in results}), part_of=("The rehearsal", link(out.name)),
        )  # fmt: skip
        runs = link(page.name)
    return write_report(record, release, out, runs, lists)


def as_judged(results: Sequence[RunResult], left: Sequence[Residue]) -> list[RunResult]:
    """The runs as the stages judged them: what proved nothing is left out where a second look passed, and what was
    taken back later has passed and left nothing. `left` is what is left now."""
    still = {(each.run_id, each.verb, each.marker) for each in left}
    last_passed = {_check(each): each.started_at for each in results if passed(each)}
    found = []
    for each in results:
        if needs_second_look(each) and (again := last_passed.get(_check(each))) and again > each.started_at:
            continue
        residue = tuple(x for x in each.residue if (x.run_id, x.verb, x.marker) in still)
        judged = replace(each, residue=residue)
        if not residue and kind_of(each) in UNDONE_LATE:
            judged = replace(judged, outcome=Outcome.PASSED, failure=None)
        found.append(judged)
    return found


def _check(result: RunResult) -> tuple[str, str, str]:
    return result.tenant, result.scenario, result.channel.value
