"""Tryton as a kind of estate: found under `tryton` in the entry point group `ringgate.estates`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import psycopg

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Role
from ringgate.estate.faults.fault import Fault
from ringgate.estate.members import Member, TenantNames
from ringgate.estate.protocol import EstateKind, Seeding, ServerPlace
from ringgate.estate.tools import Tools
from ringgate.estate.tryton import install
from ringgate.estate.tryton.readiness import state
from ringgate.estate.tryton.series import LANGUAGES, SERIES
from ringgate.estate.tryton.server import HASHING, TrytonServer

FURTHER: Mapping[str, tuple[str, ...]] = {
    "aldgate": ("barbican", "camden", "dalston", "euston", "farringdon"),
    "bleecker": ("chelsea", "delancey", "fulton", "gramercy", "hudson"),
    "cologne": ("dresden", "essen", "frankfurt", "hamburg", "munich"),
    "kyoto": ("kobe", "nagoya", "osaka", "sapporo", "tokyo"),
}
"""The ids of further tenants by archetype."""


class TrytonEstate:
    """Tryton 7.0 and 8.0, each in a virtual environment of its own."""

    name = "tryton"
    title = "Tryton"
    series = tuple(SERIES)
    seeded_series = series[:1]  # later ones are reached by upgrading
    admin = "admin"
    files = PurePosixPath("files")
    tenants = TenantNames(Path(__file__).resolve().parents[3] / "tenants", FURTHER)
    dialect = "ringgate.estate.tryton.dialect:TrytonDialect"
    template_parts = (LANGUAGES,)
    seeded_parts = (HASHING,)

    @property
    def faults(self) -> Sequence[Fault]:
        # Imported late, for few commands need them and they have the whole catalogue.
        from ringgate.estate.tryton.faults import OWN_FAULTS  # noqa: PLC0415

        return OWN_FAULTS

    @property
    def seeding(self) -> Seeding:
        # Imported late, because it needs the drivers and only the first start needs it.
        from ringgate.estate.tryton.seeding import SEED_VERSION, SeedSpec, seed_tenant  # noqa: PLC0415

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
        return install.install_erp(tools, SERIES[series])

    def installed(self, tools: Tools, series: str) -> Path:
        return install.erp_folder(tools, SERIES[series])

    def install_web_client(self, tools: Tools, series: str) -> None:
        install.install_web_client(tools, SERIES[series])

    def server(self, tools: Tools, place: ServerPlace) -> TrytonServer:
        series = SERIES[place.series]
        web_root = install.web_client_folder(tools, series) if place.web else None
        return TrytonServer(series, install.erp_folder(tools, series), place, web_root)

    # --- tenants --------------------------------------------------------------------------------------------------

    def let_in(self, database: psycopg.Connection[Any], hashes: Mapping[str, str]) -> None:
        for login, password in hashes.items():
            database.execute("UPDATE res_user SET password_hash = %s WHERE login = %s", [password, login])
        database.execute("DELETE FROM ir_session")

    def vary(self, database: psycopg.Connection[Any], member: Member) -> None:
        """Gives the company another name, and another approval threshold if it has any."""
        company = "UPDATE party_party SET name = %s WHERE id IN (SELECT party FROM company_company)"
        rendered = "UPDATE account_invoice SET invoice_report_cache = NULL, invoice_report_format = NULL"
        rule = """
            UPDATE ir_model_button_rule SET description = %s,
            condition = jsonb_set(condition::jsonb, '{s2}', to_jsonb(%s::float))::text
        """
        database.execute(company, [member.name])
        database.execute(rendered)  # or its documents would go on naming the archetype
        if member.threshold is not None:
            database.execute(rule, [f"More than {member.threshold} needs an approver", member.threshold])

    def endpoints(self, base: str, database: str) -> Mapping[str, str]:
        return {"api": f"{base}/{database}", "web": f"{base}/#{database}"}

    def ready(self, tenant: Tenant, series: str, base: str) -> str:
        return state(tenant, SERIES[series], base)


if TYPE_CHECKING:
    _kept: EstateKind = TrytonEstate()
