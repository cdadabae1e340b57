"""Links from a run to the user's own log and trace tools: what templates of the inventory come to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from ringgate.domain.diagnostics import filled, places
from ringgate.domain.model import RunResult
from ringgate.report.text import clean


def links_of(templates: Mapping[str, str], run: RunResult) -> tuple[tuple[str, str], ...]:
    """Name and address of each, in their order."""
    ended = run.started_at + timedelta(seconds=run.seconds + run.undo_seconds)
    values = places(
        run.started_at, ended, trace_id=run.trace_id, run_id=run.run_id, tenant=run.tenant, ring=run.ring,
        scenario=run.scenario, channel=run.channel.value,
    )  # fmt: skip
    return tuple((clean(name, 60), filled(template, values)) for name, template in templates.items())
