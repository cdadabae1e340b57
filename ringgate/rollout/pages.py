"""The pages of a rehearsal: its report, beside it all its runs, and what changed for programs in full.

reports/out/rehearsal.html   rehearsal-runs.html   rehearsal-surface-aldgate.txt
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ringgate.domain.model import RunResult, Tenant
from ringgate.report import build_report
from ringgate.report.text import link
from ringgate.rollout.record import RehearsalRecord
from ringgate.rollout.release import Release
from ringgate.rollout.report import write_report
from ringgate.rollout.surface import listing


def write_pages(
    record: RehearsalRecord,
    release: Release,
    folder: Path,
    results: Sequence[RunResult],
    tenants: Sequence[Tenant],
    out: Path,
    evidence: Path,
) -> Path:
    """Writes the report to `out` and the others beside it. Returns `out`.

    `folder` is where the rehearsal keeps its files, `results` are its runs, `evidence` holds their attachments. What
    was meant to run is the rehearsal's own business; the page of runs shows what did.
    """
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
