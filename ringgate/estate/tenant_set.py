"""Which tenants an estate has: the demo tenants of its kind, and beyond them variations of theirs.

The demo tenants are an inventory like any other. Each of them is the archetype of further tenants, which get its books
under another name and in another ring.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tomli_w

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Role
from ringgate.estate.errors import EstateError
from ringgate.estate.members import Member, TenantNames
from ringgate.estate.processes import write_atomically
from ringgate.estate.protocol import EstateKind
from ringgate.host.secrets import hide
from ringgate.inventory import Inventory

MOST = 24
SLAS = ("bronze", "silver", "gold")


def archetypes(folder: Path) -> list[Tenant]:
    """The demo tenants in the order of their ids, which is the order of their ports."""
    return sorted(Inventory.load(folder).tenants, key=lambda tenant: tenant.id)


def members(names: TenantNames, count: int) -> list[Member]:
    """The first `count` tenants. Raises EstateError if there are not so many."""
    demo = archetypes(names.folder)
    most = min(MOST, len(demo) + sum(len(names.further.get(tenant.id, ())) for tenant in demo))
    if not 1 <= count <= most:
        raise EstateError(f"An estate holds 1 to {most} tenants, not {count}: choose --tenants accordingly.")
    found = [Member(tenant.id, tenant, _values(names.folder, tenant.id)) for tenant in demo]
    for turn in range(max((len(ids) for ids in names.further.values()), default=0)):
        for tenant in demo:
            ids = names.further.get(tenant.id, ())
            if turn < len(ids):
                found.append(Member(ids[turn], tenant, _varied(found, tenant, ids[turn], turn, names.thresholds)))
    return found[:count]


def _values(folder: Path, name: str) -> dict[str, Any]:
    return tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))


def _varied(
    known: Sequence[Member], archetype: Tenant, name: str, turn: int, thresholds: Sequence[str]
) -> dict[str, Any]:
    base = next(member.values for member in known if member.id == archetype.id)
    title = f"{name.capitalize()} {archetype.name.partition(' ')[2]}".strip()
    ring = "early" if turn == 0 else "broad"
    varied = {**base, "id": name, "name": title, "ring": ring, "sla": SLAS[turn % len(SLAS)]}
    if archetype.policy.approval.steps and archetype.policy.approval.threshold:
        policy = dict(base.get("policy", {}))
        policy["approval"] = {**policy.get("approval", {}), "threshold": thresholds[turn % len(thresholds)]}
        varied["policy"] = policy
    return varied


# --- what an estate writes about its tenants -----------------------------------------------------------------------


def write_inventory(
    target: Path, kind: EstateKind, folder: Path, tenants: Sequence[Member], ports: Mapping[str, int], secrets: str,
    integrations: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:  # fmt: skip
    """Writes the inventory of what stands, in the format of the demo tenants in `folder`, with real ports and secrets.

    `secrets` is the folder of secrets as it is to be written, with `${RINGGATE_HOME}` where it applies; `integrations`
    are those of each tenant by its id.
    """
    new = target.with_name(f".new-{target.name}-{os.getpid()}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    if (folder / "defaults.toml").is_file():
        shutil.copyfile(folder / "defaults.toml", new / "defaults.toml")
    if (folder / "cohorts").is_dir():
        shutil.copytree(folder / "cohorts", new / "cohorts")
    for member in tenants:
        users = {
            str(role): {"login": account.login, "password": {"file": f"{secrets}/{member.id}/{role}"}}
            for role, account in member.archetype.users.items()
        }
        endpoints = dict(kind.endpoints(f"http://127.0.0.1:{ports[member.id]}", member.id))
        own = {"integrations": dict(integrations[member.id])} if integrations and member.id in integrations else {}
        text = tomli_w.dumps({**member.values, "endpoints": endpoints, "users": users, **own})
        (new / f"{member.id}.toml").write_text(text, encoding="utf-8")
    if _contents(new) == _contents(target):
        shutil.rmtree(new)
        return
    # Readers see the old folder or the new one; only between these two lines is there none.
    shutil.rmtree(target, ignore_errors=True)
    new.rename(target)


def foreseen(kind: EstateKind, names: TenantNames, count: int) -> Inventory:
    """The inventory of an estate of `count` tenants before it stands; its addresses lead nowhere yet."""
    wanted = members(names, count)
    with TemporaryDirectory(prefix="ringgate-") as place:
        target = Path(place) / "inventory"
        write_inventory(target, kind, names.folder, wanted, dict.fromkeys((each.id for each in wanted), 1), place)
        return Inventory.load(target)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.toml")}


# --- passwords -----------------------------------------------------------------------------------------------------


def passwords(folder: Path, roles: Sequence[Role | str], make: Mapping[str, str]) -> dict[str, str]:
    """The password of each role, from `folder/<role>`; missing ones are taken from `make` and written, owner-only."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    found = {}
    for role in map(str, roles):
        file = folder / role
        if not file.is_file() or not file.read_text():
            write_atomically(file, make[role], mode=0o600)
        found[role] = file.read_text()
        hide(found[role])
    return found
