"""What a tenant is to be like, in the few words that the seeding needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ringgate.domain.model import Policy, Tenant
from ringgate.domain.terms import InvoiceMethod, Role

CURRENCIES: Mapping[str, tuple[str, str]] = {
    "GBP": ("Pound Sterling", "£"),
    "USD": ("US Dollar", "$"),
    "EUR": ("Euro", "€"),
    "JPY": ("Yen", "¥"),
}
"""Code -> name and symbol. Another code is seeded with itself as name and symbol."""

FAKER_LOCALES: Mapping[str, str] = {"GBP": "en_GB", "USD": "en_US", "EUR": "de_DE", "JPY": "ja_JP"}
CITIES: Mapping[str, str] = {"en_GB": "London", "en_US": "New York", "de_DE": "Köln", "ja_JP": "京都市"}

HOURLY_RATES: Mapping[str, tuple[int, int, int]] = {"JPY": (9_000, 16_000, 500)}
"""Lowest, highest and step of believable hourly rates; `DEFAULT_RATES` for the currencies that are not named."""
DEFAULT_RATES = (85, 165, 5)


@dataclass(frozen=True)
class SeedSpec:
    """A tenant to be seeded. `today` is the day its books end at, in the tenant's own time zone."""

    id: str
    name: str
    policy: Policy
    language: str
    timezone: str
    today: date
    users: Mapping[Role, str]  # role -> login
    extensions: frozenset[str] = frozenset()

    @classmethod
    def of(cls, tenant: Tenant, today: date) -> SeedSpec:
        """From the inventory entry, so that what is seeded and what is expected have one source."""
        return cls(
            id=tenant.id,
            name=tenant.name,
            policy=tenant.policy,
            language=tenant.language,
            timezone=tenant.timezone,
            today=today,
            users={role: account.login for role, account in tenant.users.items()},
            extensions=frozenset(tenant.extensions),
        )

    @property
    def locale(self) -> str:
        return FAKER_LOCALES.get(self.policy.currency.code, "en_US")

    @property
    def short(self) -> str:
        """Two capitals that begin the tenant's document numbers."""
        return (self.id[0] + self.id[-1]).upper()

    @property
    def rates(self) -> tuple[int, int, int]:
        return HOURLY_RATES.get(self.policy.currency.code, DEFAULT_RATES)

    @property
    def by_effort(self) -> bool:
        return self.policy.invoice_method is InvoiceMethod.EFFORT

    @property
    def products(self) -> tuple[tuple[str, str | None], ...]:
        """The services the tenant sells: name and the name of the tax on it, None where there is no tax."""
        if not self.policy.taxes:
            return ((self.policy.product, None),)
        return tuple((tax.product, tax.name) for tax in self.policy.taxes)

    @property
    def approvals_from(self) -> Decimal | None:
        """The amount above which a request needs another's approval; None if none ever does."""
        return self.policy.approval.threshold if self.policy.approval.steps else None
