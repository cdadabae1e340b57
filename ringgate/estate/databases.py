"""The tenants' databases of one estate: made from the golden image, given this estate's passwords, made fresh again."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringgate.estate.images import GOLDEN
from ringgate.estate.members import Member
from ringgate.estate.protocol import ErpServer, EstateKind
from ringgate.estate.tenant_data import TenantData
from ringgate.estate.tenant_set import passwords

ADMIN = "admin"
"""The name of the administrator's password file, beside those of the roles."""


@dataclass(frozen=True, slots=True)
class TenantDatabases:
    """`secrets_folder` holds one folder for each tenant, in it one file for each role and one for the administrator."""

    kind: EstateKind
    data: TenantData
    server: ErpServer
    secrets_folder: Path

    def missing(self, members: Sequence[Member]) -> list[Member]:
        """Those that have no database yet."""
        there = self.data.cluster.databases()
        return [member for member in members if member.id not in there]

    def locked_out(self, members: Sequence[Member]) -> list[Member]:
        """Those of whose passwords a file was lost."""
        files = {
            member.id: [self.secrets_folder / member.id / role for role in self._logins(member)] for member in members
        }
        return [member for member in members if not all(file.is_file() for file in files[member.id])]

    def make(self, members: Sequence[Member]) -> None:
        """Makes each member's database anew from its archetype's golden one. Sessions on the old one are ended."""
        hashes = self._hashes(members)
        for member in members:
            # Prepared under another name, so that a tenant with somebody else's passwords is never met.
            new = f"new_{member.id}"
            self.data.clone(GOLDEN + member.archetype.id, new)
            self._let_in(member, new, hashes[member.id])
            if not member.is_archetype:
                self._vary(member, new)
            self.data.rename(new, member.id)

    def let_in(self, members: Sequence[Member]) -> None:
        """Sets every user's password to what its file says; what has no file gets one."""
        hashes = self._hashes(members)
        for member in members:
            self._let_in(member, member.id, hashes[member.id])

    def _hashes(self, members: Sequence[Member]) -> dict[str, dict[str, str]]:
        """For each tenant and role its password as the ERP stores it."""
        flat = []
        for member in members:
            fresh = {role: secrets.token_urlsafe(18) for role in self._logins(member)}
            known = passwords(self.secrets_folder / member.id, list(fresh), fresh)
            flat += [(member.id, role, password) for role, password in known.items()]
        hashed = self.server.hashes([password for _, _, password in flat])
        found: dict[str, dict[str, str]] = {member.id: {} for member in members}
        for (name, role, _), value in zip(flat, hashed, strict=True):
            found[name][role] = value
        return found

    def _let_in(self, member: Member, name: str, hashes: Mapping[str, str]) -> None:
        with self.data.cluster.connect(name) as database:
            self.kind.let_in(database, {login: hashes[role] for role, login in self._logins(member).items()})

    def _vary(self, member: Member, name: str) -> None:
        with self.data.cluster.connect(name) as database:
            self.kind.vary(database, member)

    def _logins(self, member: Member) -> dict[str, str]:
        """Role -> login, the administrator among them."""
        return {
            ADMIN: self.kind.admin,
            **{str(role): account.login for role, account in member.archetype.users.items()},
        }
