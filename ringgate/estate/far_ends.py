"""Far ends of integrations beside an estate: an SFTP server, a mail catcher with its mailboxes, a warehouse, and a
connector that brings them what the ERP does.

    estate.up(2, integrations=True)     # then the inventory has customer-mail, payroll and warehouse for each tenant

What runs is not Ringgate's: asyncssh, aiosmtpd, pymap and the estate's PostgreSQL, in an environment of their own;
`deploy/integrations/` has the two programs that put them together. All are on loopback.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import tomli_w
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Role
from ringgate.estate.postgres import READER, Cluster
from ringgate.estate.processes import Daemon, answers, write_atomically
from ringgate.estate.record import EstateRecord
from ringgate.estate.tools import LAYOUT, Tools, key, python_environment, python_tag
from ringgate.host import paths

PACKAGES = (
    "aiosmtpd>=1.4", "asyncssh>=2.14", "fpdf2>=2.7", "httpx>=0.27", "psycopg[binary]>=3.2", "pymap>=0.36",
)  # fmt: skip
SFTP, SMTP, IMAP = 90, 91, 92
"""Ports, counted from the estate's first."""
WAREHOUSE = "warehouse"
WITHIN, QUIET = "20 s", "2 s"
MAIL_USER = "ringgate"

_TABLES = """
CREATE TABLE IF NOT EXISTS ledger (
    tenant text NOT NULL, load text NOT NULL, document text NOT NULL, note text NOT NULL, day date NOT NULL,
    account text NOT NULL, kind text NOT NULL, debit numeric NOT NULL, credit numeric NOT NULL, currency text NOT NULL
)
"""
QUERY = """
SELECT document || ' of load ' || load AS id, note, tenant, currency,
    sum(debit - credit) FILTER (WHERE kind = 'receivable') AS receivable,
    coalesce(sum(credit - debit) FILTER (WHERE kind = 'tax'), 0) AS tax,
    sum(credit - debit) FILTER (WHERE kind = 'revenue') AS revenue
FROM ledger WHERE note LIKE '%' || :marker || '%' GROUP BY document, load, note, tenant, currency
"""


@dataclass(frozen=True, slots=True)
class FarEnds:
    """The far ends of the estate in `folder`, whose ports begin at `port_base`."""

    name: str
    folder: Path
    port_base: int
    cluster: Cluster

    @property
    def config(self) -> Path:
        return self.folder / "run" / "integrations.toml"

    @property
    def faults(self) -> Path:
        """What the connector does wrong on purpose, by tenant: see `deploy/integrations/faulty.py`."""
        return self.folder / "run" / "integration-faults.json"

    @property
    def files(self) -> Path:
        return self.folder / "far-ends"

    def daemon(self, name: str) -> Daemon:
        word = name.replace(" ", "-")
        return Daemon(name, self.folder / "run" / f"{word}.pid", self.folder / "logs" / f"{word}.log")

    @property
    def daemons(self) -> tuple[Daemon, ...]:
        return tuple(map(self.daemon, ("mailboxes", "SFTP and mail catcher", "connector")))

    def memory(self) -> Mapping[str, float]:
        """What each of them takes, in MiB; 0 for one that does not run."""
        found = {}
        for each in self.daemons:
            process = each.process()
            try:
                found[each.name] = process.memory_info().rss / 1024**2 if process else 0.0
            except psutil.Error:
                found[each.name] = 0.0
        return found

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self, tools: Tools, tenants: Sequence[Tenant]) -> bool:
        """Makes them run for these tenants. Says whether they did already."""
        python = _environment(tools) / "bin" / "python"
        program = paths.shipped("deploy") / "integrations"
        new = self._configure(tenants)
        mailboxes, servers, connector = self.daemons
        if not new and all(each.running for each in self.daemons):
            return True
        self.stop()
        if WAREHOUSE not in self.cluster.databases():
            self.cluster.create_database(WAREHOUSE)
        self.cluster.execute(_TABLES, database=WAREHOUSE)
        where = ["--host", "127.0.0.1", "--port", str(self.port_base + IMAP), "--no-tls"]
        where += ["--no-service", "admin", "--no-service", "managesieve", "dict", "--demo-user", MAIL_USER]
        password = ["--demo-password", self._secret("mailbox").read_text()]
        mailboxes.start([python.with_name("pymap"), *where, *password])
        mailboxes.await_ready(lambda: answers(self.port_base + IMAP), within=20)
        servers.start([python, program / "far_ends.py", self.config])
        servers.await_ready(lambda: all(answers(self.port_base + port) for port in (SFTP, SMTP)), within=20)
        connector.start([python, program / "faulty.py", self.config, self.faults])
        return False

    def stop(self) -> None:
        for each in reversed(self.daemons):
            each.stop(patience=5)

    # --- what they are told -----------------------------------------------------------------------------------------

    def _configure(self, tenants: Sequence[Tenant]) -> bool:
        """Writes what the programs read. Says whether it is something new."""
        known = {each.id: each for each in tenants}
        host_key, public = self._host_key()
        told = {
            "connector": {"memory": str(self.files / "connector.sqlite")},
            "routes": {"invoices": "mail", "hours": "sftp", "ledger": "sql"},
            "sftp": {
                "port": self.port_base + SFTP, "folder": str(self.files / "sftp"), "host_key": str(host_key),
                "public_key": public, "users": {name: str(self._secret(f"sftp-{name}")) for name in known},
            },
            "smtp": {"port": self.port_base + SMTP},
            "imap": {
                "port": self.port_base + IMAP, "user": MAIL_USER, "password_file": str(self._secret("mailbox")),
            },
            "warehouse": {"url": self.cluster.url(WAREHOUSE)},
            "tenants": {
                name: {
                    "api": each.api, "user": each.users[Role.AUDITOR].login,
                    "password_file": str(self.folder / "secrets" / name / Role.AUDITOR.value),
                    "customers": {each.policy.customer: f"client@{name}.example"},
                    "accounts": {
                        "receivable": list(each.policy.accounts.receivable), "tax": list(each.policy.accounts.tax),
                        "revenue": list(each.policy.accounts.revenue),
                    },
                }
                for name, each in known.items()
            },
        }  # fmt: skip
        text = tomli_w.dumps(told)
        if self.config.is_file() and self.config.read_text() == text:
            return False
        write_atomically(self.config, text, mode=0o600)
        return True

    def inventory_of(self, tenant: str) -> dict[str, Any]:
        """`[integrations]` of one tenant."""
        _, public = self._host_key()
        kept = f"${{RINGGATE_HOME}}/estates/{self.name}/far-ends/secrets"
        reader = self.cluster.url(WAREHOUSE).replace("postgresql://postgres:", f"postgresql+psycopg://{READER}:")
        write_atomically(self._secret("warehouse"), reader, mode=0o600)
        often = {"within": WITHIN, "quiet": QUIET}
        return {
            "customer-mail": {
                "kind": "mail", "owner": "finance-team", "receives": ["invoices"], **often,
                "address": f"imap://127.0.0.1:{self.port_base + IMAP}/{tenant}", "user": MAIL_USER,
                "password": {"file": f"{kept}/mailbox"}, "tenant": f"client@{tenant}.example",
                "fields": {"marker": "text", "id": "message-id", "tenant": "to", "at": "date",
                           "amount": r"/\n[A-Z]{3} (-?[0-9.]+)\s*(?:\n|$)/",
                           "currency": r"/\n([A-Z]{3}) -?[0-9.]+\s*(?:\n|$)/"},
            },
            "payroll": {
                "kind": "csv", "owner": "payroll-team", "receives": ["hours"], **often,
                "address": f"sftp://127.0.0.1:{self.port_base + SFTP}/out", "user": tenant,
                "password": {"file": f"{kept}/sftp-{tenant}"},
                "fields": {"marker": "note", "id": "line", "hours": "hours", "attempt": "version", "at": "sent",
                           "reversal": "reversal"},
                "settings": {"files": "hours-*.csv", "host_key": public},
            },
            "warehouse": {
                "kind": "sql", "owner": "analytics-team", "receives": ["ledger"], **often,
                "password": {"file": f"{kept}/warehouse"},
                "fields": {"marker": "note", "id": "id", "tenant": "tenant", "amount": "receivable", "net": "revenue",
                           "tax.all": "tax", "currency": "currency"},
                "settings": {"query": " ".join(QUERY.split())},
            },
        }  # fmt: skip

    def _secret(self, name: str) -> Path:
        """The file of one password, made where it is missing."""
        file = self.files / "secrets" / name
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(file, secrets.token_urlsafe(18), mode=0o600)
        return file

    def _host_key(self) -> tuple[Path, str]:
        """The SFTP server's private key in its file, and the public one as text."""
        file, beside = self.files / "secrets" / "host-key", self.files / "secrets" / "host-key.pub"
        if not beside.is_file():
            made = Ed25519PrivateKey.generate()
            form = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(file, made.private_bytes(*form).decode(), mode=0o600)
            public = (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
            write_atomically(beside, made.public_key().public_bytes(*public).decode())
        return file, beside.read_text()

    def load_again(self) -> None:
        """Empties the warehouse; the connector loads all postings once more."""
        self.cluster.execute("DELETE FROM ledger", database=WAREHOUSE)
        with closing(sqlite3.connect(self.files / "connector.sqlite", isolation_level=None, timeout=30)) as memory:
            memory.execute("DELETE FROM brought WHERE route = 'ledger'")

    # --- faults -----------------------------------------------------------------------------------------------------

    def break_(self, tenant: str, fault: str) -> None:
        """The connector, or the far end, does this wrong for one tenant from now on; "" ends it."""
        told = json.loads(self.faults.read_text()) if self.faults.is_file() else {}
        told.pop(tenant, None)
        write_atomically(self.faults, json.dumps({**told, tenant: fault} if fault else told))
        full = self.files / "sftp" / tenant / ".full"
        full.unlink(missing_ok=True)
        if fault == "sftp-full":
            full.touch()


def of(name: str, folder: Path, record: EstateRecord, cluster: Cluster) -> FarEnds:
    return FarEnds(name, folder, record.port_base, cluster)


def _environment(tools: Tools) -> Path:
    folder = tools.root / f"far-ends-{key(LAYOUT, PACKAGES, python_tag())}"
    return tools.once("Far ends", folder, lambda new, _stage: python_environment(new, PACKAGES), "bin/python")


__all__ = ["FarEnds", "of"]
