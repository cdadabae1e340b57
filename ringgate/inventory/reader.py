"""Turns the files of an inventory into tenants, and into a list of everything that is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from ringgate.domain.model import Recovery, Tenant
from ringgate.domain.retention import Retention
from ringgate.inventory.cross_checks import disagreements
from ringgate.inventory.files import (
    FileLayer,
    Path_,
    Problem,
    checked,
    dotted,
    faults,
    merge,
    nearest,
    origin_of,
    read_layer,
    without_indexes,
)
from ringgate.inventory.probes import ProbesTable, past, probing
from ringgate.inventory.ring_rules import RingChoice, RingRuleTable, choice
from ringgate.inventory.schema import (
    CohortTable,
    DefaultsTable,
    SlaTable,
    TenantPolicyTable,
    TenantTable,
    UserTable,
    retention_of,
)
from ringgate.inventory.secrets import SecretTable
from ringgate.inventory.tenants import policy_of, reference, tenant_of

BUILT_IN = "built-in default"
_RINGS = ("canary", "early", "broad")
_SESSIONS = DefaultsTable.model_fields["sessions_in_all"].default
_OF_DEFAULTS = ("rings", "ring_rules", "slas", "sessions_in_all", "store")
"""Keys of defaults.toml that are no tenant's."""
_SLA = " [slas."
"""Goes between the file and the name of a service level, in the origin of what that level brings."""


@dataclass(frozen=True, slots=True)
class InventorySetting:
    """One value of a tenant and the file that it comes from. Secrets are shown as their reference."""

    key: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class InventoryReading:
    """What a folder holds: the tenants that are right, by ring and id, and every problem of the others."""

    tenants: tuple[Tenant, ...]
    rings: tuple[str, ...]
    cohorts: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    settings: Mapping[str, Callable[[], tuple[InventorySetting, ...]]] = field(default_factory=dict)
    sessions: int = 16
    retention: Retention = field(default_factory=Retention)
    derived: Mapping[str, RingChoice] = field(default_factory=dict)


@cache
def installed_erps() -> frozenset[str]:
    """The ERPs that a driver is installed for. Empty when Ringgate itself is not installed."""
    return frozenset(entry.name.split(".")[0] for entry in entry_points(group="ringgate.drivers"))


def read(path: Path, today: date) -> InventoryReading:
    """Reads the folder. Never raises for what stands in it."""
    return _Reader(path, today).reading()


@dataclass(frozen=True, slots=True)
class _Common:
    """What several tenants have in common: the layers below their own files, laid over each other, and of these values
    the tables that are right. Ten thousand tenants are read ten times as fast as if each were checked as a whole."""

    values: Mapping[str, Any]
    origins: Mapping[Path_, str]
    tables: Mapping[str, Any]

    @classmethod
    def of(cls, layers: Sequence[FileLayer]) -> _Common:
        values, origins = merge(layers)
        tables: dict[str, Any] = {}
        for name, kind in (("policy", TenantPolicyTable), ("probes", ProbesTable)):
            if name in values:
                tables[name] = checked(kind, values[name])[0]
        users = values.get("users")
        if isinstance(users, dict):
            each = {role: checked(UserTable, user)[0] for role, user in users.items()}
            tables["users"] = each if None not in each.values() else None
        return cls(values, origins, {name: table for name, table in tables.items() if table is not None})


class _Reader:
    """Collects everything that is wrong with the files of one folder."""

    def __init__(self, path: Path, today: date) -> None:
        self.path = path
        self.today = today
        self.problems: dict[Problem, None] = {}  # in the order found, each once
        self.warnings: dict[Problem, None] = {}
        self.settings: dict[str, Callable[[], tuple[InventorySetting, ...]]] = {}
        self.derived: dict[str, RingChoice] = {}
        self.ids: dict[str, str] = {}
        self._common: dict[tuple[str, ...], _Common] = {}
        self._made: dict[tuple[Callable[[Any], Any], int], tuple[Any, BaseModel]] = {}

    def reading(self) -> InventoryReading:
        if not self.path.is_dir():
            rule = "is not a folder: name the inventory's with --inventory or RINGGATE_INVENTORY"
            return InventoryReading((), (), {}, (Problem(str(self.path), "", rule),))
        files = sorted(self.path.glob("*.toml"))
        defaults = self._defaults()
        self.rings = tuple(defaults.data.get("rings", _RINGS)) if defaults else _RINGS
        promised = defaults.data.get("slas") if defaults else None
        self.slas = promised if isinstance(promised, dict) else {}
        self.ring_rules = self._ring_rules(defaults)
        self.cohorts = self._cohorts()
        self._refuse_strays()
        tenants = [self._tenant(file, defaults) for file in files if file.name != "defaults.toml"]
        if not tenants:
            self._add(str(self.path), "", "holds no tenant: add one <tenant>.toml")
        self._compare([tenant for tenant in tenants if tenant])
        return InventoryReading(
            tenants=tuple(sorted(filter(None, tenants), key=self._rank)),
            rings=self.rings,
            cohorts={name: str(layer.data.get("description", "")) for name, layer in self.cohorts.items() if layer},
            problems=tuple(self.problems),
            warnings=tuple(self.warnings),
            settings=self.settings,
            sessions=defaults.data.get("sessions_in_all", _SESSIONS) if defaults else _SESSIONS,
            retention=retention_of(defaults.data.get("store")) if defaults else Retention(),
            derived=self.derived,
        )

    def _rank(self, tenant: Tenant) -> tuple[int, str]:
        return (self.rings.index(tenant.ring) if tenant.ring in self.rings else len(self.rings), tenant.id)

    def _add(self, file: str, key: str, rule: str, got: str = "") -> None:
        self.problems[Problem(file, key, rule, got)] = None

    def _read(self, path: Path, table: type[BaseModel], never: Sequence[str] = ()) -> FileLayer | None:
        """One file, checked on its own; what is missing may still come from another."""
        layer = read_layer(path)
        if isinstance(layer, Problem):
            self.problems[layer] = None
            return None
        for key in never:
            if key in layer.data:
                self._add(layer.file, key, "may stand in a tenant's own file only")
        self._check(layer, table)
        return layer

    def _check(self, layer: FileLayer, table: type[BaseModel]) -> None:
        for where, rule, got, missing in faults(table, layer.data):
            if not missing:
                self._add(layer.file, dotted(where), rule, got)

    def _defaults(self) -> FileLayer | None:
        path = self.path / "defaults.toml"
        return self._read(path, DefaultsTable, never=("id",)) if path.exists() else FileLayer(str(path), {})

    def _ring_rules(self, defaults: FileLayer | None) -> list[RingRuleTable]:
        """Those that are right; what is wrong with the others is told already, save for a ring that is none."""
        said = defaults.data.get("ring_rules", []) if defaults else []
        found = [checked(RingRuleTable, each)[0] for each in (said if isinstance(said, list) else [])]
        for index, rule in enumerate(found):
            if defaults and rule and rule.ring not in self.rings:
                there = nearest(rule.ring, self.rings)
                self._add(
                    defaults.file, f"ring_rules[{index}].ring", f"is not one of the rings{there}", f'"{rule.ring}"'
                )
        return [each for each in found if each]

    def _derive_ring(self, values: dict[str, Any], origins: dict[Path_, str], own: str, defaults: str) -> None:
        """Where no file sets the ring, the rules do."""
        if "ring" in values or not self.ring_rules:
            return
        found = choice(self.ring_rules, values)
        if isinstance(found, str):
            self._add(own, "ring", f"is required, for no rule of ring_rules fits: {found}")
            found = RingChoice(self.rings[0], 0, "", (), ())
        values["ring"], origins["ring",] = found.ring, f"{defaults} [[ring_rules]] {found.rule}"
        self.derived[str(values.get("id"))] = found

    def _cohorts(self) -> dict[str, FileLayer | None]:
        """Each cohort's file by its name; None for a file that could not be read."""
        paths = sorted((self.path / "cohorts").glob("*.toml"))
        return {path.stem: self._read(path, CohortTable, never=("id", "cohorts")) for path in paths}

    def _refuse_strays(self) -> None:
        """A tenant in the wrong folder would otherwise go untested without anybody noticing."""
        strays: list[Path] = []
        for folder, folders, files in os.walk(self.path):
            # Passed over: such as Kubernetes' own copies of what it mounts from a ConfigMap.
            folders[:] = [name for name in folders if not name.startswith(".")]
            if Path(folder) not in (self.path, self.path / "cohorts"):
                strays += (Path(folder, name) for name in files if name.endswith(".toml") and not name.startswith("."))
        for path in sorted(strays):
            self._add(str(path), "", f"stands in a folder that is not read; move it into {self.path}/")

    def _tenant(self, path: Path, defaults: FileLayer | None) -> Tenant | None:
        own = read_layer(path)
        if isinstance(own, Problem):
            self.problems[own] = None
            return None
        before, self.problems = self.problems, {}
        tenant = self._whole(own, path, defaults) if defaults is not None else None
        wrong = self.problems
        self.problems = before
        if tenant is None or wrong:  # of a file that is wrong, what is wrong with it alone is told first
            self._check(own, TenantTable)
        self.problems |= wrong
        return tenant

    def _whole(self, own: FileLayer, path: Path, defaults: FileLayer) -> Tenant | None:
        """The tenant of all its layers."""
        self._check_id(own, path)
        common, whole = self._chain(own, defaults)
        values, origins = merge([own], (common.values, common.origins))
        self._derive_ring(values, origins, own.file, defaults.file)
        self._cross_check(values, origins, own.file)
        table, found = checked(TenantTable, {**values, **{k: v for k, v in common.tables.items() if k not in own.data}})
        if found:
            table, found = checked(TenantTable, values)
        for where, rule, got, missing in found:
            file = own.file if missing else origin_of(where, origins) or own.file
            if (whole or not missing) and _SLA not in file:  # what is wrong there is told already
                self._add(file, dotted(where), rule, got)
        if table is None:
            return None
        self._look_for_stale(table, origins)
        policy, probes = self._once(policy_of, table.policy), self._once(probing, table.probes)
        tenant = tenant_of(table, self.path, policy, probes, self._recovery(table.sla))
        self.settings[table.id] = partial(_settings, table, tenant, values, origins, self.path)
        return tenant

    def _once(self, made: Callable[[Any], Any], table: BaseModel) -> Any:
        """What is made of a table, once for all tenants that have the same one."""
        key = (made, id(table))
        if key not in self._made:
            self._made[key] = made(table), table
        return self._made[key][0]

    def _recovery(self, sla: str) -> Recovery | None:
        try:
            promised = SlaTable.model_validate(self.slas[sla])
        except (KeyError, ValidationError):  # none is given, or it is among the problems already
            return None
        return Recovery(promised.recovery_point, promised.recovery_time)

    def _check_id(self, own: FileLayer, path: Path) -> None:
        given = own.data.get("id")
        if not isinstance(given, str):
            return
        if given != path.stem:
            rule = f'must be the file\'s name: rename the file to {given}.toml or write id = "{path.stem}"'
            self._add(own.file, "id", rule, f'"{given}"')
        if given in self.ids:
            self._add(own.file, "id", f"is that of {self.ids[given]} too", f'"{given}"')
        self.ids.setdefault(given, own.file)

    def _chain(self, own: FileLayer, defaults: FileLayer) -> tuple[_Common, bool]:
        """What lies below a tenant's own file, and whether all of it could be had."""
        names = own.data.get("cohorts", defaults.data.get("cohorts", []))
        chain = [FileLayer(defaults.file, {k: v for k, v in defaults.data.items() if k not in _OF_DEFAULTS})]
        for index, name in enumerate(names if isinstance(names, list) else []):
            layer = self.cohorts.get(name) if isinstance(name, str) else None
            if layer:
                chain.append(FileLayer(layer.file, {k: v for k, v in layer.data.items() if k != "description"}))
            elif isinstance(name, str) and name not in self.cohorts:
                where = own.file if "cohorts" in own.data else defaults.file
                there = nearest(name, self.cohorts)
                self._add(where, f"cohorts[{index}]", f"there is no {self.path}/cohorts/{name}.toml{there}")
        whole = len(chain) == 1 + (len(names) if isinstance(names, list) else 0)
        below = [chain[0], *self._of_sla([*chain, own], defaults), *chain[1:]]
        key = tuple(layer.file for layer in below)
        if key not in self._common:
            self._common[key] = _Common.of(below)
        return self._common[key], whole

    def _of_sla(self, chain: Sequence[FileLayer], defaults: FileLayer) -> list[FileLayer]:
        """What the tenant's service level says of its probes: it lies between the defaults and the cohorts."""
        sla = next((layer.data["sla"] for layer in reversed(chain) if "sla" in layer.data), "")
        promised = self.slas.get(sla) if isinstance(sla, str) else None
        probes = promised.get("probes") if isinstance(promised, dict) else None
        return [FileLayer(f"{defaults.file}{_SLA}{sla}]", {"probes": probes})] if isinstance(probes, dict) else []

    def _cross_check(self, values: Mapping[str, Any], origins: Mapping[Path_, str], own: str) -> None:
        """What a key's own rule cannot see. Works on the raw values, so that other mistakes do not hide these."""
        known_erps = installed_erps()
        for key, known, rule in (
            ("ring", self.rings, f"is not one of the rings in {self.path}/defaults.toml"),
            ("erp", known_erps, "no driver is installed for it"),
            ("sla", self.slas, f"is not one of the slas in {self.path}/defaults.toml"),
        ):
            name = values.get(key, TenantTable.model_fields[key].default)
            if isinstance(name, str) and known and name not in known:
                self._add(origin_of((key,), origins) or own, key, f"{rule}{nearest(name, known)}", f'"{name}"')
        for path, rule, got in disagreements(values):
            self._add(origin_of(path, origins) or own, dotted(path), rule, f'"{got}"' if got else "")

    def _look_for_stale(self, table: TenantTable, origins: Mapping[Path_, str]) -> None:
        def warn(rule: str, *where: str) -> None:
            file = origin_of(where, origins)
            whose = "" if Path(file).stem == table.id else f" (for tenant {table.id})"
            self.warnings[Problem(file, dotted(where), rule + whose)] = None

        if table.paused_until and table.paused_until <= self.today:
            warn(f"is past ({table.paused_until}), so the tenant is not paused any more: remove it", "paused_until")
        for name, flag in table.features.items():
            if flag.expires < self.today:
                warn(f"expired on {flag.expires}: {flag.owner} should remove or renew the flag", "features", name)
        for text in past(table.probes, self.today):
            warn(f'"{text}" is past: remove it', "probes", "maintenance")
        for name, url in (("api", table.endpoints.api), ("web", table.endpoints.web)):
            if url and url.startswith("http://") and not _is_local(url):
                warn("sends passwords in the clear: use https", "endpoints", name)

    def _compare(self, tenants: Sequence[Tenant]) -> None:
        """What only shows when tenants are held against each other."""
        by_api: dict[str, str] = {}
        for tenant in tenants:
            if tenant.api in by_api:
                rule = f"{by_api[tenant.api]} and {tenant.id} have the same address"
                self.warnings[Problem(str(self.path), "endpoints.api", rule)] = None
            by_api.setdefault(tenant.api, tenant.id)


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _settings(
    table: TenantTable, tenant: Tenant, values: Mapping[str, Any], origins: Mapping[Path_, str], base: Path
) -> tuple[InventorySetting, ...]:
    """Every value that counts; references and addresses as they came out."""
    dumped = table.model_dump(mode="json")
    dumped["endpoints"] = {"api": tenant.api, "web": tenant.web}
    for role, user in table.users.items():
        dumped["users"][role] = _shown(user, tenant.id, base)
    if any(tax.rounding for tax in table.policy.tax):
        del dumped["policy"]["tax_rounding"]
    return tuple(
        InventorySetting(dotted(where), value, origin_of(where, origins) or BUILT_IN)
        for path, value in _leaves(dumped, ())
        for where in [without_indexes(path, values)]
    )


def _shown(user: UserTable, tenant: str, base: Path) -> dict[str, Any]:
    """A user's values, with each secret as where it is."""

    def shown(value: Any) -> Any:
        if isinstance(value, SecretTable):
            return reference(value, tenant, base).reference
        if isinstance(value, BaseModel):
            return {name: shown(getattr(value, name)) for name in type(value).model_fields}
        return value

    found: dict[str, Any] = shown(user)
    return found


def _leaves(value: Any, path: Path_) -> list[tuple[Path_, str]]:
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in _leaves(each, (*path, key))]
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return [leaf for index, each in enumerate(value) for leaf in _leaves(each, (*path, index))]
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [(path, ", ".join(map(str, value)) or "none")]
    return [(path, str(value).lower() if isinstance(value, bool) else str(value))]
