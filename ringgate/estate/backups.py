"""Backups of tenants: one file for each, with a note of what it is that is written last.

    backups/aldgate/20261124T041502-7.0.dump
    backups/aldgate/20261124T041502-7.0.files/   where the ERP keeps files beside the database
    backups/aldgate/20261124T041502-7.0.json     {"tenant": "aldgate", "series": "7.0", "digest": "3f0c...", ...}

A file without its note is a backup that did not come to its end, and is not one.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from ringgate.estate.errors import EstateError
from ringgate.estate.processes import write_atomically
from ringgate.estate.tenant_data import TenantData, digest, remove, size

KEPT = 5
"""Backups of a tenant that are kept; older ones are removed when a new one is whole."""


class BackupFile(BaseModel):
    """One tenant's data as it was at `taken_at` (UTC), when the dump began.

    `name` is unique among the tenant's; `size` in bytes, `seconds` how long it took, `digest` the SHA-256 of all of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: str
    name: str
    series: str
    taken_at: AwareDatetime
    seconds: float
    size: int
    digest: str


class Backups:
    """The backups of one estate, below `folder`."""

    def __init__(self, folder: Path, data: TenantData) -> None:
        self._folder, self._data = folder, data

    def take(self, tenant: str, series: str) -> BackupFile:
        """Backs up the tenant. It may be in use."""
        taken_at, began = datetime.now(UTC), time.monotonic()
        name = f"{taken_at:%Y%m%dT%H%M%S%f}-{series}"
        file = self._folder / tenant / f"{name}.dump"
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._data.dump(tenant, file)
        backup = BackupFile(
            tenant=tenant,
            name=name,
            series=series,
            taken_at=taken_at,
            seconds=time.monotonic() - began,
            size=size(file),
            digest=digest(file),
        )
        write_atomically(file.with_suffix(".json"), backup.model_dump_json(indent=1), mode=0o600)
        self._tidy(tenant)
        return backup

    def of(self, tenant: str) -> list[BackupFile]:
        """All whole backups of a tenant, oldest first."""
        found = []
        for note in sorted((self._folder / tenant).glob("*.json")):
            try:
                backup = BackupFile.model_validate_json(note.read_text())
            except (OSError, ValidationError):
                continue
            if self.file(backup).is_file():
                found.append(backup)
        return found

    def find(self, tenant: str, name: str) -> BackupFile:
        """Raises EstateError if there is none of that name."""
        for backup in self.of(tenant):
            if backup.name == name:
                return backup
        raise EstateError(
            f"The backup {name} of tenant {tenant} is gone: `ringgate estate destroy` and `up` make the tenant again."
        )

    def file(self, backup: BackupFile) -> Path:
        # The name ends in the series, whose dot must not be taken for that of a suffix.
        return self._folder / backup.tenant / f"{backup.name}.dump"

    def restore(self, backup: BackupFile, database: str) -> None:
        """Makes `database` from a backup. Raises EstateError if the file is not what was written."""
        file = self.file(backup)
        if digest(file) != backup.digest:
            raise EstateError(f"The backup {file} is damaged: its checksum is not the one that was noted.")
        self._data.load(file, database)

    def _tidy(self, tenant: str) -> None:
        for old in self.of(tenant)[:-KEPT]:
            self.file(old).with_suffix(".json").unlink(missing_ok=True)
            remove(self.file(old))
