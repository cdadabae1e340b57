"""How a scenario says what must hold. Every expectation states why, so that a report needs no code to be understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from ringgate.domain.errors import ErpError, OurSideError, Refused
from ringgate.domain.money import Money
from ringgate.domain.terms import Basis, Invariant
from ringgate.drivers.protocol import Outsider
from ringgate.isolation.model import Attempt, AttemptKind, PrivateRecord

T = TypeVar("T")
STATED = MappingProxyType({"tax": Basis.POLICY})
"""What figures of a document rest on where it is not the process: the tax is the tenant's own rule."""
_UNSET = object()


class ExpectationFailed(ErpError):
    """The ERP did something else than the oracle says. `expected` and `actual` are words for people.

    `basis` is what the oracle went by; `invariant` what was broken, if that decides by itself."""

    kind = "expectation"

    def __init__(
        self,
        message: str,
        *,
        expected: str,
        actual: str,
        because: str,
        basis: Basis = Basis.PROCESS,
        invariant: Invariant | None = None,
    ) -> None:
        super().__init__(f"{message}: expected {expected}, but it is {actual} ({because})")
        self.expected, self.actual, self.because = expected, actual, because
        self.basis, self.invariant = basis, invariant


def expect(
    actual: T,
    *,
    what: str,
    because: str,
    equals: object = _UNSET,
    one_of: Collection[T] | None = None,
    within: tuple[Any, Any] | None = None,
    holds: str = "",
    present: str = "",
    basis: Basis = Basis.PROCESS,
    invariant: Invariant | None = None,
) -> T:
    """Fail unless `actual` is as is said by exactly one of these; returns `actual`.

    - `equals`: this value;
    - `one_of`: any of these;
    - `within`: from the first to the last of two, both included;
    - `holds`: a text in which this one stands;
    - `present`: anything at all; the word for it ("a day in a closed period").

    `what` names the thing. `basis` says what the expectation rests on, `invariant` that no release may break it even
    once. Money of another currency than was expected is a matter of policy, whatever was to be shown by it."""
    given = [equals is not _UNSET, one_of is not None, within is not None, bool(holds), bool(present)]
    if given.count(True) != 1:
        raise TypeError(f"{what}: say what is expected by exactly one of equals, one_of, within, holds, present")
    found = say(actual)
    if one_of is not None:
        met, expected = actual in one_of, _any_of(one_of)
    elif within is not None:
        met, expected = within[0] <= actual <= within[1], f"{say(within[0])} to {say(within[1])}"
    elif holds:
        met, expected, found = holds in str(actual), f'"{holds}" on it', f"without it: {_excerpt(str(actual))}"
    elif present:
        met, expected = bool(actual), present
    else:
        met = actual == equals
        expected, found = _differing(equals, actual)
    if not met:
        basis = Basis.POLICY if _other_currency(actual, equals) else basis
        raise ExpectationFailed(
            what, expected=expected, actual=found, because=because, basis=basis, invariant=invariant
        )
    return actual


def expect_refusal(
    verb: Callable[..., object],
    *args: object,
    because: str,
    what: str = "",
    basis: Basis = Basis.PROCESS,
    **kwargs: object,
) -> Refused:
    """Fail unless the ERP refuses the verb. Returns the refusal, with the state that was read back after it.

    `what` names the verb where it has no name of its own."""
    try:
        done = verb(*args, **kwargs)
    except Refused as refusal:
        return refusal
    name = what or getattr(verb, "__name__", "the verb").replace("_", " ")
    state = getattr(done, "state", "")
    actual = f"done (state read back: {state})" if state else "done"
    raise ExpectationFailed(f"{name} was allowed", expected="a refusal", actual=actual, because=because, basis=basis)


def expect_nothing(
    verb: Callable[..., T],
    *args: object,
    stated: Callable[[T], Money],
    because: str,
    what: str,
    basis: Basis = Basis.PROCESS,
) -> None:
    """Fail unless nothing comes of a verb that there is nothing for: the ERP refuses it, or does it over nothing.

    `stated` is the amount of what came of it, `what` names that. ERPs differ in which of the two they do."""
    try:
        done = verb(*args)
    except Refused:
        return
    amount = stated(done)
    expect(amount, equals=Money(0, amount.currency), because=because, what=what, basis=basis)


def expect_agreement(
    layers: Mapping[str, Mapping[str, object]],
    expected: Mapping[str, object],
    *,
    because: str,
    bases: Mapping[str, Basis] = STATED,
) -> None:
    """Fail unless every layer (API record, screen, ledger) states every expected figure. All differences are listed.

    What it rests on is decided by the first figure that any layer states wrongly, in the order of `expected`, for the
    later ones follow from it (the total from net and tax): its entry in `bases`, else the process."""
    wrong = [
        (name, layer, figures.get(name))
        for layer, figures in layers.items()
        for name, value in expected.items()
        if figures.get(name) != value
    ]
    if wrong:
        stated = ", ".join(f"{name} {say(value)}" for name, value in expected.items())
        told = "; ".join(f"{layer} states {name} {say(value)}" for name, layer, value in wrong)
        first = next(name for name in expected if any(name == each for each, _, _ in wrong))
        basis = bases.get(first, Basis.PROCESS)
        if any(_other_currency(value, expected[name]) for name, _, value in wrong):
            basis = Basis.POLICY
        raise ExpectationFailed(
            "the layers disagree with the oracle", expected=stated, actual=told, because=because, basis=basis
        )


def _other_currency(actual: object, expected: object) -> bool:
    return isinstance(actual, Money) and isinstance(expected, Money) and actual.currency != expected.currency


MOST_LEAKS = 5
"""Leaks that a message names; it counts the others."""


def expect_isolation(
    insider: Outsider,
    outsiders: Iterable[Outsider],
    things: Sequence[PrivateRecord],
    *,
    because: str,
    guesses: Sequence[PrivateRecord] = (),
) -> int:
    """Fail unless no outsider gets at any of the things, in any way. Returns the number of attempts.

    `guesses` are records that may be there or not: outsiders try them too, and nothing may be told of them.

    The insider tries first and last: they must see each thing in each way, else a refusal of others proves nothing, and
    of each they must see the same as before; a search also finds what other people do meanwhile. Who was let in to a
    record does not change it: that is told without more harm.

    It rests on rights where somebody was let in who must be refused, else on the process."""
    kinds, guessed = _by_kind(things), _by_kind(guesses)
    before = _seen_by(insider, kinds)
    tried: list[Attempt] = []
    leaks: list[str] = []
    let_in = False
    for outsider in outsiders:
        attempts = _tried(outsider, kinds, guessed)
        found = [f"{outsider.name}: {attempt}" for attempt in attempts if attempt.leaks]
        tried += attempts
        leaks += found
        let_in = let_in or (outsider.barred and bool(found))
    if leaks:
        more = f"; and {len(leaks) - MOST_LEAKS} more" if len(leaks) > MOST_LEAKS else ""
        actual = "; ".join(leaks[:MOST_LEAKS]) + more
        raise ExpectationFailed(
            "isolation", expected="nothing told to outsiders", actual=actual, because=because,
            basis=Basis.RIGHTS if let_in else Basis.PROCESS, invariant=Invariant.ISOLATED,
        )  # fmt: skip
    if not tried:
        raise OurSideError("Nobody tried anything, which proves nothing.")
    after = _seen_by(insider, kinds)
    changed = [
        f"{way} of {kind}"
        for (way, kind), told in after.items()
        if way is not AttemptKind.SEARCH and told != before[way, kind]
    ]
    if changed:
        raise ExpectationFailed(
            "what outsiders left", expected="all as before", actual=f"{', '.join(changed)} says something else",
            because=because,
        )  # fmt: skip
    return len(tried)


def _by_kind(things: Sequence[PrivateRecord]) -> list[list[PrivateRecord]]:
    kinds = dict.fromkeys(thing.ref.kind for thing in things)
    return [[thing for thing in things if thing.ref.kind == kind] for kind in kinds]


def _tried(
    outsider: Outsider, kinds: Sequence[Sequence[PrivateRecord]], guessed: Sequence[Sequence[PrivateRecord]]
) -> list[Attempt]:
    attempts: list[Attempt] = []
    for way in (way for way in AttemptKind if way in outsider.ways):
        for things in (*kinds, *(guessed if way in (AttemptKind.READ, AttemptKind.EXPORT) else ())):
            if way is AttemptKind.WRITE and any(attempt.leaks for attempt in attempts):
                continue
            attempt = outsider.attempt(way, things)
            attempts += [attempt] if attempt is not None else []
    return attempts


def _seen_by(insider: Outsider, kinds: Sequence[Sequence[PrivateRecord]]) -> dict[tuple[AttemptKind, str], str]:
    """What somebody with a right to them is told of the things, by way and kind; each must be there."""
    told: dict[tuple[AttemptKind, str], str] = {}
    for way in (way for way in AttemptKind if way is not AttemptKind.WRITE):
        for things in kinds:
            attempt = insider.attempt(way, things)
            if attempt is None:
                continue
            told[way, things[0].ref.kind] = attempt.told
            for thing in things:
                expect(
                    attempt.told,
                    holds=thing.tells[0],
                    because=f"it is this tenant's own, and the {insider.name} may see it",
                    what=f"{way} of {thing.ref.kind} {thing.ref.id}",
                )
    return told


def say(value: object) -> str:
    """A value in words for people: 7.5, 12.00 GBP, "net 12.00 GBP, tax 2.40 GBP"; "nothing" for none."""
    if isinstance(value, Mapping):
        told = [f"{name} {say(each)}" for name, each in value.items()]
    elif isinstance(value, (set, frozenset)):
        told = sorted(map(say, value))
    elif isinstance(value, (list, tuple)):
        told = list(map(say, value))
    elif is_dataclass(value) and not isinstance(value, (type, Money)):
        told = [f"{_words(each.name)} {say(getattr(value, each.name))}" for each in fields(value) if each.name != "ref"]
    elif isinstance(value, bool):
        told = ["yes" if value else "no"]
    else:
        told = [] if value is None or value == "" else [str(value)]
    return ", ".join(told) or "nothing"


def _differing(expected: object, actual: object) -> tuple[str, str]:
    """Both in words; of two records of a kind, or two tables, only what differs."""
    if is_dataclass(expected) and type(expected) is type(actual) and not isinstance(expected, Money):
        names = [each.name for each in fields(expected) if getattr(expected, each.name) != getattr(actual, each.name)]
        wanted, found = ({_words(name): getattr(each, name) for name in names} for each in (expected, actual))
        return say(wanted), say(found)
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        names = [name for name in {**expected, **actual} if expected.get(name) != actual.get(name)]
        return say({name: expected.get(name) for name in names}), say({name: actual.get(name) for name in names})
    return say(expected), say(actual)


def _any_of(values: Collection[object]) -> str:
    told = sorted(map(say, values))
    return "one of " + ", ".join(told) if len(told) > 1 else "".join(told) or "one of none that there are"


def _words(name: str) -> str:
    return name.replace("_", " ")


LONGEST = 160
"""Characters of a text that a message shows."""


def _excerpt(text: str) -> str:
    """How a text begins, without the tags of a document."""
    plain = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    if not plain:
        return "it is empty"
    return f'"{plain[:LONGEST]} ..."' if len(plain) > LONGEST else f'"{plain}"'
