"""The inventory: a folder of TOML files that describes every tenant, read whole or refused whole.

    tenants/
      defaults.toml          what holds for every tenant; names the rings in their order
      cohorts/emea.toml      what holds for the tenants of a cohort; may be empty
      aldgate.toml           one tenant; the file is named after its id

Later files win over earlier ones: defaults, the tenant's cohorts in the order it lists them, the tenant. All errors of
all files are reported at once, each with its file, key and rule:

    tenants/aldgate.toml: policy.tax.rate: must be below 1 (got "20")
    tenants/kyoto.toml: cohorts[0]: there is no tenants/cohorts/apec.toml; did you mean apac?
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from ringgate.errors import RinggateError
from ringgate.inventory_files import (
    Layer,
    Path_,
    Problem,
    dotted,
    faults,
    merge,
    nearest,
    origin_of,
    read_layer,
    without_indexes,
)
from ringgate.inventory_schema import CURRENCIES, CohortTable, DefaultsTable, SecretTable, TenantTable
from ringgate.model import Account, Accounts, Approval, Effect, Feature, Policy, TaxRule, Tenant
from ringgate.secrets import EnvSecret, FileSecret, Secret

BUILT_IN = "built-in default"
_RINGS = ("canary", "early", "broad")


class InventoryError(RinggateError):
    """The inventory is wrong; `problems` holds every reason, and the text lists them, one to a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class SelectionError(RinggateError):
    """A selection names what does not exist, or selects nothing."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a tenant and the file that it comes from. Secrets are shown as their reference."""

    key: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every tenant, in the order of the rollout: by ring, then by id.

    `rings` are in the order of a rollout, `cohorts` maps each cohort to its description, `warnings` does not stop
    anybody (an expired flag, a password sent in the clear).
    """

    path: Path
    tenants: tuple[Tenant, ...]
    rings: tuple[str, ...]
    cohorts: Mapping[str, str]
    warnings: tuple[Problem, ...] = ()
    _settings: Mapping[str, tuple[Setting, ...]] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, path: Path | str | None = None, today: date | None = None) -> Inventory:
        """Reads and checks the folder (default: `default_path()`). Raises InventoryError with all problems."""
        return _Reader(default_path() if path is None else Path(path), today or datetime.now(UTC).date()).inventory()

    def tenant(self, name: str) -> Tenant:
        """One tenant by id. Raises SelectionError."""
        return self.select(tenants=[name])[0]

    def settings(self, name: str) -> tuple[Setting, ...]:
        """All values of a tenant, each with its origin. Raises SelectionError."""
        return self._settings[self.tenant(name).id]

    def select(
        self,
        tenants: Collection[str] = (),
        cohorts: Collection[str] = (),
        rings: Collection[str] = (),
        regions: Collection[str] = (),
    ) -> tuple[Tenant, ...]:
        """The tenants that fit: any of the names of one kind, and every kind that is given; all if none is.

        Raises SelectionError for every unknown name at once, and for an empty selection.
        """
        wanted = {"tenant": set(tenants), "cohort": set(cohorts), "ring": set(rings), "region": set(regions)}
        known = {
            "tenant": [tenant.id for tenant in self.tenants],
            "cohort": list(self.cohorts),
            "ring": list(self.rings),
            "region": [tenant.region for tenant in self.tenants],
        }
        unknown = [
            f'no {kind} is called "{name}"{nearest(name, known[kind])}'
            for kind, names in wanted.items()
            for name in sorted(names - set(known[kind]))
        ]
        if unknown:
            raise SelectionError(f"{self.path}: {'. '.join(unknown)}")
        chosen = tuple(
            tenant
            for tenant in self.tenants
            if (not wanted["tenant"] or tenant.id in wanted["tenant"])
            and (not wanted["cohort"] or wanted["cohort"] & set(tenant.cohorts))
            and (not wanted["ring"] or tenant.ring in wanted["ring"])
            and (not wanted["region"] or tenant.region in wanted["region"])
        )
        if not chosen:
            said = " and ".join(f"{kind} {' or '.join(sorted(names))}" for kind, names in wanted.items() if names)
            raise SelectionError(f"{self.path}: no tenant has {said}, so there is nothing to do. Widen the selection.")
        return chosen


def default_path() -> Path:
    """`RINGGATE_INVENTORY`, else `tenants/` of the folder that Ringgate is started in."""
    return Path(os.environ.get("RINGGATE_INVENTORY") or "tenants")


def pause_of(tenant: Tenant, now: datetime | None = None) -> str:
    """Why a tenant is to be left alone today (its own today), or "" if it is not."""
    today = (now or datetime.now(UTC)).astimezone(ZoneInfo(tenant.timezone)).date()
    if tenant.paused_until is None or today >= tenant.paused_until:
        return ""
    return f"paused until {tenant.paused_until}: {tenant.paused_reason}"


def secret_problems(inventory: Inventory) -> tuple[list[str], list[str]]:
    """What keeps references from being revealed on this machine, and what is unsafe about the rest."""
    missing, unsafe = [], []
    for tenant in inventory.tenants:
        for role, account in tenant.users.items():
            where = f"{tenant.id}: users.{role}"
            try:
                account.password.reveal()
            except RinggateError as error:
                missing.append(f"{where}: {error}")
            if warning := account.password.warning():
                unsafe.append(f"{where}: {warning}")
    return missing, unsafe


@cache
def installed_erps() -> frozenset[str]:
    """The ERPs that a driver is installed for. Empty when Ringgate itself is not installed."""
    return frozenset(entry.name.split(".")[0] for entry in entry_points(group="ringgate.drivers"))


class _Reader:
    """Collects everything that is wrong, and yields an inventory only if nothing is."""

    def __init__(self, path: Path, today: date) -> None:
        self.path = path
        self.today = today
        self.problems: dict[Problem, None] = {}  # in the order found, each once
        self.warnings: dict[Problem, None] = {}
        self.settings: dict[str, tuple[Setting, ...]] = {}
        self.ids: dict[str, str] = {}

    def inventory(self) -> Inventory:
        if not self.path.is_dir():
            raise InventoryError(
                [Problem(str(self.path), "", "is not a folder; name the inventory's with --inventory")]
            )
        files = sorted(self.path.glob("*.toml"))
        defaults = self._defaults()
        self.rings = tuple(defaults.data.get("rings", _RINGS)) if defaults else _RINGS
        self.cohorts = self._cohorts()
        self._refuse_strays()
        tenants = [self._tenant(file, defaults) for file in files if file.name != "defaults.toml"]
        if not tenants:
            self._add(str(self.path), "", "holds no tenant: add one <tenant>.toml")
        self._compare([tenant for tenant in tenants if tenant])
        if self.problems:
            raise InventoryError(self.problems)
        return Inventory(
            path=self.path,
            tenants=tuple(sorted(filter(None, tenants), key=lambda x: (self.rings.index(x.ring), x.id))),
            rings=self.rings,
            cohorts={name: str(layer.data.get("description", "")) for name, layer in self.cohorts.items() if layer},
            warnings=tuple(self.warnings),
            _settings=self.settings,
        )

    def _add(self, file: str, key: str, rule: str, got: str = "") -> None:
        self.problems[Problem(file, key, rule, got)] = None

    def _warn(self, file: str, key: str, rule: str) -> None:
        self.warnings[Problem(file, key, rule)] = None

    def _read(self, path: Path, table: type[BaseModel], never: Sequence[str] = ()) -> Layer | None:
        """One file, checked on its own; what is missing may still come from another."""
        layer = read_layer(path)
        if isinstance(layer, Problem):
            self.problems[layer] = None
            return None
        for key in never:
            if key in layer.data:
                self._add(layer.file, key, "may stand in a tenant's own file only")
        for where, rule, got, missing in faults(table, layer.data):
            if not missing:
                self._add(layer.file, dotted(where), rule, got)
        return layer

    def _defaults(self) -> Layer | None:
        path = self.path / "defaults.toml"
        return self._read(path, DefaultsTable, never=("id",)) if path.exists() else Layer(str(path), {})

    def _cohorts(self) -> dict[str, Layer | None]:
        """Each cohort's file by its name; None for a file that could not be read."""
        paths = sorted((self.path / "cohorts").glob("*.toml"))
        return {path.stem: self._read(path, CohortTable, never=("id", "cohorts")) for path in paths}

    def _refuse_strays(self) -> None:
        """A tenant in the wrong folder would otherwise go untested without anybody noticing."""
        for path in sorted(self.path.rglob("*.toml")):
            parts = path.relative_to(self.path).parts
            if len(parts) > 1 and (parts[0] != "cohorts" or len(parts) > 2):
                self._add(str(path), "", f"stands in a folder that is not read; move it into {self.path}/")

    def _tenant(self, path: Path, defaults: Layer | None) -> Tenant | None:
        own = self._read(path, TenantTable)
        if own is None or defaults is None:
            return None
        self._check_id(own, path)
        layers, whole = self._chain(own, defaults)
        values, origins = merge(layers)
        found = faults(TenantTable, values)
        for where, rule, got, missing in found:
            if whole or not missing:
                self._add(own.file if missing else origin_of(where, origins) or own.file, dotted(where), rule, got)
        if found:
            return None
        table = TenantTable.model_validate(values)
        self._cross_check(table, path, origins)
        self.settings[table.id] = _settings(table, values, origins)
        return None if table.ring not in self.rings else _to_model(table, self.path)

    def _check_id(self, own: Layer, path: Path) -> None:
        given = own.data.get("id")
        if not isinstance(given, str):
            return
        if given != path.stem:
            rule = f'must be the file\'s name: rename the file to {given}.toml or write id = "{path.stem}"'
            self._add(own.file, "id", rule, f'"{given}"')
        if given in self.ids:
            self._add(own.file, "id", f"is that of {self.ids[given]} too", f'"{given}"')
        self.ids.setdefault(given, own.file)

    def _chain(self, own: Layer, defaults: Layer) -> tuple[list[Layer], bool]:
        """The layers of a tenant, and whether all of them could be had."""
        names = own.data.get("cohorts", defaults.data.get("cohorts", []))
        chain = [Layer(defaults.file, {k: v for k, v in defaults.data.items() if k != "rings"})]
        for index, name in enumerate(names if isinstance(names, list) else []):
            layer = self.cohorts.get(name) if isinstance(name, str) else None
            if layer:
                chain.append(Layer(layer.file, {k: v for k, v in layer.data.items() if k != "description"}))
            elif isinstance(name, str) and name not in self.cohorts:
                where = own.file if "cohorts" in own.data else defaults.file
                there = nearest(name, self.cohorts)
                self._add(where, f"cohorts[{index}]", f"there is no {self.path}/cohorts/{name}.toml{there}")
        return [*chain, own], len(chain) == 1 + (len(names) if isinstance(names, list) else 0)

    def _cross_check(self, table: TenantTable, path: Path, origins: Mapping[Path_, str]) -> None:
        def add(rule: str, *where: str, got: str = "") -> None:
            self._add(origin_of(where, origins) or str(path), dotted(where), rule, got)

        def warn(rule: str, *where: str) -> None:
            self._warn(origin_of(where, origins) or str(path), dotted(where), rule)

        if table.ring not in self.rings:
            add(f"is not a ring of defaults.toml{nearest(table.ring, self.rings)}", "ring", got=f'"{table.ring}"')
        if installed_erps() and table.erp not in installed_erps():
            add(f"no driver is installed for it{nearest(table.erp, installed_erps())}", "erp", got=f'"{table.erp}"')
        if table.paused_until and not table.paused_reason:
            add("is required with paused_until", "paused_reason")
        if table.paused_reason and not table.paused_until:
            add("is required with paused_reason", "paused_until")
        if table.paused_until and table.paused_until <= self.today:
            warn(f"is past ({table.paused_until}), so the tenant is not paused any more: remove it", "paused_until")
        for name, flag in table.features.items():
            if flag.expires < self.today:
                warn(f"expired on {flag.expires}: {flag.owner} should remove or renew the flag", "features", name)
        for name, url in (("api", table.endpoints.api), ("web", table.endpoints.web)):
            if url and url.startswith("http://") and not _is_local(url):
                warn("sends passwords in the clear: use https", "endpoints", name)

    def _compare(self, tenants: Sequence[Tenant]) -> None:
        """What only shows when tenants are held against each other."""
        by_api: dict[str, str] = {}
        for tenant in tenants:
            if tenant.api in by_api:
                rule = f"{by_api[tenant.api]} and {tenant.id} have the same address"
                self._warn(str(self.path), "endpoints.api", rule)
            by_api.setdefault(tenant.api, tenant.id)


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _to_model(table: TenantTable, base: Path) -> Tenant:
    policy = table.policy
    return Tenant(
        id=table.id,
        name=table.name or table.id,
        erp=table.erp,
        series=table.series,
        ring=table.ring,
        cohorts=table.cohorts,
        region=table.region,
        residency=table.residency,
        timezone=table.timezone,
        language=table.language,
        sla=table.sla,
        api=_filled(table.endpoints.api, table.id),
        web=_filled(table.endpoints.web or "", table.id),
        policy=Policy(
            currency=CURRENCIES[policy.currency],
            taxes=tuple(TaxRule(tax.name, tax.rate, tax.product or policy.product) for tax in policy.tax),
            tax_rounding=policy.rounding,
            rounding_mode=policy.rounding_mode,
            approval=Approval(policy.approval.steps, policy.approval.threshold),
            invoice_method=policy.invoice_method,
            payment_term=policy.payment_term.name,
            payment_days=policy.payment_term.days,
            accounts=Accounts(**policy.accounts.model_dump()),
            product=policy.product,
            customer=policy.customer,
            effects=Effect[policy.effects.upper()],
        ),
        users={role: Account(x.login, _secret(x.password, table.id, base)) for role, x in table.users.items()},
        sessions=table.sessions,
        lacks=table.lacks,
        features={name: Feature(x.on, x.owner, x.expires) for name, x in table.features.items()},
        extensions=dict(table.extensions),
        paused_until=table.paused_until,
        paused_reason=table.paused_reason,
    )


def _filled(text: str, tenant: str) -> str:
    return text.replace("${TENANT}", tenant)


def _secret(table: SecretTable, tenant: str, base: Path) -> Secret:
    if table.env is not None:
        # A variable's name has no hyphen, so acme-eu becomes ACME_EU.
        return EnvSecret(table.env.replace("${TENANT}", tenant.upper().replace("-", "_")))
    return FileSecret(_filled(table.file or "", tenant), base.absolute())


def _settings(table: TenantTable, values: Mapping[str, Any], origins: Mapping[Path_, str]) -> tuple[Setting, ...]:
    return tuple(
        Setting(dotted(where), value, origin_of(where, origins) or BUILT_IN)
        for where, value in (
            (without_indexes(path, values), value) for path, value in _flat(table.model_dump(mode="json"), ())
        )
    )


def _flat(value: Any, path: Path_) -> list[tuple[Path_, str]]:
    if len(path) == 3 and path[0] == "users" and path[2] == "password":
        return [(path, next(f"{way} {where}" for way, where in value.items() if where is not None))]
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in _flat(each, (*path, key))]
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return [leaf for index, each in enumerate(value) for leaf in _flat(each, (*path, index))]
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [(path, ", ".join(map(str, value)) or "none")]
    return [(path, str(value).lower() if isinstance(value, bool) else str(value))]
