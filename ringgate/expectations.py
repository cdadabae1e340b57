"""How a scenario says what must hold. Every expectation states why, so that a report needs no code to be understood."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from ringgate.errors import ErpError, Refused

T = TypeVar("T")
_UNSET = object()


class ExpectationFailed(ErpError):
    """The ERP did something else than the oracle says. `expected` and `actual` are words for people."""

    kind = "expectation"

    def __init__(self, message: str, *, expected: str, actual: str, because: str) -> None:
        super().__init__(f"{message}: expected {expected}, but it is {actual} ({because})")
        self.expected, self.actual, self.because = expected, actual, because


def expect(
    actual: T, *, because: str, equals: object = _UNSET, one_of: Collection[T] | None = None, what: str = "the value"
) -> T:
    """Fail unless `actual` equals `equals`, or is one of `one_of`; alone, unless it is truthy. Returns `actual`."""
    if one_of is not None:
        if actual not in one_of:
            raise ExpectationFailed(
                what, expected=f"one of {_say(sorted(map(str, one_of)))}", actual=_say(actual), because=because
            )
    elif equals is not _UNSET:
        if actual != equals:
            raise ExpectationFailed(what, expected=_say(equals), actual=_say(actual), because=because)
    elif not actual:
        raise ExpectationFailed(what, expected="something", actual=_say(actual), because=because)
    return actual


def expect_refusal(verb: Callable[..., object], *args: object, because: str, **kwargs: object) -> Refused:
    """Fail unless the ERP refuses the verb. Returns the refusal, with the state that was read back after it."""
    try:
        done = verb(*args, **kwargs)
    except Refused as refusal:
        return refusal
    name = getattr(verb, "__name__", "the verb").replace("_", " ")
    state = getattr(done, "state", "")
    actual = f"done (state read back: {state})" if state else "done"
    raise ExpectationFailed(f"{name} was allowed", expected="a refusal", actual=actual, because=because)


def expect_agreement(
    layers: Mapping[str, Mapping[str, object]], expected: Mapping[str, object], *, because: str
) -> None:
    """Fail unless every layer (API record, screen, ledger) states every expected figure. All differences are listed."""
    wrong = [
        f"{layer} states {name} {_say(figures.get(name))}"
        for layer, figures in layers.items()
        for name, value in expected.items()
        if figures.get(name) != value
    ]
    if wrong:
        stated = ", ".join(f"{name} {_say(value)}" for name, value in expected.items())
        raise ExpectationFailed(
            "the layers disagree with the oracle", expected=stated, actual="; ".join(wrong), because=because
        )


def _say(value: object) -> str:
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(map(str, value)) or "nothing"
    return "nothing" if value is None or value == "" else str(value)
