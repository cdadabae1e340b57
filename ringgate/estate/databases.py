"""The tenants' databases of one estate: made from the golden image, given this estate's passwords, made fresh again."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringgate.estate.images import GOLDEN
from ringgate.estate.postgres import Cluster
from ringgate.estate.roster import Member, passwords
from ringgate.estate.server import ErpServer

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class TenantDatabases:
    """`secrets_folder` holds one folder for each tenant, in it one file for each role and one for the administrator."""

    cluster: Cluster
    server: ErpServer
    secrets_folder: Path

    def missing(self, roster: Sequence[Member]) -> list[Member]:
        there = self.cluster.databases()
        return [member for member in roster if member.id not in there]

    def make(self, roster: Sequence[Member]) -> None:
        """Makes each member's database anew from its archetype's golden one. Sessions on the old one are ended."""
        known = {member.id: self.passwords(member) for member in roster}
        flat = [(member, role) for member in roster for role in known[member.id]]
        hashed = self.server.hashes([known[member.id][role] for member, role in flat])
        for member in roster:
            mine = {role: value for (owner, role), value in zip(flat, hashed, strict=True) if owner is member}
            self._make(member, mine)

    def passwords(self, member: Member) -> dict[str, str]:
        """The passwords of a tenant's users by role, and of its administrator; made up if they are not there yet."""
        roles = [ADMIN, *map(str, member.archetype.users)]
        return passwords(self.secrets_folder / member.id, roles, {role: secrets.token_urlsafe(18) for role in roles})

    def _make(self, member: Member, hashes: Mapping[str, str]) -> None:
        # Prepared under another name, so that a tenant with somebody else's passwords is never met.
        new = f"new_{member.id}"
        self.cluster.clone(GOLDEN + member.archetype.id, new)
        logins = {ADMIN: ADMIN, **{str(role): account.login for role, account in member.archetype.users.items()}}
        with self.cluster.connect(new) as database:
            for role, login in logins.items():
                database.execute("UPDATE res_user SET password_hash = %s WHERE login = %s", [hashes[role], login])
            database.execute("DELETE FROM ir_session")
            if not member.is_archetype:
                company = "UPDATE party_party SET name = %s WHERE id IN (SELECT party FROM company_company)"
                database.execute(company, [member.name])
        self.cluster.rename(new, member.id)
