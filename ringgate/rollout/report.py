"""The report of a rehearsal: one page that says how it ended and why, and then what was done to each tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ringgate.report.page import write_page
from ringgate.report.text import clean, clock, count, humanise, listed, moment, seconds
from ringgate.rollout.record import ACTIVATION_STAGES, STAGES, Objection, RehearsalRecord, StageRecord
from ringgate.rollout.release import Release
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.results import (
    BaselineResult,
    DrillResult,
    FingerprintResult,
    LostRow,
    NeighboursResult,
    RollbackResult,
    UpgradeResult,
    VerificationResult,
)  # fmt: skip
from ringgate.rollout.surface_view import surface_view

_STATES = {
    RolloutAction.PROMOTE: "passed",
    RolloutAction.PAUSE: "broken",
    RolloutAction.ROLL_BACK: "failed",
    None: "missing",
}
_WORDS = {
    RolloutAction.PROMOTE: "Promoted",
    RolloutAction.PAUSE: "Paused",
    RolloutAction.ROLL_BACK: "Rolled back",
    None: "Not begun",
}
_PARTS = ("close", "backup", "manual steps", "migration", "serve", "verify", "restore")
_NO_LISTS: Mapping[str, str] = {}


def conclusion(record: RehearsalRecord) -> str:
    """What it came to, and why if it was stopped."""
    return " ".join(filter(None, (headline(record), cause(record))))


def headline(record: RehearsalRecord) -> str:
    """What it came to, in a sentence."""
    for name, ring in record.rings.items():
        if ring.decision not in (None, RolloutAction.PROMOTE):
            done = "was rolled back" if ring.decision is RolloutAction.ROLL_BACK else "paused the rollout"
            return f"Ring {name} {done}."
    if record.waits:
        return f"The rollout waits: {record.waits.rstrip('.')}."
    for name, ring in record.activation.items():
        if ring.decision not in (None, RolloutAction.PROMOTE):
            done = "were switched off again" if ring.decision is RolloutAction.ROLL_BACK else "paused the rollout"
            return f"Features of ring {name} {done}; its tenants run {record.after}."
    tenants, rings = count(len(record.tenants), "tenant"), count(len(record.rings), "ring")
    books = (
        f"{count(len(record.left), 'record')} could not be taken back" if record.left else "the books are as they were"
    )
    lit = "; features are on everywhere" if record.activation and record.succeeded else ""
    return f"{tenants} went to {record.after} through {rings}{lit}; {books}."


def cause(record: RehearsalRecord) -> str:
    """Why it was stopped, in a sentence; "" if it was not."""
    stopped = record.stopped
    why = decisive(stopped.reasons) if stopped else None
    if stopped is None or why is None:
        return clean(" ".join(f"{each}." for each in record.left), 400)
    more = f" ({count(len(stopped.reasons) - 1, 'further reason')})" if len(stopped.reasons) > 1 else ""
    whom = f"{why.tenant}: " if why.tenant else ""
    return f"{whom}{clean(why.sentence, 400)}{more}"


def decisive(reasons: Sequence[Objection]) -> Objection | None:
    """The reason that explains the decision best: the first of the gravest kind."""
    grave = [each for each in reasons if each.action is RolloutAction.ROLL_BACK]
    return next(iter(grave or reasons), None)


def write_report(
    record: RehearsalRecord, release: Release, out: Path, runs: str = "", lists: Mapping[str, str] = _NO_LISTS
) -> Path:
    """Writes the page to `out`. `runs` is the address of the report of all runs, `lists` those of the full lists of
    surface changes by tenant."""
    return write_page("rehearsal.html.j2", context(record, release, runs, lists), out)


def context(record: RehearsalRecord, release: Release, runs: str, lists: Mapping[str, str]) -> dict[str, Any]:
    """Everything the template reads."""
    stopped = record.stopped
    state = _state(record)
    table = release.table
    return {
        "title": clean(record.title, 120),
        "state": state,
        "favicon": {"passed": "pass", "failed": "fail"}.get(state, "inconclusive"),
        "word": _WORDS[stopped.decision] if stopped else "Promoted" if record.succeeded else "Not finished",
        "left": [clean(each, 400) for each in record.left],
        "again": _again(record),
        "sentence": headline(record),
        "cause": cause(record) if stopped else "",
        "facts": _facts(record, release),
        "rings": [_ring(name, record) for name in record.rings],
        "stages": [humanise(name) for name in _stages(record)],
        "before_after": [_before_after(name, record) for name in record.tenants],
        "differences": _differences(record, waived=False),
        "waived": _differences(record, waived=True),
        "backups": _backups(record),
        "surface": surface_view(record, lists),
        "lost": _lost(record),
        "drills": _drills(record),
        "times": _times(record),
        "part_names": [name for name in _PARTS if any(name in _parts(record, tenant) for tenant in record.tenants)],
        "upgrades": _upgrades(record),
        "release": table,
        "components": [(name, part) for name, part in table.components if part.stated],
        "conditions": _conditions(record, release),
        "plan": release.plan_of("").why,
        "session": record.session,
        "skipped": record.skipped,
        "runs": runs,
        "generated": moment(record.ended or record.began),
        "generated_iso": (record.ended or record.began).isoformat(timespec="seconds"),
    }  # fmt: skip


def _state(record: RehearsalRecord) -> str:
    if record.succeeded:
        return "broken" if record.left else "passed"
    return _STATES[record.stopped.decision] if record.stopped else "missing"


def _facts(record: RehearsalRecord, release: Release) -> list[tuple[str, str, str]]:
    again = f"begun {count(record.starts, 'time')}" if record.starts > 1 else ""
    return [
        ("Release", record.release, f"{record.before} to {record.after}"),
        ("Risk class", record.risk, ""),
        ("Tenants", str(len(record.tenants)), f"{len(record.skipped)} left out" if record.skipped else ""),
        ("Rings", str(len(record.rings)), listed(record.rings)),
        ("Took", seconds(record.spent), again),
        ("Begun", f"{clock(record.began)[:16]} UTC", ""),
        ("Approvers", listed(release.table.approvers), ""),
    ]


def _conditions(record: RehearsalRecord, release: Release) -> list[tuple[str, str, bool]]:
    """Each condition in words, what happens when it is met, and whether it was."""
    both = (*record.rings.values(), *record.activation.values())
    met = {reason.condition for ring in both for reason in ring.reasons}
    table = release.table.conditions
    return [
        (field.description or key, getattr(table, key).value, key in met)
        for key, field in type(table).model_fields.items()
    ]


def _stages(record: RehearsalRecord) -> list[str]:
    more = [
        each for each in ("rollback", *ACTIVATION_STAGES)
        if any(each in tenant.stages for tenant in record.tenants.values())
    ]  # fmt: skip
    return [*STAGES, *more]


def _ring(name: str, record: RehearsalRecord) -> dict[str, Any]:
    ring, lit = record.rings[name], record.activation.get(name)
    rows = []
    for tenant, kept in record.tenants.items():
        if kept.ring == name:
            rows.append({"tenant": tenant, "cells": [_cell(kept.stages.get(stage)) for stage in _stages(record)]})
    background_load = ring.background_load
    return {
        "name": name,
        "state": _STATES[ring.decision],
        "word": _WORDS[ring.decision],
        "rows": rows,
        "reasons": [
            {"tenant": each.tenant, "what": humanise(each.condition), "sentence": clean(each.sentence, 600),
             "action": each.action.value} for each in (*ring.reasons, *(lit.reasons if lit else ()))
        ],
        "background_load": _background_load(background_load) if background_load else "",
        "took": seconds((ring.ended - ring.began).total_seconds()) if ring.ended and ring.began else "",
    }  # fmt: skip


def _background_load(load: NeighboursResult) -> str:
    if not load.neighbours:
        return "No neighbours were left to watch while it was migrated."
    told = listed(f"{number} {word}" for word, number in load.outcomes.items()) or "no run came to its end"
    slowest = f", the slowest in {seconds(load.slowest)}" if load.slowest else ""
    return f"While it was migrated, processes ran on {listed(load.neighbours)}: {told}{slowest}."


def _cell(stage: StageRecord | None) -> dict[str, str]:
    if stage is None:
        return {"state": "skipped", "word": "not done", "time": "", "note": ""}
    state = "missing" if stage.outcome == "running" else stage.outcome
    return {"state": state, "word": stage.outcome, "time": seconds(stage.seconds), "note": clean(stage.note, 120)}


def _before_after(tenant: str, record: RehearsalRecord) -> dict[str, Any]:
    of = record.tenants[tenant]
    baseline, after, books = of.result(BaselineResult), of.result(VerificationResult), of.result(FingerprintResult)
    now = books.books if books else {}
    upgraded = "upgrade" in of.stages and of.stages["upgrade"].outcome == "passed"
    series = record.after if upgraded and "rollback" not in of.stages else record.before
    before = baseline.books if baseline else {}
    return {
        "tenant": tenant,
        "ring": of.ring,
        "series": series,
        "moved": series != record.before,
        "books": [(name, f"{number:,}", f"{now[name]:,}" if name in now else "") for name, number in before.items()],
        "equal": books is not None and not books.differences,
        "compared": books is not None,
        "before": _counts([baseline.runs] if baseline else []),
        "after": [
            (humanise(layer), _counts([outcomes])) for layer, outcomes in (after.layers if after else {}).items()
        ],
        "begun": baseline.begun if baseline else 0,
        "finished": after.finished if after else 0,
    }


def _counts(each: Sequence[Mapping[str, int]]) -> str:
    sums: dict[str, int] = {}
    for outcomes in each:
        for word, number in outcomes.items():
            sums[word] = sums.get(word, 0) + number
    return listed(f"{number} {'not applicable' if word == 'skipped' else word}" for word, number in sums.items())


def _differences(record: RehearsalRecord, *, waived: bool) -> list[dict[str, str]]:
    return [
        {"tenant": tenant, **{key: clean(value, 400) for key, value in asdict(each).items()}}
        for tenant, of in record.tenants.items()
        if (books := of.result(FingerprintResult))
        for each in (books.waived if waived else books.differences)
    ]


def _again(record: RehearsalRecord) -> list[dict[str, str]]:
    """What was looked at twice, and what it came to."""
    rows = []
    for tenant, of in record.tenants.items():
        before, after = of.result(BaselineResult), of.result(VerificationResult)
        for each in (*(before.again if before else ()), *(after.again if after else ())):
            first, then = clean(each.first, 300), clean(each.then, 300)
            rows.append({"tenant": tenant, "check": each.check, "first": first, "then": then})
    return rows


def _lost(record: RehearsalRecord) -> list[dict[str, Any]]:
    """For each tenant that was rolled back: what somebody must do again, and what needs nothing."""
    found = []
    for tenant, of in record.tenants.items():
        if result := of.result(RollbackResult):
            again, nothing = ([_document(x) for x in result.lost if x.again is wanted] for wanted in (True, False))
            unread = clean(result.unread, 300)
            found.append({"tenant": tenant, "unread": unread, "again": again, "nothing": nothing})
    return found


def _document(row: LostRow) -> dict[str, str]:
    return {key: clean(value, 200) for key, value in asdict(row).items() if key != "again"}


def _backups(record: RehearsalRecord) -> list[dict[str, Any]]:
    """Each tenant's own newest backup, before the rollout touched it."""
    return [
        {
            "tenant": tenant,
            "backup": backup.name,
            "age": _ago(backup.seconds),
            "promised": _ago(backup.promised),
            "kept": backup.promised is not None and backup.kept,
        }
        for tenant, of in record.tenants.items()
        if (found := of.result(BaselineResult)) and (backup := found.backup)
    ]


def _drills(record: RehearsalRecord) -> list[dict[str, Any]]:
    return [
        {
            "tenant": tenant,
            "backup": drill.backup,
            "size": f"{drill.size / 1e6:.1f} MB",
            "time": seconds(drill.recovery_time),
            "promised": _ago(drill.promised),
            "kept": drill.promised is not None and drill.kept,
            "equal": not drill.differences,
        }
        for tenant, of in record.tenants.items()
        if (drill := of.result(DrillResult))
    ]


def _ago(value: float | None) -> str:
    if value is None:
        return "none"
    for unit, words in ((86400, "d"), (3600, "h"), (60, "min")):
        if value >= unit:
            return f"{value / unit:.3g} {words}"
    return seconds(value)


def _times(record: RehearsalRecord) -> list[dict[str, Any]]:
    """For each tenant its stages as parts of a bar, in percent of the longest tenant's."""
    sums = {name: sum(stage.seconds for stage in tenant.stages.values()) for name, tenant in record.tenants.items()}
    longest = max(sums.values(), default=0.0) or 1.0
    return [
        {
            "tenant": name,
            "total": seconds(sums[name]),
            "parts": [
                {"stage": stage, "time": seconds(kept.seconds), "percent": f"{100 * kept.seconds / longest:.2f}"}
                for stage, kept in tenant.stages.items()
            ],
        }
        for name, tenant in record.tenants.items()
        if tenant.stages
    ]


def _parts(record: RehearsalRecord, tenant: str) -> Mapping[str, float]:
    found = record.tenants[tenant].result(UpgradeResult)
    return found.parts if found else {}


def _upgrades(record: RehearsalRecord) -> list[dict[str, Any]]:
    return [
        {"tenant": name, "parts": {part: seconds(took) for part, took in _parts(record, name).items()}}
        for name in record.tenants
        if _parts(record, name)
    ]
