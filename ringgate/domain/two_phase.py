"""A process in two phases: what comes before an upgrade, and what comes after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ringgate.domain.model import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPhaseScenario(Scenario):
    """A process in two phases, with an upgrade in between. `function` runs both in one go.

    `begin` takes (erp, make, run) and returns what must be carried over; `finish` takes that as its fourth. `carried`
    is its type: values of `ringgate.domain.model` and containers of them, so that it can be kept as JSON.
    """

    begin: Callable[..., object]
    finish: Callable[..., None]
    carried: Any

    def as_json(self, carried: object) -> Any:
        """What is carried over, as values that JSON has."""
        from pydantic import TypeAdapter  # noqa: PLC0415 - few runs are of two phases

        return TypeAdapter(self.carried).dump_python(carried, mode="json")

    def from_json(self, kept: object) -> Any:
        """What `as_json` was given."""
        from pydantic import TypeAdapter  # noqa: PLC0415

        return TypeAdapter(self.carried).validate_python(kept)
