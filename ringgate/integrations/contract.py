"""The contract of an integration, checked on what arrived: in time, once, with the right content, and taken back.

Pure: the clock is an argument. The clock of a far end is another one, so times that it states are compared with each
other alone; whether something is late is measured by when we first saw it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from ringgate.domain.integrations import Arrival, ArrivalFault, ArrivalState, ExpectedArrival, Integration

CLOCK = timedelta(minutes=5)
"""By how much a far end's clock may differ from ours. It matters where what arrives is looked for by its time."""
SKEW = timedelta(seconds=5)
"""By how much a far end's own times may be out of order: what is sent within seconds may be stamped by two machines."""

Seen = Mapping[tuple[str, bool], datetime]
"""When we first saw each document: by its id and whether it is a reversal."""


def state_of(
    integration: Integration, expected: ExpectedArrival, arrivals: Sequence[Arrival], seen: Seen, now: datetime
) -> ArrivalState:
    """What the arrivals that carry the marker come to, as of `now`."""
    arrivals = [each for each in arrivals if meant(each, expected)]
    documents = [each for each in arrivals if not each.reversal]
    reversals = [each for each in arrivals if each.reversal]
    first, deadline = _first(documents, seen), expected.sent + integration.within
    faults = [
        *_timely("it", documents, first, deadline, integration, now),
        *_once("it", documents),
        *_content(expected, documents, 1),
        *_foreign(expected, arrivals),
        *_clock(expected, arrivals, seen),
    ]
    settled = bool(documents) or now > deadline
    back = None
    if expected.reversed is None:
        faults += [
            ArrivalFault("reversed", f"a reversal arrived ({r.id}), and nothing was taken back") for r in reversals
        ]
    else:
        back, until = _first(reversals, seen), expected.reversed + integration.within
        faults += [
            *_timely("its reversal", reversals, back, until, integration, now),
            *_once("its reversal", reversals),
            *_content(expected, reversals, -1),
            *_order(documents, reversals),
        ]
        settled = settled and (now > until if back is None else now >= back + integration.quiet)
        faults += _after(documents, back, seen)
    return ArrivalState(
        tuple(faults),
        settled or bool(faults),
        first - expected.sent if first else None,
        back - expected.reversed if back and expected.reversed else None,
    )


def meant(arrival: Arrival, expected: ExpectedArrival) -> bool:
    """Whether it is the version of the document that is expected, or a later one, or its reversal."""
    return arrival.reversal or arrival.attempt >= expected.attempt


def _first(arrivals: Sequence[Arrival], seen: Seen) -> datetime | None:
    return min((seen[each.id, each.reversal] for each in arrivals), default=None)


def _timely(
    what: str, arrivals: Sequence[Arrival], first: datetime | None, deadline: datetime, integration: Integration,
    now: datetime,
) -> Iterator[ArrivalFault]:  # fmt: skip
    allowed = _words(integration.within)
    if not arrivals and now > deadline:
        yield ArrivalFault("late", f"{what} had not arrived after {allowed}")
    elif first is not None and first > deadline:
        yield ArrivalFault("late", f"{what} arrived {_words(first - deadline)} after the {allowed} that are allowed")


def _once(what: str, arrivals: Sequence[Arrival]) -> Iterator[ArrivalFault]:
    ids = sorted({each.id for each in arrivals})
    if len(ids) > 1:
        yield ArrivalFault("doubled", f"{what} arrived {len(ids)} times, as {', '.join(ids[:5])}")


def _content(expected: ExpectedArrival, arrivals: Sequence[Arrival], sign: int) -> Iterator[ArrivalFault]:
    """A far end may state what is taken back with either sign: it is said to be a reversal already."""

    def differs(wanted: Decimal, found: Decimal | None) -> bool:
        return found is None or (found != wanted if sign > 0 else abs(found) != abs(wanted))

    for each in arrivals:
        whose = f"{'the reversal ' if sign < 0 else ''}{each.id}"
        if expected.amount is not None and differs(expected.amount, each.amount):
            yield ArrivalFault("amount", f"{whose} states an amount of {each.amount}, not {sign * expected.amount}")
        if expected.net is not None and differs(expected.net, each.net):
            yield ArrivalFault("amount", f"{whose} states a net amount of {each.net}, not {sign * expected.net}")
        if expected.hours is not None and differs(expected.hours, each.hours):
            yield ArrivalFault("hours", f"{whose} states {each.hours} hours, not {sign * expected.hours}")
        if expected.currency and each.currency != expected.currency:
            yield ArrivalFault("currency", f"{whose} states {each.currency or 'no currency'}, not {expected.currency}")
        for rate, tax in sorted(expected.taxes.items()):
            if differs(tax, each.taxes.get(rate)):
                yield ArrivalFault("tax", f"{whose} states a tax at {rate} of {each.taxes.get(rate)}, not {sign * tax}")


def _foreign(expected: ExpectedArrival, arrivals: Sequence[Arrival]) -> Iterator[ArrivalFault]:
    for each in arrivals:
        if expected.tenant and each.tenant and each.tenant != expected.tenant:
            yield ArrivalFault("tenant", f"{each.id} arrived as {each.tenant}'s, not as {expected.tenant}'s")


def _clock(expected: ExpectedArrival, arrivals: Sequence[Arrival], seen: Seen) -> Iterator[ArrivalFault]:
    for each in arrivals:
        if each.at and not expected.sent - CLOCK <= each.at <= seen[each.id, each.reversal] + CLOCK:
            yield ArrivalFault(
                "clock",
                f"{each.id} says it is of {each.at:%H:%M:%S}, and was seen {seen[each.id, each.reversal]:%H:%M:%S}",
            )


def _order(documents: Sequence[Arrival], reversals: Sequence[Arrival]) -> Iterator[ArrivalFault]:
    if reversals and not documents:
        yield ArrivalFault("order", f"the reversal {reversals[0].id} arrived, and what it takes back had not")
    came = [each.at for each in documents if each.at]
    back = [each.at for each in reversals if each.at]
    if came and back and min(back) < min(came) - SKEW:
        yield ArrivalFault(
            "order", f"the reversal is of {min(back):%H:%M:%S}, before what it takes back ({min(came):%H:%M:%S})"
        )


def _after(documents: Sequence[Arrival], back: datetime | None, seen: Seen) -> Iterator[ArrivalFault]:
    for each in documents:
        if back is not None and seen[each.id, False] > back:
            yield ArrivalFault("after-reversal", f"{each.id} arrived after the reversal had")


def _words(time: timedelta) -> str:
    seconds = time.total_seconds()
    return f"{seconds / 60:g} min" if seconds >= 60 and seconds % 60 == 0 else f"{seconds:g} s"
