"""What is run in which round: everything in turn while all is well; what must notice a fault, and a sample of the rest.

Pure: the same round of the same fault is always the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ringgate.domain.terms import Channel
from ringgate.estate.faults import Fault
from tests.evaluation.faults.rounds import Turn

QUICK = (
    "sign-in", "project-creation", "time-entry", "procurement-approval",
    "invoicing-from-time", "financial-posting", "project-to-cash", "credit-and-payment",
)  # fmt: skip
EXTENDED = ("supplier-invoice",)
"""Not in a demo and not in a rehearsal: one of them every round."""
IN_FLIGHT = (
    "in-flight-draft-invoice", "in-flight-half-billed-project",
    "in-flight-part-paid-invoice", "in-flight-waiting-request",
)  # fmt: skip
COSTLY = ("authority", "tenant-disclosure", "tenant-isolation")
"""Those that take as long as all others together: one of them every other round."""
SHOWN = 4
"""Every so many rounds one process is walked through in the browser."""
MEANT, BESIDE = 3, 1
"""Of those that must notice a fault, and of the others, so many a round."""


def _in_turn(names: Sequence[str], number: int, count: int = 1) -> list[str]:
    return [names[(number * count + each) % len(names)] for each in range(min(count, len(names)))]


def clean_round(number: int, tenants: Sequence[str]) -> list[Turn]:
    """Each scenario once over the API, each time on another tenant; of those that take long, one."""

    def one_of(names: Sequence[str], turn: int, channel: Channel = Channel.API) -> Turn:
        again, place = divmod(turn, len(names))
        return Turn(names[place], tenants[(place + again) % len(tenants)], channel)

    turns = [Turn(name, tenants[(number + place) % len(tenants)]) for place, name in enumerate(QUICK)]
    turns.append(one_of(IN_FLIGHT, number))
    turns.append(one_of(EXTENDED, number))
    if number % 2:
        turns.append(one_of(COSTLY, number // 2))
    if number % SHOWN == 0:
        turns.append(one_of(QUICK, number // SHOWN, Channel.BROWSER))
    return turns


def fault_round(fault: Fault, number: int, hit: str, tenants: Sequence[str]) -> list[Turn]:
    """On the tenant that is hit, those that must notice and one more; on each other tenant one of all."""
    return list(dict.fromkeys(_turns(fault, number, hit, [each for each in tenants if each != hit])))


def _turns(fault: Fault, number: int, hit: str, others: Sequence[str]) -> Iterator[Turn]:
    cost = (*QUICK, *EXTENDED, *COSTLY)
    meant = _in_turn(sorted(fault.catches, key=cost.index), number, MEANT)
    rest = [name for name in QUICK if name not in fault.catches] or list(QUICK)
    for name in meant:
        yield Turn(name, hit, fault.channel)
        if fault.channel is Channel.BROWSER:
            yield Turn(name, hit)
    for name in _in_turn(rest, number, BESIDE):
        yield Turn(name, hit)
    quick = [name for name in meant if name in QUICK]
    for place, tenant in enumerate(others):
        # Whether others meet it, too, is asked of one; of the rest, whether they are well.
        names = quick if quick and place == number % len(others) else QUICK
        yield Turn(*_in_turn(names, number + place), tenant)
