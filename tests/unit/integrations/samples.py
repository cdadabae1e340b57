"""An integration and what comes to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ringgate.domain.integrations import Arrival, ExpectedArrival, Integration
from ringgate.domain.secrets import Secret

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MARKER = "RG-1a2b3c"
FIELDS = {"marker": "note", "id": "number", "amount": "total", "currency": "currency"}


@dataclass(frozen=True, slots=True)
class Told(Secret):
    """A secret that is where it is said to be."""

    value: str

    @property
    def reference(self) -> str:
        return "the test's secret"

    def reveal(self) -> str:
        return self.value


def integration(**differently: Any) -> Integration:
    made = Integration("payroll", "csv", "", timedelta(minutes=1), "payroll-team", timedelta(seconds=30), fields=FIELDS)
    return replace(made, **differently)


def expected(**differently: Any) -> ExpectedArrival:
    return replace(ExpectedArrival(MARKER, NOON, "acme", Decimal("120.00"), "EUR"), **differently)


def arrival(**differently: Any) -> Arrival:
    return replace(Arrival("INV-1", "acme", Decimal("120.00"), "EUR"), **differently)
