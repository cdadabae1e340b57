"""Odoo as a kind of estate: found under `odoo` in the entry point group `ringgate.estates`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Role
from ringgate.estate.faults.fault import Fault
from ringgate.estate.members import Member, TenantNames
from ringgate.estate.odoo import hop, install
from ringgate.estate.odoo.readiness import state
from ringgate.estate.odoo.series import SERIES
from ringgate.estate.odoo.server import USER, OdooServer, stale
from ringgate.estate.protocol import EstateKind, Seeding, ServerPlace
from ringgate.estate.tools import Tools

FURTHER: Mapping[str, tuple[str, ...]] = {
    "hudson": ("allegheny", "potomac", "susquehanna"),
    "isar": ("lech", "inn", "donau"),
    "thames": ("mersey", "tyne", "severn"),
}
"""The ids of further tenants by archetype."""
THRESHOLDS: tuple[str, ...] = ("300.00", "1000.00", "2000.00", "750.00", "100.00")
"""Not 250.00: series 14.0 rounds a limit of 250.01 to 250.01000000000002, and lets an order over 250.01 pass."""


class OdooEstate:
    """Odoo 14.0 and 19.0, each with a Python of its own."""

    name = "odoo"
    title = "Odoo"
    series = seeded_series = tuple(SERIES)
    admin = "admin"
    files = PurePosixPath("files/filestore")
    tenants = TenantNames(Path(__file__).with_name("tenants"), FURTHER, THRESHOLDS)
    dialect = "ringgate.estate.odoo.dialect:OdooDialect"
    template_parts = ()
    seeded_parts = ()

    @property
    def faults(self) -> Sequence[Fault]:
        from ringgate.estate.odoo.faults import OWN_FAULTS  # noqa: PLC0415 - few commands need the catalogue

        return OWN_FAULTS

    @property
    def seeding(self) -> Seeding:
        # Imported late, because it needs the drivers and only the first start needs it.
        from ringgate.estate.odoo.seeding import SEED_VERSION, SeedSpec, seed_tenant  # noqa: PLC0415

        def seed(
            url: str,
            database: str,
            admin_password: str,
            tenant: Tenant,
            today: date,
            secrets: Mapping[Role, str],
            progress: Callable[[str], None],
        ) -> None:
            seed_tenant(url, database, admin_password, SeedSpec.of(tenant, today), secrets, progress)

        return Seeding(str(SEED_VERSION), seed)

    # --- installing and serving -----------------------------------------------------------------------------------

    def install(self, tools: Tools, series: str) -> Path:
        """The last series comes with the hop that leads to it."""
        if series == hop.LAST:
            hop.install(tools)
        return install.install(tools, SERIES[series])

    def installed(self, tools: Tools, series: str) -> Path:
        return install.folder_of(tools, SERIES[series])

    def install_web_client(self, tools: Tools, series: str) -> None:
        """It is part of the ERP's own package."""

    def server(self, tools: Tools, place: ServerPlace) -> OdooServer:
        facts = SERIES[place.series]
        return OdooServer(facts, install.folder_of(tools, facts), place, hop.hop_of(tools))

    # --- tenants --------------------------------------------------------------------------------------------------

    def let_in(self, database: psycopg.Connection[Any], hashes: Mapping[str, str]) -> None:
        """A session is bound to its user's password and to the database's own secret: both are new. The ERP shows its
        pages for those databases alone that are its database user's own."""
        own = sql.SQL("ALTER DATABASE {} OWNER TO {}")
        database.execute(own.format(sql.Identifier(database.info.dbname), sql.Identifier(USER)))
        for login, password in hashes.items():
            database.execute("UPDATE res_users SET password = %s WHERE login = %s", [password, login])
        database.execute(
            "UPDATE ir_config_parameter SET value = gen_random_uuid()::text "
            "WHERE key IN ('database.uuid', 'database.secret')"
        )
        stale(database)

    def vary(self, database: psycopg.Connection[Any], member: Member) -> None:
        """Gives the company another name, and another limit of approvals if it has any."""
        database.execute("UPDATE res_company SET name = %s", [member.name])
        # What its partner's complete name shows is kept by the ERP beside the name.
        for column in _columns(database, "res_partner", ("name", "display_name", "complete_name")):
            statement = f"UPDATE res_partner SET {column} = %s WHERE id IN (SELECT partner_id FROM res_company)"  # noqa: S608
            database.execute(statement.encode(), [member.name])
        if member.threshold is not None:
            limit = member.threshold + Decimal("0.01")
            database.execute("UPDATE res_company SET po_double_validation_amount = %s", [limit])
        stale(database)

    def endpoints(self, base: str, database: str) -> Mapping[str, str]:
        return {"api": f"{base}/{database}", "web": f"{base}/"}

    def ready(self, tenant: Tenant, series: str, base: str) -> str:
        return state(tenant, base)


def _columns(database: psycopg.Connection[Any], table: str, wanted: Sequence[str]) -> list[str]:
    known = database.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
    there = {str(name) for (name,) in known}
    return [column for column in wanted if column in there]


if TYPE_CHECKING:
    _kept: EstateKind = OdooEstate()
