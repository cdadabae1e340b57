"""Results as the store's rows and blocks, and back.

Steps: their start and length in microseconds, four bytes each, or eight for all where one is longer than an hour.
Blocks: runs after one another as `domain.columns.RECORD` has them; packed ones are compressed by columns.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from ringgate.domain.labels import RunLabels, RunShape, microseconds, moment_of, span_of
from ringgate.domain.model import Attachment, Failure, RunResult, Step
from ringgate.domain.terms import Basis, Channel, Invariant, Outcome, Source, StepKind
from ringgate.store.rows import residue_of

RECORD = struct.Struct("<IIqIII")
"""One run in a block: keys of its labels and its shape, start, and the spans that it, undoing it, and posting took."""


class RunRow(NamedTuple):
    """A row of `tables.runs`, in the order of its columns."""

    started_at: int
    recorded_at: int
    seconds: float
    undo_seconds: float
    labels: int
    shape: int
    session: int
    calls: int
    run_id: str
    trace_id: bytes
    steps: bytes | None
    details: str | None


_SHORT = 2**32
_HEX = 32


def run_row(result: RunResult, labels: int, shape: int, session: int, recorded: int) -> dict[str, Any]:
    return {
        "run_id": result.run_id, "trace_id": _trace(result.trace_id), "labels": labels, "shape": shape,
        "session": session, "started_at": microseconds(result.started_at), "recorded_at": recorded,
        "seconds": result.seconds, "undo_seconds": result.undo_seconds, "calls": result.calls,
        "steps": step_times(result.steps), "details": _details(result),
    }  # fmt: skip


def run_of(
    row: Any, labels: Mapping[int, RunLabels], shapes: Mapping[int, RunShape], session: str, *, steps: bool = True
) -> RunResult:
    """The result of a row, with or without its steps."""
    what, shape = labels[row.labels], shapes[row.shape]
    said: Mapping[str, Any] = json.loads(row.details) if row.details else {}
    return RunResult(
        run_id=row.run_id, trace_id=trace_text(bytes(row.trace_id)), session=session, release=what.release,
        source=what.source, scenario=what.scenario, tenant=what.tenant, ring=what.ring, channel=what.channel,
        server=what.server, outcome=shape.outcome, started_at=moment_of(row.started_at), seconds=row.seconds,
        undo_seconds=row.undo_seconds, calls=row.calls, reason=said.get("reason", ""),
        failure=_failure(said["failure"]) if "failure" in said else None,
        steps=_steps(row.steps, shape) if steps else (),
        residue=tuple(map(residue_of, said.get("residue", ()))),
        attachments=tuple(Attachment(**each) for each in said.get("attachments", ())),
    )  # fmt: skip


def record(result: RunResult, labels: int, shape: int) -> bytes:
    """The run in a block."""
    spans = (span_of(each) for each in (result.seconds, result.undo_seconds, result.posting / 1e6))
    return RECORD.pack(labels, shape, microseconds(result.started_at), *spans)


# --- labels and shapes ------------------------------------------------------------------------------------------------


def labels_row(labels: RunLabels) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(labels).items()}


def labels_from(row: Any) -> RunLabels:
    return RunLabels(
        Source(row.source), row.release, row.scenario, row.tenant, row.ring, Channel(row.channel), row.server
    )


def shape_row(shape: RunShape) -> dict[str, Any]:
    steps = json.dumps([_step_words(*each) for each in shape.steps], ensure_ascii=False)
    failure = None
    if shape.failure is not None:
        parts = (shape.failure.kind, shape.failure.step, shape.failure.basis, shape.failure.invariant)
        failure = json.dumps(parts, ensure_ascii=False)
    digest = hashlib.sha256(f"{shape.outcome}\n{steps}\n{failure}".encode()).hexdigest()
    return {"digest": digest, "outcome": shape.outcome.value, "steps": steps, "failure": failure}


def shape_from(row: Any) -> RunShape:
    failure = None
    if row.failure:
        kind, step, basis, invariant = json.loads(row.failure)
        failure = Failure(kind, "", step, basis=_basis(basis), invariant=_invariant(invariant))
    return RunShape(Outcome(row.outcome), tuple(_step_from(*each) for each in json.loads(row.steps)), failure)


def _step_words(name: str, outcome: Outcome, kind: StepKind | None) -> list[str]:
    """Its kind is left out where it has none: so stores hold it from before there were kinds."""
    return [name, outcome.value, *([kind.value] if kind else [])]


def _step_from(name: str, outcome: str, kind: str = "") -> tuple[str, Outcome, StepKind | None]:
    return name, Outcome(outcome), StepKind(kind) if kind else None


# --- parts ------------------------------------------------------------------------------------------------------------


def step_times(steps: Sequence[Step]) -> bytes | None:
    if not steps:
        return None
    times = [round(1e6 * max(0.0, each)) for step in steps for each in (step.start, step.seconds)]
    return struct.pack(f"<{len(times)}{'I' if max(times) < _SHORT else 'Q'}", *times)


def is_short(times: bytes, steps: int) -> bool:
    """Whether the times of so many steps take four bytes each."""
    return len(times) == 8 * steps


def _steps(times: bytes | None, shape: RunShape) -> tuple[Step, ...]:
    if not times:
        return ()
    number = 2 * len(shape.steps)
    found = struct.unpack(f"<{number}{'I' if is_short(times, len(shape.steps)) else 'Q'}", times)
    return tuple(
        Step(name, found[2 * n] / 1e6, found[2 * n + 1] / 1e6, outcome, kind)
        for n, (name, outcome, kind) in enumerate(shape.steps)
    )


def _details(result: RunResult) -> str | None:
    """What only few runs have, as JSON; None for a run that has nothing of it."""
    said: dict[str, Any] = {}
    if result.reason:
        said["reason"] = result.reason
    if result.failure is not None:
        said["failure"] = {name: value for name, value in asdict(result.failure).items() if value}
    if result.residue:
        said["residue"] = [asdict(each) for each in result.residue]
    if result.attachments:
        said["attachments"] = [asdict(each) for each in result.attachments]
    return json.dumps(said, ensure_ascii=False) if said else None


def _failure(kept: Mapping[str, Any]) -> Failure:
    words = {"kind": "", "message": "", **kept}
    basis = words.pop("ground", words.get("basis"))  # "ground" in stores of before
    return Failure(**{**words, "basis": _basis(basis), "invariant": _invariant(words.get("invariant"))})


def _basis(word: str | None) -> Basis | None:
    return Basis(word) if word else None


def _invariant(word: str | None) -> Invariant | None:
    return Invariant(word) if word else None


def _trace(text: str) -> bytes:
    """16 bytes for the 32 digits that a trace's id has; whatever else somebody took for one as it is."""
    if len(text) == _HEX and all(each in "0123456789abcdef" for each in text):
        return bytes.fromhex(text)
    return b"=" + text.encode() + b"=" * (len(text.encode()) == 15)


def trace_text(kept: bytes) -> str:
    """The id of a trace, as it was given."""
    return kept.hex() if len(kept) == 16 else kept[1:].decode().rstrip("=")
