"""Who may call a tenant from where: a process of one residency is refused the secrets of all others.

    RINGGATE_RESIDENCY=eu        in a machine's environment: it gets the secrets of tenants of `eu` and of `any` alone

What the environment says holds for every command; an option can only say more where the environment says nothing.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace

from ringgate.domain.credentials import Account, Credentials
from ringgate.domain.errors import SecretWithheld
from ringgate.domain.model import Tenant
from ringgate.domain.secrets import Secret

ANY = "any"


@dataclass(frozen=True, slots=True)
class WithheldSecret(Secret):
    """A secret that this process does not get. It is not even looked for."""

    where: str
    why: str

    __str__ = Secret.__str__

    @property
    def reference(self) -> str:
        return self.where

    def reveal(self) -> str:
        raise SecretWithheld(f"the secret in {self.where} is withheld: {self.why}")


def residencies(asked: Collection[str] | None = None) -> frozenset[str]:
    """Those of this process: of its environment, else those asked for; none: it may call everybody."""
    return frozenset(os.environ.get("RINGGATE_RESIDENCY", "").split()) or frozenset(asked or ())


def resides(tenant: Tenant, mine: Collection[str]) -> bool:
    """Whether a process of these residencies may call the tenant."""
    return not mine or tenant.residency in {*mine, ANY}


def withhold(tenant: Tenant, mine: Collection[str]) -> Tenant:
    """The tenant as a process of these residencies gets it: whole, or without a secret that could be revealed."""
    if resides(tenant, mine):
        return tenant
    why = f"{tenant.id} has the residency {tenant.residency}, and this process has {' and '.join(sorted(mine))}"

    def other(secret: Secret | None) -> Secret | None:
        return WithheldSecret(secret.reference, why) if secret else None

    def account(each: Account) -> Account:
        channels = {
            channel: Credentials(way.login, other(way.password), other(way.key), other(way.one_time_codes))
            for channel, way in each.channels.items()
        }
        return Account(each.login, other(each.password), channels)

    return replace(
        tenant,
        users={role: account(each) for role, each in tenant.users.items()},
        integrations={
            name: replace(each, password=other(each.password), key=other(each.key))
            for name, each in tenant.integrations.items()
        },
    )
