"""A ring of three tenants, its baseline of some hours, and a release on it: what tests of the gate are made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

from ringgate.domain.model import Failure, RunResult, SignalSample, Step
from ringgate.domain.terms import Channel, Outcome, Source, StepKind, TaxRounding
from ringgate.gate import Bake, Baseline, GatePolicy, learn
from tests.support.samples import JPY, policy, tenant

START = datetime(2026, 11, 24, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RING = (tenant("aldgate"), tenant("bleecker", language="fr", ring="canary"), tenant("cologne", region="eu-central"))
LATER = (
    tenant("kyoto", ring="broad", policy=policy(currency=JPY, tax_rounding=TaxRounding.DOCUMENT)),
    tenant("lyon", ring="broad", language="fr"),
)
IDS = tuple(each.id for each in RING)
LEARNED = {"quantiles", "slower", "tick"}
_numbers = count()


def run(name: str = "aldgate", at: datetime = START, outcome: Outcome = Outcome.PASSED, **changes: Any) -> RunResult:
    """One probe of the release 8.0, of 2 s, with a step that posts."""
    failure = {
        Outcome.FAILED: Failure("expectation", "net amount: expected 1, but it is 2 (it was billed)", "enter time"),
        Outcome.BROKEN: Failure("secret", "the secret X is not set"),
    }.get(outcome)
    values = {
        "run_id": f"r{next(_numbers):09}", "trace_id": "0" * 32, "scenario": "time-entry", "tenant": name,
        "ring": "canary", "channel": Channel.API, "outcome": outcome, "started_at": at, "seconds": 2.0,
        "release": "8.0", "source": Source.PROBE, "failure": failure,
        "steps": (Step("enter time", 0.0, 1.0, outcome), Step("post invoice", 1.0, 1.0, outcome, StepKind.POSTING)),
    }  # fmt: skip
    return RunResult(**{**values, **changes})


def failed(name: str = "aldgate", at: datetime = START, **failure: Any) -> RunResult:
    words = {
        "kind": "expectation",
        "message": "net amount: expected 1, but it is 2 (it was billed)",
        "step": "enter time",
    }
    return run(name, at, Outcome.FAILED, failure=Failure(**{**words, **failure}))


def self_test(at: datetime, *, caught: bool = True) -> RunResult:
    return run("aldgate", at, Outcome.FAILED if caught else Outcome.PASSED, source=Source.SELF_TEST)


def every_minute(
    minutes: int, since: datetime = START, tenants: Sequence[str] = IDS, **changes: Any
) -> list[RunResult]:
    """Each tenant once a minute, all passed; durations differ a little."""
    return [
        run(name, since + number * MINUTE, seconds=2.0 + (7 * number + 3 * index) % 20 / 100, **changes)
        for number in range(minutes)
        for index, name in enumerate(tenants)
    ]


def before(minutes: int = 200, failures: Iterable[int] = (), **changes: Any) -> list[RunResult]:
    """The same under the old release; the runs with these numbers failed."""
    bad = set(failures)
    runs = every_minute(minutes, START - minutes * MINUTE, release="7.0", **changes)
    return [failed(r.tenant, r.started_at) if i in bad else r for i, r in enumerate(runs)]


def baseline(runs: Sequence[RunResult] | None = None, samples: Sequence[SignalSample] = (), **rules: Any) -> Baseline:
    if runs is None and not samples and not rules:
        return _usual()
    return learn(before() if runs is None else runs, samples, "canary", IDS, GatePolicy(**rules))


@cache
def _usual() -> Baseline:
    return learn(before(), (), "canary", IDS, GatePolicy())


def bake(
    results: Iterable[RunResult] = (),
    *,
    known: Baseline | None = None,
    starts: dict[str, datetime] | None = None,
    due: Any = None,
    never: Any = None,
    **rules: Any,
) -> Bake:
    """A bake of 8.0 on the ring since START, that needs not be sure of less than 4 % of failures, nor of more than
    time entry."""
    rules = {"least_rate": 0.04, "must": ("time-entry",), **rules}
    learned = {name: value for name, value in rules.items() if name in LEARNED}
    made = Bake(
        "canary", "8.0", RING, LATER,
        starts=dict.fromkeys(IDS, START) if starts is None else starts,
        baseline=known or baseline(**learned), policy=GatePolicy(**rules), now=START, due=due,
        never=never,
    )  # fmt: skip
    for result in results:
        made.add(result)
    return made
