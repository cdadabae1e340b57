"""How far ends are read, by protocol. Kinds by entry point in `ringgate.observers`; one of one's own plugs in likewise.

An observer is made from an Integration, answers `seen(marker, since)`, and changes nothing at the far end.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import entry_points
from typing import Any, Protocol

from ringgate.domain.integrations import Arrival, Integration
from ringgate.integrations.rows import ObserverError

GROUP = "ringgate.observers"


class Observer(Protocol):
    """Reads the far end of one integration of one tenant. Not safe for threads."""

    def __init__(self, integration: Integration, /) -> None: ...

    def seen(self, marker: str, since: datetime) -> Sequence[Arrival]:
        """What arrived that carries the marker, at `since` (aware) or later, in no order. Raises ObserverError."""

    def close(self) -> None:
        """Ends what is open."""


def known_kinds() -> tuple[str, ...]:
    """The kinds that an observer is installed for, sorted; none is loaded."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def observer_of(integration: Integration) -> Observer:
    """The observer of an integration; nothing is opened yet. Raises ObserverError where it cannot be made."""
    for point in entry_points(group=GROUP, name=integration.kind):
        try:
            made: Any = point.load()
        except Exception as error:
            raise ObserverError(f"the observer {integration.kind} ({point.value}) cannot be loaded: {error}") from error
        observer: Observer = made(integration)
        return observer
    raise ObserverError(f"no observer is installed for {integration.kind}; there is {', '.join(known_kinds())}")
