"""`gate/bake.py` over columns: the same bake, which takes a million results at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

import numpy as np

from ringgate.domain.columns import ResultColumns
from ringgate.domain.labels import microseconds
from ringgate.domain.model import RunResult
from ringgate.domain.terms import Outcome, Source
from ringgate.gate.bake import Bake
from ringgate.gate.columnar import evidence as says
from ringgate.gate.columnar.bounds import nulls_of
from ringgate.gate.columnar.evidence import NO, NOTHING, YES, Bools, Ints
from ringgate.gate.columnar.gauge import ColumnarGauge, ColumnarMirror, Kinds, Outcomes
from ringgate.gate.columnar.paces import said_of_pace
from ringgate.gate.columnar.silence import ColumnarExpectedResults
from ringgate.gate.gauge import Gauge, Mirror
from ringgate.gate.observations import EVIDENCE, kind_of, probe_of
from ringgate.gate.rates import Null
from ringgate.gate.signals import Signal
from ringgate.gate.silence import ExpectedResults


class ColumnarBake(Bake):
    """A bake to which columns are added, as well as single results."""

    gauges: dict[Signal, ColumnarGauge]  # type: ignore[assignment]
    mirror: ColumnarMirror

    def _make_watch(self) -> ExpectedResults:
        return ColumnarExpectedResults(self.due, self.starts)

    def _make_gauge(self, nulls: Sequence[Null], tenants: Sequence[str], block: int) -> Gauge:
        return ColumnarGauge(nulls, tenants, self.policy.ticks, block, self.policy.least_failures)

    def _make_mirror(self, null: Null, streak: int) -> Mirror:
        return ColumnarMirror(null, self.policy.ticks, streak, self.policy.times, self.policy.least_rate)

    @cache  # noqa: B019 - twice for a bake, which is not made often
    def _nulls(self, signal: Signal) -> tuple[Null, ...]:
        if signal.definition.granted:
            return super()._nulls(signal)
        return tuple(nulls_of(rates, self.alpha / 2) for rates in self.baseline.rates[signal])

    # --- what comes in -------------------------------------------------------------------------------------------

    def add_columns(self, columns: ResultColumns, detailed: Sequence[RunResult] = ()) -> None:
        """What `add` does for each of them in turn.

        `detailed` are those of them, in the same order, that are told about: the last failed and the last broken ones,
        `bake.KEPT` of each, and the first as many that broke an invariant. The others are only counted."""
        columns = self._concerned(columns)
        self._take_self_tests(columns)
        columns = columns.where(lambda labels: labels.source in EVIDENCE)
        at, said, outcomes = says.known_at(columns), says.failing(columns), says.outcomes(columns)
        self._note_came(columns, at)
        for place, outcome in enumerate(Outcome):
            if number := int((outcomes == place).sum()):
                self.counts[outcome] += number
        judged = said != NOTHING
        self._note_tested(columns, at, judged)
        self._note_passed(columns, said)
        self._note_skipped(columns, outcomes)
        waived = says.accepted(columns, said == YES, self._waivers)
        self.waived += int(waived.sum())
        self._keep_details(detailed)
        left = judged & ~waived
        columns, at, bad = columns.only(left), at[left], said[left] == YES
        self._note_rows(columns, bad)
        if len(columns):
            self._weigh_columns(columns, at, bad)

    def _concerned(self, columns: ResultColumns) -> ResultColumns:
        """Those of the release, since each tenant has it."""
        starts = says.Lookup(columns.labels, np.int64, np.iinfo(np.int64).max)
        for key, labels in columns.labels.items():
            if labels.release == self.release and labels.tenant in self.starts:
                starts.set(key, microseconds(self.starts[labels.tenant]))
        return columns.only(columns.records["started"] >= starts[columns.records["labels"]])

    def _take_self_tests(self, columns: ResultColumns) -> None:
        for record in columns.where(lambda labels: labels.source is Source.SELF_TEST).records:
            result = says.as_result(columns.labels[int(record["labels"])], columns.shapes[int(record["shape"])])
            self._take_self_test(says.timed(result, record))

    def _note_came(self, columns: ResultColumns, at: Ints) -> None:
        watch = self._watch
        assert isinstance(watch, ColumnarExpectedResults)
        lookup = says.Lookup(columns.labels)
        for key, labels in columns.labels.items():
            lookup.set(key, watch.numbers.get(probe_of(labels), NOTHING))
        numbers = lookup[columns.records["labels"]]
        watch.came_many(numbers[numbers != NOTHING], at[numbers != NOTHING])

    def _note_tested(self, columns: ResultColumns, at: Ints, judged: Bools) -> None:
        """Who was tested, when last and by what."""
        at, keys = at[judged], columns.records["labels"][judged]
        if not len(at):
            return
        first = says.datetime_of(at.min())
        self.first = min(self.first or first, first)
        latest = says.Lookup(columns.labels, np.int64, np.iinfo(np.int64).min)
        counts = np.bincount(keys)
        np.maximum.at(latest.values, keys, at)
        for key in says.in_order_of_coming(keys).tolist():
            labels = columns.labels[key]
            newest = says.datetime_of(latest.values[key])
            self.newest[labels.tenant] = max(self.newest.get(labels.tenant, newest), newest)
            self.by_tenant[labels.tenant] += int(counts[key])
            self._tested.add(probe_of(labels))

    def _note_passed(self, columns: ResultColumns, said: Ints) -> None:
        for key in says.distinct(columns.records["labels"][said == NO]):
            labels = columns.labels[key]
            self._passed.add((labels.tenant, labels.scenario))

    def _note_skipped(self, columns: ResultColumns, outcomes: Ints) -> None:
        skipped = outcomes == list(Outcome).index(Outcome.SKIPPED)
        for key in says.distinct(columns.records["labels"][skipped]):
            self._skipped.add(probe_of(columns.labels[key]))

    def _note_rows(self, columns: ResultColumns, bad: Bools) -> None:
        """How often each probe failed in a row, up to now."""
        probes = list(dict.fromkeys(map(probe_of, columns.labels.values())))
        places = {probe: number for number, probe in enumerate(probes)}
        lookup = says.Lookup(columns.labels)
        for key, labels in columns.labels.items():
            lookup.set(key, places[probe_of(labels)])
        numbers = lookup[columns.records["labels"]]
        passed = np.full(len(probes), NOTHING)
        np.maximum.at(passed, numbers[~bad], np.flatnonzero(~bad))
        since = np.bincount(numbers[bad & (np.arange(len(numbers)) > passed[numbers])], minlength=len(probes))
        for number in says.distinct(numbers):
            before = self._rows.get(probes[number], 0) if passed[number] == NOTHING else 0
            self._rows[probes[number]] = before + int(since[number])

    def _keep_details(self, detailed: Sequence[RunResult]) -> None:
        for result in detailed:
            start = self.starts.get(result.tenant)
            if start is None or result.release != self.release or result.started_at < start:
                continue
            if result.source not in EVIDENCE:
                continue
            if result.outcome is Outcome.BROKEN:
                self._broken.append(result)
            elif result.outcome is Outcome.FAILED and not self._waivers.accept(result, 0):
                self._bad.append(result)
                self._note_breach(result)

    def _weigh_columns(self, columns: ResultColumns, at: Ints, bad: Bools) -> None:
        ticks, doubtful = self._ticks_of(at), says.doubtful(columns)
        for signal in self.gauges:
            if not signal.definition.of_run:
                continue
            if signal.definition.timed:
                kinds, names = says.numbered(columns, {k: kind_of(v) for k, v in columns.labels.items()})
                wrong, known = said_of_pace(signal, columns, kinds, names, self.baseline.pace, self.policy)
            else:
                said = says.by_shape(columns, signal)
                wrong, known = (said == YES)[:, None], said != NOTHING
            if not signal.definition.always:
                known = known & ~says.exempted(columns, known, self._waivers, signal.value)
            self.doubtful[signal] += int((doubtful & wrong[:, -1] & known).sum())
            of = self._put(signal, columns, ticks, wrong, known)
            if signal is Signal.FAILURES:
                self.mirror.add_many(ticks, bad, of.nulls[columns.records["labels"], 0])

    def _put(self, signal: Signal, columns: ResultColumns, ticks: Ints, bad: Bools, rows: Bools) -> Kinds:
        """Counts these runs in a gauge, and returns what is granted to each of their labels."""
        gauge = self.gauges[signal]
        tenants, nulls = says.Lookup(columns.labels), np.zeros((max(columns.labels, default=-1) + 1, len(gauge.nulls)))
        for key, labels in columns.labels.items():
            tenants.set(key, gauge.number_of(labels.tenant))
            kind = kind_of(labels)
            nulls[key] = [null.of(labels.tenant, kind) for null in gauge.nulls]
        of = Kinds(tenants.values, nulls)
        gauge.add_many(Outcomes(ticks, columns.records["labels"], bad, of).only(rows))
        return of

    # --- what it comes to ----------------------------------------------------------------------------------------

    def _watch_silence(self, now: datetime) -> None:
        watch, gauge = self._watch, self.gauges.get(Signal.SILENCE)
        assert isinstance(watch, ColumnarExpectedResults)
        told = watch.told_until(now)
        if gauge is None or self.started is None:
            return
        tenants = np.array([gauge.number_of(tenant) for tenant, _, _ in watch.probes], np.int64)
        of = Kinds(tenants, np.full((len(tenants), 1), self.policy.silence_rate))
        gauge.add_many(Outcomes(self._ticks_of(told.at), told.probes, told.missing[:, None], of))

    def _ticks_of(self, at: Ints) -> Ints:
        assert self.started is not None
        ticks: Ints = ((at - microseconds(self.started)) // says.span_of(self.policy.tick)).astype(np.int32)
        return ticks
