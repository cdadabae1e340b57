"""What tenants' ERPs say of themselves, read over the API or from files that an earlier look kept.

<folder>/aldgate.json.gz   aldgate-surface.json   aldgate.version
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Tenant
from ringgate.domain.terms import Channel
from ringgate.drivers.protocol import Call, Connection, TimeLimit
from ringgate.drivers.registry import Drivers
from ringgate.execution.run_once import new_run_id
from ringgate.fingerprint import files
from ringgate.host.atomic_files import write_atomically
from ringgate.host.secrets import redact
from ringgate.rollout.drift import TenantState
from ringgate.surface.encoding import dumps, loads

PATIENT = 4.0
"""So many times as long as usual a call may take."""


def read_states(tenants: Sequence[Tenant], *, surface: bool) -> tuple[dict[str, TenantState], dict[str, str]]:
    """The state of each tenant that answers, and why each other one could not be read. Reads only."""
    found, errors = dict[str, TenantState](), dict[str, str]()
    drivers = Drivers([each.erp for each in tenants])
    try:
        for tenant in tenants:
            call = Call(new_run_id(), "0" * 31 + "1", TimeLimit(times=PATIENT))
            try:
                connection: Connection = drivers[tenant.erp, Channel.API].connect(tenant, call)
                try:
                    found[tenant.id] = state_of(connection, surface=surface)
                finally:
                    connection.close()
            except RinggateError as error:
                errors[tenant.id] = redact(str(error))
    finally:
        drivers.close()
    return found, errors


def state_of(connection: Connection, *, surface: bool) -> TenantState:
    books = connection.books().fingerprint()
    asks = getattr(connection, "version", None)
    return TenantState(books, str(asks()) if asks else "", connection.surface() if surface else None)


def keep_states(states: Mapping[str, TenantState], folder: Path) -> None:
    """Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, state in states.items():
        files.write(state.fingerprint, folder / f"{name}.json.gz")
        write_atomically(folder / f"{name}.version", state.version)
        if state.surface:
            write_atomically(folder / f"{name}-surface.json", dumps(state.surface))


def kept_states(folder: Path) -> dict[str, TenantState]:
    """By tenant. Raises UnreadableFingerprint or OSError."""
    found = {}
    for file in sorted(folder.glob("*.json.gz")):
        name = file.name.removesuffix(".json.gz")
        version, surface = folder / f"{name}.version", folder / f"{name}-surface.json"
        found[name] = TenantState(
            files.read(file), version.read_text(encoding="utf-8") if version.is_file() else "",
            loads(surface.read_text(encoding="utf-8")) if surface.is_file() else None,
        )  # fmt: skip
    return found
