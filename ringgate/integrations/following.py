"""One run's documents, followed to their far ends, and again after they were taken back.

    following = Following(tenant, others)
    following.follow(Receives.INVOICES, expected)   # raises IntegrationFailed, or IntegrationLate
    ...                                             # the run is undone
    following.taken_back()                          # the reversals arrive, and nothing after them

What is followed is noted in the run's journal before it is looked for, so that a recovery knows where reversals must
arrive. Whether a document is also at other tenants' far ends is asked of a few of them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ringgate.domain.errors import IntegrationFailed, IntegrationLate, StopRequested
from ringgate.domain.integrations import ArrivalFault, ArrivalState, ExpectedArrival, Integration
from ringgate.domain.model import Tenant
from ringgate.domain.terms import Invariant, Receives
from ringgate.integrations.observers import Observer, observer_of
from ringgate.integrations.rows import FieldMissing
from ringgate.integrations.watching import BACK, watch

ELSEWHERE = 3
"""Other tenants whose far ends are asked whether they got it, too."""


@dataclass(frozen=True, slots=True)
class FollowedDocument:
    """What was seen of one document at one integration. `rules` are those of the contract that it broke, `waited` the
    seconds that it was looked for."""

    integration: Integration
    at: datetime
    lag: timedelta | None
    rules: tuple[str, ...]
    reversal: bool = False
    waited: float = 0.0


@dataclass(slots=True)
class _One:
    integration: Integration
    expected: ExpectedArrival
    seen: dict[tuple[str, bool], datetime] = field(default_factory=dict)


class Following:
    """What one run sent to its tenant's integrations. Not for threads.

    `note` takes a JSON-safe line for the journal; `tell` is told what was seen; `stopping`
    says whether to stop."""

    def __init__(
        self,
        tenant: Tenant,
        others: Sequence[Tenant] = (),
        *,
        note: Callable[[Mapping[str, Any]], None] = lambda _line: None,
        tell: Callable[[FollowedDocument], None] = lambda _seen: None,
        stopping: Callable[[], bool] = lambda: False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._tenant, self._others, self._note, self._tell = tenant, others, note, tell
        self._stopping, self._clock, self._pause = stopping, clock, wait
        self._followed: dict[tuple[str, str], _One] = {}

    def follow(self, receives: Receives, expected: ExpectedArrival) -> None:
        """Waits until it is known whether the document arrived as it should at each integration that receives its kind.

        `expected.tenant` is filled in. Raises IntegrationFailed, naming all that is wrong, IntegrationLate where it is
        only late, ObserverError where a far end cannot be read."""
        chosen = [each for each in self._tenant.integrations.values() if receives in each.receives]
        ones = [_One(each, _fitting(expected, each)) for each in chosen]
        for one in ones:
            self._followed[one.integration.name, expected.marker] = one
            self._note(_line(one))
        self._judge(ones, reversal=False)

    def taken_back(self, at: datetime | None = None) -> None:
        """Waits for the reversals of all that was followed. Raises as `follow` does."""
        moment = at or self._clock()
        ones = [_again(one, reversed=moment) for one in self._followed.values()]
        self._followed.clear()
        self._judge(ones, reversal=True)

    def take_up(self, lines: Sequence[Mapping[str, Any]], *, at: datetime) -> None:
        """Goes on after a crash, from the journal's lines: what was sent and its reversal count from `at`."""
        for line in lines:
            integration = self._tenant.integrations.get(str(line["integration"]))
            if integration is not None:
                marker = str(line["marker"])
                self._followed[integration.name, marker] = _One(integration, ExpectedArrival(marker, at))

    @property
    def anything(self) -> bool:
        return bool(self._followed)

    def _judge(self, ones: Sequence[_One], *, reversal: bool) -> None:
        wrong: list[tuple[Integration, ArrivalFault]] = []
        for one in ones:
            began = time.monotonic()
            state = self._watched(one)
            faults = [*state.faults, *([] if reversal else self._elsewhere(one))]
            lag = state.reversal_lag if reversal else state.lag
            rules = tuple(dict.fromkeys(each.rule for each in faults))
            self._tell(FollowedDocument(one.integration, self._clock(), lag, rules, reversal, time.monotonic() - began))
            wrong += [(one.integration, each) for each in faults]
        if wrong:
            raise _error(self._tenant, wrong)

    def _watched(self, one: _One) -> ArrivalState:
        with _observer(one.integration) as observer:
            try:
                return watch(one.integration, observer, one.expected, seen=one.seen, clock=self._clock, wait=self._wait)
            except FieldMissing as error:
                return ArrivalState((ArrivalFault("fields", str(error)),), settled=True)

    def _wait(self, seconds: float) -> None:
        if self._stopping():
            raise StopRequested("We were asked to stop while a document was on its way to an integration.")
        self._pause(seconds)

    def _elsewhere(self, one: _One) -> Iterator[ArrivalFault]:
        """Other tenants' far ends of the same name that hold it, too."""
        name, marker = one.integration.name, one.expected.marker
        having = [
            each
            for each in self._others
            if each.id != self._tenant.id and each.erp == self._tenant.erp and name in each.integrations
        ]
        having.sort(key=lambda each: hashlib.sha256(f"{marker} {each.id}".encode()).digest())
        for other in having[:ELSEWHERE]:
            theirs = other.integrations[name]
            with _observer(theirs) as observer:
                found = observer.seen(marker, one.expected.sent - BACK)
            # A far end that many tenants share holds it, and says whose it is.
            if any(each.tenant in ("", theirs.tenant or other.id) for each in found):
                yield ArrivalFault("elsewhere", f"{found[0].id} arrived at {other.id}'s {name}")


def _again(one: _One, **changes: Any) -> _One:
    """The same, with what has been seen so far, and other expectations."""
    return _One(one.integration, replace(one.expected, **changes), one.seen)


def _fitting(expected: ExpectedArrival, integration: Integration) -> ExpectedArrival:
    """Without what the far end does not state."""
    stated = integration.fields
    return replace(
        expected,
        tenant=integration.tenant if "tenant" in stated else "",
        amount=expected.amount if "amount" in stated else None,
        net=expected.net if "net" in stated else None,
        hours=expected.hours if "hours" in stated else None,
        currency=expected.currency if "currency" in stated else "",
        taxes={rate: tax for rate, tax in expected.taxes.items() if f"tax.{rate}" in stated},
    )


def _line(one: _One) -> dict[str, Any]:
    return {"integration": one.integration.name, "marker": one.expected.marker, "sent": one.expected.sent.isoformat()}


@contextmanager
def _observer(integration: Integration) -> Iterator[Observer]:
    with ExitStack() as stack:
        observer = observer_of(integration)
        stack.callback(observer.close)
        yield observer


ALIEN = frozenset({"tenant", "elsewhere"})
"""Rules that say that a document went to somebody whose business it is not."""


def _error(tenant: Tenant, wrong: Sequence[tuple[Integration, ArrivalFault]]) -> IntegrationFailed | IntegrationLate:
    """`integration payroll of acme (payroll-team): late: it had not arrived after 1 min`"""
    by_name: dict[str, list[tuple[Integration, ArrivalFault]]] = {}
    for integration, fault in wrong:
        by_name.setdefault(integration.name, []).append((integration, fault))
    words = "; ".join(
        f"integration {name} of {tenant.id} ({found[0][0].owner}): "
        + ", ".join(f"{fault.rule}: {fault.sentence}" for _, fault in found)
        for name, found in by_name.items()
    )
    rules = {fault.rule for _, fault in wrong}
    if rules == {"late"}:
        return IntegrationLate(words)
    return IntegrationFailed(words, Invariant.ISOLATED if rules & ALIEN else None)
