"""How long what was found out is kept, by its kind. Values, and no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Retention:
    """`passed`: runs that passed, were skipped or stopped, one by one. `failures`: those that failed or broke. `hours`:
    all of them as columns, rolled up to hours: what baselines and figures rest on. `samples`: platform signals.
    `evidence`: screenshots and traces of runs, and of these at most so many bytes."""

    passed: timedelta = timedelta(days=30)
    failures: timedelta = timedelta(days=180)
    hours: timedelta = timedelta(days=400)
    samples: timedelta = timedelta(days=30)
    evidence: timedelta = timedelta(days=30)
    evidence_bytes: int = 5 * 10**9
