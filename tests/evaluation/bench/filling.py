"""A store of a million results, filled in seconds: the rows that `Store.add` writes, without an object for each run.

Probes of 500 tenants and five processes on one ring, each every 210 s at a moment of its own; 7.0, and 8.0 since its
deployment. A run in two hundred fails before and after alike, as a healthy release has it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import insert

from ringgate.domain.columns import RECORD
from ringgate.domain.labels import RunLabels, microseconds, shape_of
from ringgate.domain.model import Deployment, Failure, RunResult, Step
from ringgate.domain.terms import Basis, Channel, Outcome, Source
from ringgate.store import ProberState, Store, encoding, tables

EVERY = timedelta(seconds=210)
FAILS, BREAKS = 0.005, 0.002
TOGETHER = 20
"""Results that a prober of that size stores in one transaction."""

SESSION = "bench"
_PIECE = 20_000
_STEPS = ("sign in", "enter time", "approve", "post invoice", "read ledger")


@dataclass(frozen=True, slots=True)
class Filling:
    """What is put in: so many results before the deployment, and so many since."""

    tenants: tuple[str, ...]
    scenarios: tuple[str, ...]
    ring: str
    before: int
    since: int
    until: datetime

    @property
    def deployed(self) -> datetime:
        return self.until - self.since / self.probes * EVERY

    @property
    def probes(self) -> int:
        return len(self.tenants) * len(self.scenarios)


def fill(store: Store, filling: Filling) -> None:
    """Fills an empty store."""
    store.add(*_one_of_each(filling))  # makes labels, shapes and the session, and is itself one of them
    labels = {each: key for key, each in store.labels().items()}
    shapes = {shape.outcome: key for key, shape in store.shapes().items()}
    begun = filling.deployed - filling.before / filling.probes * EVERY
    dice = np.random.default_rng(7)
    for release, since, number in (("7.0", begun, filling.before), ("8.0", filling.deployed, filling.since)):
        for records in _records(filling, release, since, number, labels, shapes, dice):
            _write(store, filling.ring, release, records, dice)
    store.deployed(Deployment("d1", filling.deployed, filling.ring, "8.0"))
    store.seen(ProberState(SESSION, begun, filling.until))
    _self_tests(store, filling)


def result(tenant: str, scenario: str, ring: str, release: str, at: datetime, **changes: Any) -> RunResult:
    """One run that passed, or as the changes say."""
    outcome = changes.get("outcome", Outcome.PASSED)
    values: dict[str, Any] = {
        "run_id": f"one-{abs(hash((tenant, scenario, release, at, outcome))) % 10**15}", "trace_id": "0" * 32,
        "scenario": scenario, "tenant": tenant, "ring": ring, "channel": Channel.API, "outcome": outcome,
        "started_at": at, "seconds": 1.0, "steps": tuple(Step(n, 0.2 * i, 0.2, outcome) for i, n in enumerate(_STEPS)),
        "session": SESSION, "release": release, "source": Source.PROBE, "calls": 12, **changes,
    }  # fmt: skip
    return RunResult(**values)


def _one_of_each(filling: Filling) -> list[RunResult]:
    first = filling.deployed - timedelta(days=6)
    made = [
        result(tenant, scenario, filling.ring, release, first)
        for release in ("7.0", "8.0")
        for tenant in filling.tenants
        for scenario in filling.scenarios
    ]
    failures = {
        Outcome.FAILED: Failure("expectation", "net: expected 1, it is 2", _STEPS[3], basis=Basis.PROCESS),
        Outcome.BROKEN: Failure("secret", "the secret X is not set", _STEPS[0]),
    }
    for outcome, failure in failures.items():
        made.append(
            result(
                filling.tenants[0], filling.scenarios[0], filling.ring, "7.0", first, outcome=outcome, failure=failure
            )
        )
    return made


def _records(
    filling: Filling, release: str, since: datetime, number: int, labels: dict[RunLabels, int],
    shapes: dict[Outcome, int], dice: Any,
) -> Iterator[Any]:  # fmt: skip
    keys = np.array([
        labels[RunLabels(Source.PROBE, release, scenario, tenant, filling.ring, Channel.API)]
        for tenant in filling.tenants for scenario in filling.scenarios
    ])  # fmt: skip
    order = dice.permutation(len(keys))
    gap = EVERY / len(keys)
    for start in range(0, number, _PIECE):
        numbers = np.arange(start, min(number, start + _PIECE))
        records = np.zeros(len(numbers), RECORD)
        records["labels"] = keys[order[numbers % len(keys)]]
        records["started"] = microseconds(since) + (numbers * (gap.total_seconds() * 1e6)).astype(np.int64)
        odds = (1 - FAILS - BREAKS, FAILS, BREAKS)
        kinds = [shapes[each] for each in (Outcome.PASSED, Outcome.FAILED, Outcome.BROKEN)]
        records["shape"] = dice.choice(kinds, len(numbers), p=odds)
        records["took"] = 1e6 * dice.lognormal(0.0, 0.3, len(numbers))
        records["undoing"] = 1e6 * dice.lognormal(-1.0, 0.3, len(numbers))
        yield records


def _write(store: Store, ring: str, release: str, records: Any, dice: Any) -> None:
    """The rows and blocks of these records."""
    times = dice.integers(10_000, 900_000, (len(records), 2 * len(_STEPS)), np.uint32)
    traces = dice.bytes(16 * len(records))
    ids = dice.bytes(6 * len(records)).hex()  # as random as those of real runs: an index of them has gaps
    shapes = store.shapes()
    details = {key: encoding.run_row(_of(shape), 0, 0, 0, 0)["details"] for key, shape in shapes.items()}
    recorded = records["started"] + records["took"] + records["undoing"]
    rows = [
        (started, at, seconds, undo, labels, shape, 1, 12, ids[12 * n : 12 * n + 12], traces[16 * n : 16 * n + 16],
         row.tobytes(), details[shape])
        for n, (started, at, seconds, undo, labels, shape, row) in enumerate(
            zip(records["started"].tolist(), recorded.tolist(), (records["took"] / 1e6).tolist(),
                (records["undoing"] / 1e6).tolist(), records["labels"].tolist(), records["shape"].tolist(), times,
                strict=True))
    ]  # fmt: skip
    names = ("started_at", "recorded_at", "seconds", "undo_seconds", "labels", "shape", "session", "calls", "run_id",
             "trace_id", "steps", "details")  # fmt: skip
    assert len(encoding.step_times(result("t", "s", "r", "8.0", store._clock()).steps) or b"") == len(
        times[0].tobytes()
    )
    blocks = []
    for start in range(0, len(records), TOGETHER):
        part = records[start : start + TOGETHER]
        blocks.append({
            "ring": ring, "release": release, "recorded_at": int(recorded[start : start + TOGETHER].max()),
            "first_at": int(part["started"].min()), "last_at": int(part["started"].max()), "runs": len(part),
            "packed": False, "data": part.tobytes(),
        })  # fmt: skip
    with store._writing() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA synchronous = OFF")
            marks = ", ".join("?" * len(names))
            driver.executemany(f"INSERT INTO runs ({', '.join(names)}) VALUES ({marks})", rows)  # type: ignore[attr-defined]
        else:
            with driver.cursor().copy(f"COPY runs ({', '.join(names)}) FROM STDIN (FORMAT BINARY)") as copy:  # type: ignore[attr-defined]
                copy.set_types(
                    [
                        "int8",
                        "int8",
                        "float8",
                        "float8",
                        "int4",
                        "int4",
                        "int4",
                        "int4",
                        "varchar",
                        "bytea",
                        "bytea",
                        "text",
                    ]
                )
                for row in rows:
                    copy.write_row(row)
        connection.execute(insert(tables.run_blocks), blocks)


def _of(shape: Any) -> RunResult:
    failure = shape.failure and Failure(shape.failure.kind, "net amount: expected 1.00, but it is 2.00", _STEPS[3])
    made = result("t", "s", "r", "8.0", datetime.now().astimezone(), outcome=shape.outcome, failure=failure)
    assert shape_of(made).outcome is shape.outcome
    return made


def _self_tests(store: Store, filling: Filling) -> None:
    at = filling.until - timedelta(minutes=20)
    failure = Failure("expectation", "net: expected 1, it is 2", _STEPS[3])
    store.add(
        result(
            filling.tenants[0], filling.scenarios[0], filling.ring, "8.0", at,
            outcome=Outcome.FAILED, failure=failure, source=Source.SELF_TEST,
        )
    )  # fmt: skip
    assert struct.calcsize("<IIqIII") == RECORD.itemsize
