"""A self-test: a run whose answers from the ERP are falsified on our side, on the way to the scenario.

    result = self_test(scenarios["financial-posting"], tenant, Channel.API, engine)
    result.outcome, result.failure.kind         # failed, expectation: a wrong figure would be noticed
    falsified(result)                           # ("invoice amounts",): what the scenario was shown until it failed

It proves the whole way from an ERP's answer to the store, in the bake of each ring. It uses the ERP as any run does,
and what it wrote is taken back as always: drivers are asked with the records as they really are, whatever the scenario
was shown of them. It works for any driver of the protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

from ringgate.domain.documents import Identity, Invoice, Posting, Project, PurchaseRequest, Ref, Task, TimeEntry
from ringgate.domain.model import RunResult, Scenario, Tenant
from ringgate.domain.money import Money
from ringgate.domain.terms import Channel, Source
from ringgate.drivers.protocol import Books, Call, Connection, Driver, Outsider, SignedInUser
from ringgate.execution.run_once import Engine, run_once
from ringgate.isolation.model import Attempt, AttemptKind, AttemptOutcome, PrivateRecord


class Falsification(StrEnum):
    """What is falsified of an answer. Figures are off by the smallest amount, so that only exact looks notice."""

    IDENTITY = "who is signed in"
    PROJECTS = "rates of projects"
    HOURS = "hours"
    INVOICES = "amounts of invoices"
    POSTINGS = "amounts of postings"
    REQUESTS = "totals of requests"
    REFUSALS = "what outsiders are told"


ALL = frozenset(Falsification)


def self_test(
    scenario: Scenario, tenant: Tenant, channel: Channel, engine: Engine, lies: frozenset[Falsification] = ALL
) -> RunResult:
    """Run a scenario once on falsified answers, as Source.SELF_TEST. It must come out failed, of kind expectation.

    All answers are falsified that can be, so that every scenario with expectations meets a lie; `lies` chooses."""
    told: dict[Falsification, None] = {}
    drivers = cast("Mapping[tuple[str, Channel], Driver]", _Drivers(engine.drivers, lies, told))
    result = run_once(scenario, tenant, channel, replace(engine, drivers=drivers, source=Source.SELF_TEST))
    return replace(result, extra={**result.extra, "falsified": tuple(told)})


def falsified(result: RunResult) -> tuple[Falsification, ...]:
    """Which lies the scenario was told until it ended, in this order: only on the result of `self_test` itself."""
    return tuple(result.extra.get("falsified", ()))


# --- the lies ---------------------------------------------------------------------------------------------------------


def _more(amount: Money) -> Money:
    return amount + Money(amount.currency.smallest, amount.currency)


def _of_identity(true: Identity) -> Identity:
    return replace(true, login=f"{true.login}-x", company=f"{true.company} x")


def _of_task(true: Task) -> Task:
    return replace(true, rate=_more(true.rate))


def _of_project(true: Project) -> Project:
    return replace(true, tasks=tuple(map(_of_task, true.tasks)))


def _of_entry(true: TimeEntry) -> TimeEntry:
    return replace(true, hours=true.hours + Decimal("0.25"))


def _of_invoice(true: Invoice) -> Invoice:
    return replace(true, net=_more(true.net), total=_more(true.total), open=_more(true.open))


def _of_posting(true: Posting) -> Posting:
    """One side of one line is more: it no longer balances."""
    if not true.lines:
        return true
    first, *others = true.lines
    changed = replace(first, debit=_more(first.debit)) if first.debit else replace(first, credit=_more(first.credit))
    return replace(true, lines=(changed, *others))


def _of_request(true: PurchaseRequest) -> PurchaseRequest:
    return replace(true, total=_more(true.total))


LIES: Mapping[type, tuple[Falsification, Callable[[Any], Any]]] = {
    Identity: (Falsification.IDENTITY, _of_identity),
    Project: (Falsification.PROJECTS, _of_project),
    Task: (Falsification.PROJECTS, _of_task),
    TimeEntry: (Falsification.HOURS, _of_entry),
    Invoice: (Falsification.INVOICES, _of_invoice),
    Posting: (Falsification.POSTINGS, _of_posting),
    PurchaseRequest: (Falsification.REQUESTS, _of_request),
}


@dataclass
class _Liar:
    """Falsifies answers, and remembers the truth, which is what the driver is asked with."""

    lies: frozenset[Falsification]
    told: dict[Falsification, None]
    truth: dict[tuple[type, Ref], Any] = field(default_factory=dict)

    def falsify(self, answer: Any) -> Any:
        if isinstance(answer, tuple) and any(type(each) in LIES for each in answer):
            return tuple(map(self.falsify, answer))
        lie, change = LIES.get(type(answer), (None, None))
        if lie is None or change is None or lie not in self.lies:
            return answer
        self._remember(answer)
        self.told[lie] = None
        return change(answer)

    def _remember(self, answer: Any) -> None:
        if isinstance(answer, Project):
            for task in answer.tasks:
                self.truth[Task, task.ref] = task
        if hasattr(answer, "ref"):
            self.truth[type(answer), answer.ref] = answer

    def true(self, value: Any) -> Any:
        ref = getattr(value, "ref", None)
        return self.truth.get((type(value), ref), value) if isinstance(ref, Ref) else value

    def asking(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        """The verb, asked with the truth, its answer falsified."""

        def ask(*args: Any, **kwargs: Any) -> Any:
            answer = verb(*map(self.true, args), **{name: self.true(value) for name, value in kwargs.items()})
            return self.falsify(answer)

        return ask


# --- what stands between driver and scenario ------------------------------------------------------------------------


class _Asked:
    """An actor or the books: every verb's answer is falsified."""

    def __init__(self, behind: SignedInUser | Books, liar: _Liar) -> None:
        self._behind, self._liar = behind, liar

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._behind, name)
        return self._liar.asking(found) if callable(found) else found

    def hours_on(self, project: Project) -> Decimal:
        hours = cast("Books", self._behind).hours_on(self._liar.true(project))
        if Falsification.HOURS not in self._liar.lies:
            return hours
        self._liar.told[Falsification.HOURS] = None
        return hours + Decimal("0.25")


class _Outsider:
    """Somebody who is shown as let in."""

    def __init__(self, behind: Outsider, liar: _Liar) -> None:
        self._liar, self._behind = liar, behind
        self.name, self.barred, self.ways = behind.name, behind.barred, behind.ways

    def attempt(self, way: AttemptKind, things: Sequence[PrivateRecord]) -> Attempt | None:
        found = self._behind.attempt(way, things)
        if found is None or Falsification.REFUSALS not in self._liar.lies:
            return found
        self._liar.told[Falsification.REFUSALS] = None
        return replace(found, came=AttemptOutcome.DISCLOSED, shown=things[0].tells[0])


class _Connection:
    """A connection whose people, books and outsiders are shown falsified; all else is the driver's own, undo too."""

    def __init__(self, behind: Connection, liar: _Liar) -> None:
        self._behind, self._liar = behind, liar

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def sign_in(self, *args: Any, **kwargs: Any) -> Any:
        return _Asked(self._behind.sign_in(*args, **kwargs), self._liar)

    def books(self) -> Any:
        return _Asked(self._behind.books(), self._liar)

    def outsiders(self, *args: Any) -> Iterator[Any]:
        for each in self._behind.outsiders(*args):
            yield _Outsider(each, self._liar)


class _Driver:
    def __init__(self, behind: Driver, lies: frozenset[Falsification], told: dict[Falsification, None]) -> None:
        self._behind, self._lies, self._told = behind, lies, told
        self.channel, self.capabilities = behind.channel, behind.capabilities

    def connect(self, tenant: Tenant, call: Call) -> Any:
        return _Connection(self._behind.connect(tenant, call), _Liar(self._lies, self._told))


class _Drivers:
    """The engine's drivers, as far as a run asks for one."""

    def __init__(
        self,
        behind: Mapping[tuple[str, Channel], Driver],
        lies: frozenset[Falsification],
        told: dict[Falsification, None],
    ) -> None:
        self._behind, self._lies, self._told = behind, lies, told

    def get(self, key: tuple[str, Channel]) -> Any:
        found = self._behind.get(key)
        return _Driver(found, self._lies, self._told) if found is not None else None
