"""What receives documents from an ERP, what arrived there, and what should have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from ringgate.domain.secrets import Secret
from ringgate.domain.terms import Receives


@dataclass(frozen=True, slots=True)
class Integration:
    """A system that receives what a tenant's ERP does, and how its far end is read.

    `kind` names the observer, `address` where it reads, `settings` what only that kind knows (`query`, `rows`, `files`,
    `folder`). `fields` says which of a row's columns holds what: `marker`, `id`, `tenant`, `amount`, `net`, `currency`,
    `hours`, `at`, `attempt`, `reversal`, and `tax.<rate>`. A document must arrive `within` that time; after its
    reversal nothing of it may arrive for `quiet`. `tenant` is what the far end calls the tenant, "" for its id.
    `receives` says which scenarios follow their documents to it."""

    name: str
    kind: str
    address: str
    within: timedelta
    owner: str
    quiet: timedelta = timedelta(0)
    user: str = ""
    password: Secret | None = None
    key: Secret | None = None
    tenant: str = ""
    receives: frozenset[Receives] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One document at the far end of an integration. What the far end does not state is None, or "".

    `id` is the far end's own name for the effect: a delivery that was tried again has the same. `amount` and `taxes`
    (by rate) are signed as stated, in `currency`; `hours` are hours; `at` is aware; `attempt` counts from 1."""

    id: str
    tenant: str = ""
    amount: Decimal | None = None
    currency: str = ""
    hours: Decimal | None = None
    taxes: Mapping[str, Decimal] = field(default_factory=dict)
    at: datetime | None = None
    attempt: int = 1
    reversal: bool = False
    net: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ExpectedArrival:
    """What must come to an integration of one document, from the inventory and the inputs, never from the ERP.

    `tenant` is what the far end calls it, "" where it has no name for it. `sent` is when the ERP did what is to arrive,
    `reversed` when it took that back; None while it has not. What is None, or not in `taxes`, is not compared.
    `attempt`: only that version of it, or a later one, is meant; one that was corrected comes again under its id."""

    marker: str
    sent: datetime
    tenant: str = ""
    amount: Decimal | None = None
    currency: str = ""
    hours: Decimal | None = None
    taxes: Mapping[str, Decimal] = field(default_factory=dict)
    reversed: datetime | None = None
    attempt: int = 1
    net: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ArrivalFault:
    """One way in which arrivals break the contract. `rule` is a stable word, `sentence` says expected and found."""

    rule: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ArrivalState:
    """What is known of one document at one integration. `settled`: nothing that comes later can change it. The lags are
    the times from the ERP's doing to the arrival; None before it."""

    faults: tuple[ArrivalFault, ...]
    settled: bool
    lag: timedelta | None = None
    reversal_lag: timedelta | None = None


REVERSAL = " reversal"
"""After the name of an integration in a run's step: what was taken back came there."""

_LAG = "integration-lag/"
_LONGEST = 64
"""Characters of a signal that a store keeps."""


def arrival_name(step: str) -> str:
    """The integration of a run's step, which is named `payroll`, `payroll reversal` or `payroll: doubled, amount`."""
    return step.partition(": ")[0].removesuffix(REVERSAL)


def lag_signal(integration: str) -> str:
    """The signal of how long documents take to arrive there, in seconds."""
    return f"{_LAG}{integration}"[:_LONGEST]


def is_lag(signal: str) -> bool:
    return signal.startswith(_LAG)
