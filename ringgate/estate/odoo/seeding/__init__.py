"""Fills an empty tenant with a company, its people and a year of believable books, over the ERP's own API.

    seed_tenant("http://127.0.0.1:8069", "hudson", admin_password, SeedSpec.of(tenant, today), passwords, print)

Deterministic: the same spec gives the same records. Nothing here looks at the clock.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from typing import Final

from ringgate.domain.terms import Role
from ringgate.drivers.odoo.wire import SessionClient
from ringgate.drivers.transport import HttpTransport, SecretHeader
from ringgate.estate import business_year
from ringgate.estate.odoo.seeding import books, master_data, people
from ringgate.estate.odoo.seeding.rpc import SeedingClient
from ringgate.estate.seed_spec import SeedSpec

__all__ = ["SEED_VERSION", "SeedSpec", "seed_tenant"]

SEED_VERSION: Final = 9
"""Counts up with every change to what is seeded, so that an estate knows when to seed anew."""

ADMIN: Final = "admin"
SEEDING_ROLES: Final = (Role.CONSULTANT, Role.PROJECT_MANAGER, Role.APPROVER, Role.ACCOUNTANT)
PATIENCE: Final = 300.0
"""Seconds for one call: a chart of accounts is loaded in one."""


def seed_tenant(
    url: str,
    database: str,
    admin_password: str,
    spec: SeedSpec,
    secrets: Mapping[Role, str],
    progress: Callable[[str], None] = lambda stage: None,
) -> None:
    """Seeds `database`, a fresh clone of the template (the modules of `series.py`), served at `url`.

    `secrets` has the password of each role in `spec.users`; `progress` is told each stage as it begins. Not to be run
    twice on one database. Raises the errors of `ringgate.domain.errors`.
    """
    with contextlib.closing(HttpTransport(PATIENCE)) as transport:

        def signed_in(login: str, password: str) -> SeedingClient:
            session = SessionClient(url, database, transport)
            session.login(login, password)
            return SeedingClient(session)

        admin = signed_in(ADMIN, admin_password)
        year = business_year.generate(spec)
        progress("company and accounts")
        base = master_data.create(admin, spec)
        progress("people and rights")
        everybody = people.create(admin, spec, base, year, secrets)
        roles = {role: signed_in(spec.users[role], secrets[role]) for role in SEEDING_ROLES if role in spec.users}
        books.write(books.Writer(spec, base, everybody, year, admin, roles), progress)
        progress("closing old months")
        master_data.lock_old_months(admin, spec, base.company)
        progress("screens")
        _build_screens(admin, transport)


def _build_screens(admin: SeedingClient, transport: HttpTransport) -> None:
    """Has the ERP put its scripts and styles together, which it keeps: else the first user waits half a minute."""
    assert admin.rpc.cookie is not None, "nobody is signed in"
    auth = SecretHeader("cookie", admin.rpc.cookie)
    base = admin.rpc.base
    http = transport.http_to(base.partition(":")[0])
    page = http.get(f"{base}/web", auth=auth, follow_redirects=True, timeout=PATIENCE)
    for path in sorted(set(re.findall(r"/web/(?:assets|content)/[^\"' ]+\.(?:js|css)", page.text))):
        http.get(base + path, auth=auth, timeout=PATIENCE)
