"""Fills an empty tenant with a company, its people and a year of believable books, over the ERP's own API.

    seed_tenant("http://127.0.0.1:8000", "aldgate", admin_password, SeedSpec.of(tenant, today), passwords, print)

Deterministic: the same spec gives the same records. Nothing here looks at the clock.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Final

from ringgate.domain.terms import Role
from ringgate.drivers.tryton.wire import RpcClient
from ringgate.estate import business_year
from ringgate.estate.seed_spec import SeedSpec
from ringgate.estate.tryton.seeding import books, master_data, people
from ringgate.estate.tryton.seeding.rpc import SeedingClient

__all__ = ["SEED_VERSION", "SeedSpec", "seed_tenant"]

SEED_VERSION: Final = 4
"""Counts up with every change to what is seeded, so that an estate knows when to seed anew."""

ADMIN: Final = "admin"
SEEDING_ROLES: Final = (Role.PROJECT_MANAGER, Role.APPROVER, Role.ACCOUNTANT)


def seed_tenant(
    url: str,
    database: str,
    admin_password: str,
    spec: SeedSpec,
    secrets: Mapping[Role, str],
    progress: Callable[[str], None] = lambda stage: None,
) -> None:
    """Seeds `database`, a fresh clone of the template (modules and languages of `estate.series`), served at `url`.

    `secrets` has the password of each role in `spec.users`; `progress` is told each stage as it begins. Not to be run
    twice on one database. Raises the errors of `ringgate.domain.errors`.
    """
    with contextlib.ExitStack() as stack:

        def signed_in(login: str, password: str) -> SeedingClient:
            client = stack.enter_context(RpcClient(url, database, timeout=120))
            client.login(login, password)
            return SeedingClient(client)

        admin = signed_in(ADMIN, admin_password)
        year = business_year.generate(spec)
        progress("company and accounts")
        base = master_data.create(admin, spec)
        progress("people and rights")
        everybody = people.create(admin, spec, base, year, secrets)
        roles = {role: signed_in(spec.users[role], secrets[role]) for role in SEEDING_ROLES}
        books.write(books.Writer(spec, base, everybody, year, admin, roles), progress)
        progress("closing old months")
        master_data.close_old_months(admin, spec)
