"""What crosses from a region to where all are judged: lines of JSON, each a list, and nothing but what is named here.

    ["segment", 1, "eu-west", 7, 1795860000000000, 1795860060000000]      region, number, from, until
    ["labels", 0, "probe", "8.0.3", "time-entry", "aldgate", "canary", "api", "8.0.12"]
    ["shape", 0, "passed", [["sign in", "passed", null]], null]         steps; a failure: kind, step, basis, invariant
    ["run", "k3v9x2...", 0, 0, 1795860001000000, 2.01, 0.4, 0]            labels, shape, start, seconds, undo, posting
    ["deployment", "d1", 1795850000000000, "canary", "8.0.3", ["aldgate"], "8.0.*"]
    ["sample", 1795860000000000, "queue-backlog", 12.0, "canary", "aldgate", 100.0]
    ["prober", "20261128T2100-x", 1795850000000000, 1795860055000000, null]   started, last seen, stopped
    ["end", 5, "<sha256 of all lines before>"]

Moments are microseconds since 1970, UTC. No message, no reason, no document, no record, no user and no address crosses.
The name of a step does where it stands in the scenario's file; another one may hold a figure of the tenant's, and is
told by its place. What a server says of itself must look like a version.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ringgate.domain.errors import RinggateError
from ringgate.domain.labels import RunLabels, labels_of, microseconds, moment_of
from ringgate.domain.model import Deployment, Failure, RunResult, SignalSample, Step
from ringgate.domain.terms import Basis, Channel, Invariant, Outcome, Source, StepKind
from ringgate.store import ProberState

FORMAT = 1
NOT_TOLD = "?"
"""Instead of what does not look like a version. It agrees with no release, so such runs are no evidence."""

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+~_-]{0,39}")
_PATTERN = re.compile(r"[0-9A-Za-z.+~_*?\[\]-]{0,40}")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,47}")
_NO_TRACE = "0" * 32

Words = Mapping[str, Collection[str]]
"""The names of steps that may cross, by scenario."""


class SegmentError(RinggateError):
    """A file is no whole segment of a region."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What a region says of the time from `since` until before `until`, by when it was recorded there. Its segments
    are numbered from 1, and each begins where the one before it ends. `deployments` and `probers` are all there are."""

    region: str
    number: int
    since: datetime
    until: datetime
    runs: tuple[RunResult, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    samples: tuple[SignalSample, ...] = ()
    probers: tuple[ProberState, ...] = ()


# --- out ----------------------------------------------------------------------------------------------------------


def encoded(segment: Segment, words: Words) -> str:
    """The segment's file. Of each run only what is listed above is in it, whatever else the result holds."""
    head = ["segment", FORMAT, segment.region, segment.number, microseconds(segment.since), microseconds(segment.until)]
    lines = [_line(each) for each in (head, *_rows(segment, words))]
    body = "\n".join(lines)
    return f"{body}\n{_line(['end', len(lines), hashlib.sha256(body.encode()).hexdigest()])}\n"


def _line(row: Sequence[Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _rows(segment: Segment, words: Words) -> Iterator[Sequence[Any]]:
    labels: dict[RunLabels, int] = {}
    shapes: dict[str, int] = {}
    for run in segment.runs:
        what, shape = labels_of(run), _shape(run, words.get(run.scenario, ()))
        if what not in labels:
            labels[what] = len(labels)
            server = what.server if not what.server or _VERSION.fullmatch(what.server) else NOT_TOLD
            yield ("labels", labels[what], what.source.value, what.release, what.scenario, what.tenant, what.ring,
                   what.channel.value, server)  # fmt: skip
        if (key := _line(shape)) not in shapes:
            shapes[key] = len(shapes)
            yield ("shape", shapes[key], *shape)
        yield ("run", run.run_id, labels[what], shapes[key], microseconds(run.started_at), run.seconds,
               run.undo_seconds, run.posting)  # fmt: skip
    for each in segment.deployments:
        version = each.version if _PATTERN.fullmatch(each.version) else NOT_TOLD
        yield "deployment", each.id, microseconds(each.at), each.ring, each.release, list(each.tenants), version
    for sample in segment.samples:
        yield ("sample", microseconds(sample.at), sample.signal, sample.value, sample.ring, sample.tenant,
               sample.limit)  # fmt: skip
    for prober in segment.probers:
        stopped = microseconds(prober.stopped_at) if prober.stopped_at else None
        yield "prober", prober.id, microseconds(prober.started_at), microseconds(prober.seen_at), stopped


def _shape(run: RunResult, words: Collection[str]) -> list[Any]:
    names: dict[str, str] = {}
    for place, step in enumerate(run.steps, 1):
        names.setdefault(step.name, step.name if step.name in words else f"step {place}")
    steps = [[names[step.name], step.outcome.value, step.kind.value if step.kind else None] for step in run.steps]
    failure = None
    if run.failure is not None:
        kind = run.failure.kind if _WORD.fullmatch(run.failure.kind) else "other"
        named = run.failure.step
        where = names.get(named, named if named in words else "another step" if named else "")
        basis, invariant = run.failure.basis, run.failure.invariant
        failure = [kind, where, basis.value if basis else None, invariant.value if invariant else None]
    return [run.outcome.value, steps, failure]


# --- in -----------------------------------------------------------------------------------------------------------


def decoded(text: str, name: str) -> Segment:
    """The segment of a file of this name. Raises SegmentError for anything that is not one, whole and unchanged."""
    lines = text.split("\n")
    if len(lines) < 3 or lines[-1]:
        raise SegmentError(f"{name}: it is cut off")
    body, rows = lines[:-2], []
    try:
        end = json.loads(lines[-2])
        rows = [json.loads(each) for each in body]
    except ValueError:
        raise SegmentError(f"{name}: a line of it is no JSON") from None
    if end != ["end", len(body), hashlib.sha256("\n".join(body).encode()).hexdigest()]:
        raise SegmentError(f"{name}: it is cut off, or was changed")
    try:
        return _segment(rows)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise SegmentError(f"{name}: it is no segment of a region ({type(error).__name__}: {error})") from None


def _segment(rows: Sequence[Sequence[Any]]) -> Segment:
    word, form, region, number, since, until = rows[0]
    if word != "segment" or form != FORMAT:
        raise ValueError(f"it begins with {word} {form}, and segment {FORMAT} is known")
    labels: dict[int, RunLabels] = {}
    shapes: dict[int, tuple[Outcome, list[Step], Failure | None]] = {}
    runs: list[RunResult] = []
    deployments: list[Deployment] = []
    samples: list[SignalSample] = []
    probers: list[ProberState] = []
    for kind, *row in rows[1:]:
        if kind == "labels":
            key, source, release, scenario, tenant, ring, channel, server = row
            labels[key] = RunLabels(Source(source), release, scenario, tenant, ring, Channel(channel), server)
        elif kind == "shape":
            shapes[row[0]] = _shape_from(*row[1:])
        elif kind == "run":
            runs.append(_run(f"region {region}", *row, labels=labels, shapes=shapes))
        elif kind == "deployment":
            key, at, ring, release, tenants, version = row
            deployments.append(Deployment(key, moment_of(at), ring, release, tuple(tenants), version=version))
        elif kind == "sample":
            at, signal, value, ring, tenant, limit = row
            samples.append(SignalSample(moment_of(at), signal, float(value), "", ring, tenant, limit))
        elif kind == "prober":
            key, started, seen, stopped = row
            ended = moment_of(stopped) if stopped is not None else None
            probers.append(ProberState(key, moment_of(started), moment_of(seen), ended))
        else:
            raise ValueError(f"{kind} is not known")
    return Segment(
        region, int(number), moment_of(since), moment_of(until),
        tuple(runs), tuple(deployments), tuple(samples), tuple(probers),
    )  # fmt: skip


def _shape_from(
    outcome: str, steps: Sequence[Sequence[Any]], failure: Sequence[Any] | None
) -> tuple[Outcome, list[Step], Failure | None]:
    made = [Step(name, 0.0, 0.0, Outcome(of), StepKind(kind) if kind else None) for name, of, kind in steps]
    if failure is None:
        return Outcome(outcome), made, None
    kind, step, basis, invariant = failure
    why = Failure(
        kind, "what was found stays in its region", step,
        basis=Basis(basis) if basis else None, invariant=Invariant(invariant) if invariant else None,
    )  # fmt: skip
    return Outcome(outcome), made, why


def _run(
    session: str, run_id: str, what: int, how: int, at: int, seconds: float, undo: float, posting: int, *,
    labels: Mapping[int, RunLabels], shapes: Mapping[int, tuple[Outcome, list[Step], Failure | None]],
) -> RunResult:  # fmt: skip
    each = labels[what]
    outcome, steps, failure = shapes[how]
    return RunResult(
        run_id=str(run_id), trace_id=_NO_TRACE, scenario=each.scenario, tenant=each.tenant, ring=each.ring,
        channel=each.channel, outcome=outcome, started_at=moment_of(at), seconds=float(seconds),
        undo_seconds=float(undo), steps=_timed(steps, posting), failure=failure, session=session,
        release=each.release, source=each.source, server=each.server,
    )  # fmt: skip


def _timed(steps: Sequence[Step], posting: int) -> tuple[Step, ...]:
    """The steps, of which those that post took so many microseconds together; how long each took is not known."""
    if not posting:
        return tuple(steps)
    first = next(place for place, step in enumerate(steps) if step.kind is StepKind.POSTING)
    return tuple(
        Step(step.name, 0.0, posting / 1e6 if place == first else 0.0, step.outcome, step.kind)
        for place, step in enumerate(steps)
    )
