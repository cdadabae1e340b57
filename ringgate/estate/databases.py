"""The tenants' databases of one estate: made from the golden image, given this estate's passwords, made fresh again."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringgate.estate.images import GOLDEN
from ringgate.estate.postgres import Cluster
from ringgate.estate.tryton.server import ErpServer
from ringgate.estate.tryton.tenant_set import Member, passwords

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class TenantDatabases:
    """`secrets_folder` holds one folder for each tenant, in it one file for each role and one for the administrator."""

    cluster: Cluster
    server: ErpServer
    secrets_folder: Path

    def missing(self, roster: Sequence[Member]) -> list[Member]:
        """Those that have no database yet."""
        there = self.cluster.databases()
        return [member for member in roster if member.id not in there]

    def locked_out(self, roster: Sequence[Member]) -> list[Member]:
        """Those of whose passwords a file was lost."""
        files = {
            member.id: [self.secrets_folder / member.id / role for role in self._logins(member)] for member in roster
        }
        return [member for member in roster if not all(file.is_file() for file in files[member.id])]

    def make(self, roster: Sequence[Member]) -> None:
        """Makes each member's database anew from its archetype's golden one. Sessions on the old one are ended."""
        hashes = self._hashes(roster)
        for member in roster:
            # Prepared under another name, so that a tenant with somebody else's passwords is never met.
            new = f"new_{member.id}"
            self.cluster.clone(GOLDEN + member.archetype.id, new)
            self._let_in(member, new, hashes[member.id])
            if not member.is_archetype:
                self._vary(member, new)
            self.cluster.rename(new, member.id)

    def let_in(self, roster: Sequence[Member]) -> None:
        """Sets every user's password to what its file says; what has no file gets one."""
        hashes = self._hashes(roster)
        for member in roster:
            self._let_in(member, member.id, hashes[member.id])

    def _hashes(self, roster: Sequence[Member]) -> dict[str, dict[str, str]]:
        """For each tenant and role its password as the ERP stores it."""
        flat = []
        for member in roster:
            fresh = {role: secrets.token_urlsafe(18) for role in self._logins(member)}
            known = passwords(self.secrets_folder / member.id, list(fresh), fresh)
            flat += [(member.id, role, password) for role, password in known.items()]
        hashed = self.server.hashes([password for _, _, password in flat])
        found: dict[str, dict[str, str]] = {member.id: {} for member in roster}
        for (name, role, _), value in zip(flat, hashed, strict=True):
            found[name][role] = value
        return found

    def _let_in(self, member: Member, name: str, hashes: Mapping[str, str]) -> None:
        with self.cluster.connect(name) as database:
            for role, login in self._logins(member).items():
                database.execute("UPDATE res_user SET password_hash = %s WHERE login = %s", [hashes[role], login])
            database.execute("DELETE FROM ir_session")

    def _vary(self, member: Member, name: str) -> None:
        """What tells a further tenant from its archetype: the company's name, and its approval threshold if any."""
        company = "UPDATE party_party SET name = %s WHERE id IN (SELECT party FROM company_company)"
        rendered = "UPDATE account_invoice SET invoice_report_cache = NULL, invoice_report_format = NULL"
        rule = """
            UPDATE ir_model_button_rule SET description = %s,
            condition = jsonb_set(condition::jsonb, '{s2}', to_jsonb(%s::float))::text
        """
        with self.cluster.connect(name) as database:
            database.execute(company, [member.name])
            database.execute(rendered)  # or its documents would go on naming the archetype
            if member.threshold is not None:
                database.execute(rule, [f"More than {member.threshold} needs an approver", member.threshold])

    def _logins(self, member: Member) -> dict[str, str]:
        """Role -> login, the administrator among them."""
        return {ADMIN: ADMIN, **{str(role): account.login for role, account in member.archetype.users.items()}}
