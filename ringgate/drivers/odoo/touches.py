"""What calls touch: their names, and the fields that they name in what they read, search by and write.

`account.move.search_read` with the fields `["name"]` and a domain on `state` by the accountant leaves

    accountant call account.move.search_read
    accountant read account.move name
    accountant read account.move state
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringgate.domain.terms import Role
from ringgate.surface.model import call, reading, writing

_LINE_WORDS: Final = 3
"""Items of a command on lines: `(0, 0, {values})`, `(1, id, {values})`."""


class Touches:
    """What the calls of one run touched, each once."""

    def __init__(self) -> None:
        self._all: set[str] = set()

    @property
    def all(self) -> frozenset[str]:
        return frozenset(self._all)

    def note(self, role: Role, model: str, method: str, named: Mapping[str, Any]) -> None:
        """`named` are the call's arguments by name. Never raises for their shape."""
        add = self._all.add
        add(call(role, f"{model}.{method}"))
        for field in _names(named.get("fields")):
            add(reading(role, model, field))
        for field in _searched(named.get("domain")):
            add(reading(role, model, field))
        for values in (named.get("vals_list"), named.get("vals")):
            for field in _written(values):
                add(writing(role, model, field))


def _names(told: Any) -> list[str]:
    return [each for each in told if isinstance(each, str)] if isinstance(told, list | tuple) else []


def _searched(domain: Any) -> Iterator[str]:
    """The fields of a domain's clauses."""
    for clause in domain if isinstance(domain, list | tuple) else ():
        if isinstance(clause, list | tuple) and len(clause) == _LINE_WORDS and isinstance(clause[0], str):
            yield clause[0]


def _written(values: Any, prefix: str = "") -> Iterator[str]:
    """The fields that get values; of lines made along with their document, too: `order_line.price_unit`."""
    if isinstance(values, list | tuple):
        for each in values:
            yield from _written(each, prefix)
    elif isinstance(values, Mapping):
        for field, value in values.items():
            yield prefix + field
            for command in value if isinstance(value, list | tuple) else ():
                if isinstance(command, list | tuple) and len(command) == _LINE_WORDS:
                    yield from _written(command[2], f"{prefix}{field}.") if isinstance(command[2], Mapping) else ()
