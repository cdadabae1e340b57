"""The page of duties: every change with who did what, and the gaps first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ringgate.evidence.duties import ChangeDuties, DutiesReport, DutyDone
from ringgate.report.page import write_page
from ringgate.report.text import clean, count, moment

_STATES = {"unchanged": "passed", "changed": "failed", "never tested": "missing"}


def write_duties(report: DutiesReport, problems: Sequence[str], out: Path) -> Path:
    """Writes the page. `problems` are what is wrong with the chain of evidence itself."""
    return write_page("duties.html.j2", duties_context(report, problems, datetime.now(UTC)), out)


def duties_context(report: DutiesReport, problems: Sequence[str], now: datetime) -> dict[str, Any]:
    """Everything the template reads."""
    gaps = sum(len(each.gaps) for each in report.changes) + len(report.unknown)
    state = "failed" if problems else "broken" if gaps or not report.changes else "passed"
    word = {"failed": "Changed", "broken": "Gaps", "passed": "Complete"}[state]
    sentence = f"{count(len(report.changes), 'change')}, {count(gaps, 'gap')}."
    return {
        "state": state, "word": "No change" if not report.changes and not problems else word, "sentence": sentence,
        "favicon": {"passed": "pass", "failed": "fail"}.get(state, "inconclusive"),
        "problems": [clean(each, 300) for each in problems],
        "population": [(name, number) for name, number in report.population.items()],
        "changes": [change_view(each) for each in report.changes],
        "unknown": [(clean(release, 100), clean(ring, 60)) for release, ring in report.unknown],
        "generated": moment(now), "generated_iso": now.isoformat(timespec="seconds"),
    }  # fmt: skip


def change_view(each: ChangeDuties) -> dict[str, Any]:
    """One change, for the templates."""
    return {
        "release": clean(each.release, 100), "ring": clean(each.ring, 60), "led_as": clean(each.led_as, 60),
        "state": "broken" if each.gaps else "passed",
        "duties": [
            _duty("Authorisation", each.authorisation), _duty("Test", each.test), _duty("Approval", each.approval),
            _duty("Deployment", each.deployment),
        ],
        "controls": [
            {"name": control.name, "state": _STATES[control.state], "word": control.state, "words": control.words,
             "tested": f"{moment(control.tested)}, entry {control.entry}" if control.tested else ""}
            for control in each.controls
        ],
        "gaps": [clean(gap, 300) for gap in each.gaps],
    }  # fmt: skip


def _duty(name: str, duty: DutyDone) -> dict[str, Any]:
    return {
        "name": name, "what": clean(duty.what, 300), "by": clean(", ".join(duty.by), 200) or "nobody",
        "at": moment(duty.at) if duty.at else "", "entries": ", ".join(map(str, duty.entries[:8])),
        "state": "passed" if duty.by else "missing",
    }  # fmt: skip
