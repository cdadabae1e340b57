"""Results as rows of the store, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ringgate.domain.model import Attachment, Failure, Residue, RunResult, Step
from ringgate.domain.terms import Basis, Channel, Invariant, Outcome, ResidueCause, Source, StepKind


def aware(moment: datetime) -> datetime:
    """SQLite keeps no zone; what was written is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def row_of(result: RunResult) -> dict[str, Any]:
    """Plain values, but for `started_at`. What was touched and what was raised are not in it."""

    def plain(values: Sequence[Any]) -> list[dict[str, Any]]:
        return [asdict(value) for value in values]

    return {
        "run_id": result.run_id, "trace_id": result.trace_id, "session": result.session, "release": result.release,
        "source": result.source.value, "scenario": result.scenario, "tenant": result.tenant, "ring": result.ring,
        "channel": result.channel.value, "outcome": result.outcome.value,
        "started_at": result.started_at.astimezone(UTC), "seconds": result.seconds,
        "undo_seconds": result.undo_seconds, "calls": result.calls, "reason": result.reason,
        "failure": asdict(result.failure) if result.failure else None, "steps": plain(result.steps),
        "residue": plain(result.residue), "attachments": plain(result.attachments), "server": result.server,
    }  # fmt: skip


def result_of(row: Any) -> RunResult:
    """The result of a row, be it the database's or one of `row_of`."""
    return RunResult(
        run_id=row["run_id"], trace_id=row["trace_id"], session=row["session"], release=row["release"],
        source=Source(row["source"]), scenario=row["scenario"], tenant=row["tenant"], ring=row["ring"],
        channel=Channel(row["channel"]), outcome=Outcome(row["outcome"]), started_at=aware(row["started_at"]),
        seconds=row["seconds"], undo_seconds=row["undo_seconds"], calls=row["calls"], reason=row["reason"],
        failure=_failure(row["failure"]) if row["failure"] else None,
        steps=tuple(_step(step) for step in row["steps"]),
        residue=tuple(map(residue_of, row["residue"])), server=row.get("server", ""),
        attachments=tuple(Attachment(**each) for each in row["attachments"]),
    )  # fmt: skip


def _step(kept: Mapping[str, Any]) -> Step:
    kind = kept.get("kind")
    return Step(**{**kept, "outcome": Outcome(kept["outcome"]), "kind": StepKind(kind) if kind else None})


def residue_of(kept: Mapping[str, Any]) -> Residue:
    """Of plain values; without a cause it counts as slow."""
    return Residue(**{**kept, "cause": ResidueCause(kept.get("cause", ResidueCause.SLOW))})


def _failure(kept: Mapping[str, Any]) -> Failure:
    words = dict(kept)
    basis, invariant = words.pop("ground", words.get("basis")), words.get("invariant")  # "ground" in files of before
    return Failure(
        **{
            **words,
            "basis": Basis(basis) if basis else None,
            "invariant": Invariant(invariant) if invariant else None,
        }
    )
