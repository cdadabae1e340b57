"""`[integrations.<name>]`: what receives a tenant's documents, and how its far end is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.metadata import entry_points
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from ringgate.domain.terms import Receives
from ringgate.inventory.kinds import Duration, Name, Slug, StrictTable
from ringgate.inventory.secrets import SecretTable

FIELDS = ("marker", "id", "tenant", "amount", "net", "currency", "hours", "at", "attempt", "reversal")
NEEDED = ("marker", "id")


@cache
def observer_kinds() -> frozenset[str]:
    """The kinds that an observer is installed for. Empty when Ringgate itself is not installed."""
    return frozenset(point.name for point in entry_points(group="ringgate.observers"))


SCHEMES: Mapping[str, tuple[str, ...]] = {
    "csv": ("file", "sftp"),
    "json": ("http", "https"),
    "mail": ("imap", "imaps"),
    "nats": ("nats", "tls"),
    "s3": ("s3",),
    "sql": (),
}
"""How an address begins, for each kind that ships; () for one without an address."""
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "csv": ("files", "delimiter", "encoding", "host_key", "decimals", "timezone"),
    "json": ("rows", "decimals", "timezone"),
    "mail": ("decimals", "timezone"),
    "nats": ("subject", "decimals", "timezone"),
    "s3": ("files", "delimiter", "encoding", "endpoint", "region", "decimals", "timezone"),
    "sql": ("query", "timezone"),
}
"""What may stand in `settings`, for each kind that ships."""


def _fields(value: dict[str, str]) -> dict[str, str]:
    wrong = [f"{name} is not one of {', '.join(FIELDS)}, tax.<rate>" for name in value if not _known(name)]
    wrong += [f"{name} is required" for name in NEEDED if name not in value]
    if wrong:
        raise ValueError("; ".join(wrong))
    return value


def _known(name: str) -> bool:
    return name in FIELDS or (name.startswith("tax.") and len(name) > len("tax."))


class IntegrationTable(StrictTable):
    """One system that receives what the tenant's ERP does."""

    kind: Slug = Field(
        description="How its far end is read: csv, json, mail, nats, s3, sql, or one's own.", examples=["csv"]
    )
    owner: Name = Field(description="Who answers for it.", examples=["payroll-team"])
    within: Duration = Field(description="How long a document may take to arrive.", examples=["15 min"])
    quiet: Duration = Field(
        timedelta(0), description="For how long after its reversal nothing of it may arrive.", examples=["1 min"]
    )
    address: str = Field(
        "",
        description="Where: file:///folder, sftp://host/folder, https://host/path, imaps://host/folder, "
        "nats://host/stream, s3://bucket/prefix. "
        "${TENANT} stands for the tenant's id; in a URL of json ${MARKER} and ${SINCE} for what is looked for.",
        examples=["sftp://payroll.example.com/out/${TENANT}"],
    )
    user: str = Field("", description="Who signs in there.", examples=["ringgate"])
    password: SecretTable | None = Field(
        None, description="By reference: their password; for sql the database's whole URL.",
        examples=[{"env": "PAYROLL_PASSWORD"}],
    )  # fmt: skip
    key: SecretTable | None = Field(
        None,
        description="By reference: a private key for sftp, a bearer token for json, a token for nats.",
        examples=[{"file": "~/key"}],
    )
    tenant: str = Field("", description="What the far end calls the tenant; default: its id.", examples=["4711"])
    receives: frozenset[Receives] = Field(
        frozenset(),
        description="What comes to it, of invoices, hours and ledger: scenarios follow these documents to it.",
        examples=[["invoices"]],
    )
    fields: Annotated[dict[str, str], AfterValidator(_fields)] = Field(
        description="Which column, key or pattern holds what: marker, id, tenant, amount, net, currency, hours, at, "
        "attempt, reversal, tax.<rate>.",
        examples=[{"marker": "note", "id": "line", "hours": "hours"}],
    )
    settings: dict[Slug, str] = Field(
        {}, description="What only its kind knows, such as files, rows or query.", examples=[{"files": "*.csv"}]
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> IntegrationTable:
        wrong = [*self._of_kind(), *self._of_address()]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _of_kind(self) -> list[str]:
        if self.kind not in SETTINGS:
            known = observer_kinds()
            unknown = bool(known) and self.kind not in known
            return [f"kind: no observer is installed for {self.kind}; there is {', '.join(sorted(known))}"] * unknown
        may = SETTINGS[self.kind]
        wrong = [
            f"settings.{each} is not for {self.kind}: {', '.join(may)} are" for each in self.settings if each not in may
        ]
        if self.kind == "sql" and "query" not in self.settings:
            wrong.append("sql needs settings.query: one SELECT with :marker")
        if self.kind == "sql" and self.password is None:
            wrong.append("sql needs password: where the database's URL is, for it holds a password")
        if self.kind == "mail" and not (self.user and self.password):
            wrong.append("mail needs user and password")
        return wrong

    def _of_address(self) -> list[str]:
        schemes = SCHEMES.get(self.kind)
        if schemes is None:
            return []
        if not schemes:
            return [f"address is not for {self.kind}: its password refers to the whole URL"] * bool(self.address)
        parts = _parts(self.address)
        wrong = []
        if parts is None or parts.scheme not in schemes or not (parts.netloc or parts.scheme == "file"):
            wrong.append(f"address must begin with {' or '.join(f'{each}://' for each in schemes)} for {self.kind}")
        elif parts.username or parts.password:
            wrong.append("address must not carry a user or a password; those are keys of their own")
        elif self.kind == "nats" and not parts.path.strip("/"):
            wrong.append("nats needs the stream in its address, as nats://host/INVOICES")
        elif self.kind == "s3" and bool(self.user) != bool(self.password):
            wrong.append(
                "s3 needs user, the access key, and password, its secret; or neither, for those of the machine"
            )
        elif parts.scheme == "sftp" and not (self.user and (self.password or self.key)):
            wrong.append("sftp needs user, and password or key")
        elif parts.scheme == "sftp" and not self.settings.get("host_key"):
            wrong.append("sftp needs settings.host_key: the server's public key, as ssh-keyscan prints it")
        return wrong


def _parts(address: str) -> Any:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts
