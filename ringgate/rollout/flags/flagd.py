"""Features in a flag file of flagd's: a tenant is put into the flag's targeting, or taken out of it.

"new-invoicing": {
  "state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
  "targeting": {"if": [{"in": [{"var": "tenant"}, ["aldgate", "kyoto"]]}, "on", "off"]}
}

Whether it is on is asked of OpenFeature with flagd's own provider, as the ERP would, with the tenant's id as `tenant`
and as the targeting key. Other flags in the file stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from ringgate.domain.model import Tenant
from ringgate.host import paths
from ringgate.host.atomic_files import write_atomically
from ringgate.rollout.activation_tables import FlagTable
from ringgate.rollout.flags.protocol import FlagUnknown

KEY = "tenant"
"""The word of the evaluation context that holds a tenant's id."""

_asking = threading.Lock()


class FlagFileWrong(ValueError):
    """A flag file cannot be used for a flag; the sentence says why."""


def read_flag(file: Path, table: FlagTable) -> dict[str, Any]:
    """The whole file, in which the flag is as it must be to be switched. Raises FlagFileWrong."""
    try:
        whole = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FlagFileWrong(f"cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise FlagFileWrong(f"is no JSON: {error}") from None
    flags = whole.get("flags") if isinstance(whole, dict) else None
    flag = flags.get(table.name) if isinstance(flags, dict) else None
    if not isinstance(flag, dict):
        raise FlagFileWrong(f"has no flag {table.name}")
    variants = flag.get("variants")
    if flag.get("state") != "ENABLED":
        raise FlagFileWrong(f"has {table.name} disabled: nobody could switch it on")
    for name, value in ((table.on, True), (table.off, False)):
        if not isinstance(variants, dict) or variants.get(name) is not value:
            raise FlagFileWrong(f"must have {name} = {str(value).lower()} among the variants of {table.name}")
    if flag.get("defaultVariant") != table.off:
        raise FlagFileWrong(f"must have {table.off} as the default of {table.name}: it is deployed dark")
    _listed(flag, table)
    return dict(whole)


def _listed(flag: Mapping[str, Any], table: FlagTable) -> list[str]:
    """The tenants for which it is on. Raises FlagFileWrong for a targeting that is not ours."""
    targeting = flag.get("targeting") or _targeting([], table)
    try:
        condition, on, off = targeting["if"]
        word, tenants = condition["in"]
    except (KeyError, TypeError, ValueError):
        condition, on, off, word, tenants = {}, "", "", {}, []
    if (on, off, word) != (table.on, table.off, {"var": KEY}) or len(condition) != 1 or len(targeting) != 1:
        raise FlagFileWrong(f"has a targeting of {table.name} that is not ours: leave it out, or switch by a command")
    return [str(each) for each in tenants]


def _targeting(tenants: list[str], table: FlagTable) -> dict[str, Any]:
    return {"if": [{"in": [{"var": KEY}, tenants]}, table.on, table.off]}


class FlagdFlag:
    """One flag of a file."""

    def __init__(self, file: Path, table: FlagTable) -> None:
        self.file, self.table = file, table

    def state(self, tenant: Tenant) -> bool:
        try:
            from openfeature import api
            from openfeature.contrib.provider.flagd import FlagdProvider
            from openfeature.contrib.provider.flagd.config import ResolverType
            from openfeature.evaluation_context import EvaluationContext
        except ImportError:
            raise FlagUnknown("flags of a file are read by OpenFeature: install ringgate[flags]") from None
        if not self.file.is_file():
            raise FlagUnknown(f"{self.file} is not there")
        with _asking:  # a provider reads its file once, when it is set
            try:
                provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(self.file))
                api.set_provider_and_wait(provider, "ringgate")
                context = EvaluationContext(tenant.id, {KEY: tenant.id})
                found = api.get_client("ringgate").get_boolean_details(self.table.name, False, context)
            except Exception as error:  # whatever the provider raises
                raise FlagUnknown(f"{self.file} cannot be evaluated: {error}") from error
            finally:
                api.clear_providers()
        if found.error_code is not None:
            raise FlagUnknown(f"{self.file}: {found.error_message or found.error_code.value}")
        return bool(found.value)

    def switch(self, tenant: Tenant, on: bool) -> None:
        folder = paths.state() / "flags"
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(str(self.file.resolve()).encode()).hexdigest()[:16]
        with FileLock(folder / f"{name}.lock"):
            try:
                whole = read_flag(self.file, self.table)
                flag = whole["flags"][self.table.name]
                tenants = set(_listed(flag, self.table)) - {tenant.id} | ({tenant.id} if on else set())
                flag["targeting"] = _targeting(sorted(tenants), self.table)
                write_atomically(self.file.resolve(), json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
            except FlagFileWrong as error:
                raise FlagUnknown(f"{self.file} {error}") from None
            except OSError as error:
                raise FlagUnknown(f"{self.file} cannot be written: {error.strerror}") from error
