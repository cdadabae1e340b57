"""What calls touch: their names, and the fields that they name in what they read, search by and write.

`model.account.invoice.search_read` with the fields `["number", "lines.amount"]` by the accountant leaves

    accountant call model.account.invoice.search_read
    accountant read account.invoice number
    accountant read account.invoice lines.amount

Fields that a wizard's pages hold, and those that the ERP reads for itself, are not seen from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ringgate.domain.terms import Role
from ringgate.surface.model import call, reading, writing

SEARCHES: Final = frozenset({"search", "search_count", "search_read"})
WRITES: Final = frozenset({"create", "write"})


class Touches:
    """What the calls of one run touched, each once. One that is repeated costs little more than its look-up."""

    def __init__(self) -> None:
        self._seen: set[tuple[Any, ...]] = set()
        self._all: set[str] = set()

    @property
    def all(self) -> frozenset[str]:
        return frozenset(self._all)

    def note(self, role: Role, method: str, params: Sequence[Any]) -> None:
        """`params` as they are sent, with or without the context that ends them. Never raises for their shape."""
        path, _, verb = method.rpartition(".")
        read, written = _fields(verb, params) if path.startswith("model.") else ((), ())
        key = (role, method, tuple(read), tuple(written))
        if key in self._seen:
            return
        self._seen.add(key)
        model, add = path.removeprefix("model."), self._all.add
        add(call(role, method))
        for name in read:
            add(reading(role, model, name))
        for name in written:
            add(writing(role, model, name))


def _fields(verb: str, params: Sequence[Any]) -> tuple[list[str], list[str]]:
    """Field paths that are read or searched by, and those that are written."""
    if verb == "read" and len(params) > 1:
        return _names(params[1]), []
    if verb in SEARCHES and params:
        read = _domain(params[0])
        if verb == "search_read" and len(params) > 4:
            read += _names(params[4])
        return read, []
    if verb in WRITES and params:
        rows = params[0] if verb == "create" else params[1::2]
        return [], _written(rows) if isinstance(rows, list | tuple) else []
    return [], []


def _names(told: Any) -> list[str]:
    return [name for name in told if isinstance(name, str)] if isinstance(told, list | tuple) else []


def _domain(domain: Any) -> list[str]:
    """The fields of a domain's clauses, however deeply nested."""
    if not isinstance(domain, list | tuple) or not domain:
        return []
    head = domain[0]
    if isinstance(head, str) and len(domain) > 2 and isinstance(domain[1], str):
        return [head]
    return [name for part in domain for name in _domain(part)]


def _written(rows: Iterable[Any], prefix: str = "") -> list[str]:
    """The fields that get values; of lines made along with their document, too: `lines.amount`."""
    found: dict[str, None] = {}
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        for name, value in row.items():
            found[prefix + name] = None
            if isinstance(value, list | tuple):
                for action in value:  # ("create", [row, ...]), ("write", [id, ...], row, ...)
                    if isinstance(action, list | tuple) and action and action[0] in WRITES:
                        lines = action[1] if action[0] == "create" else action[2::2]
                        found |= dict.fromkeys(_written(lines, f"{prefix}{name}."))
    return list(found)
