"""The folder of a firm that rolls out: inventory, release, gate, flags, and the Ansible example with its hosts.

Everything is the shipped example, or said here. Two things are the demo's own: a playbook that spoils a tenant's books
after its upgrade where `fault.json` says so, and a right in the database that the release has for a time.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import tomli_w

from ringgate.domain.model import Tenant
from ringgate.estate import Estate
from ringgate.evidence.signing import SigningKey
from tests.evaluation.rollout_demo.people import PEOPLE

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs" / "examples" / "ansible"
RELEASE, FLAG, AUTHOR = "tryton-8-0", "new-invoicing", "ada"
RINGS = ("canary", "early", "broad")
PROCESSES = ("sign-in", "time-entry")
"""What is probed before and after: the quickest that reads, and the quickest that writes."""

GATE = """# A bake of a minute: a real one takes hours, and excludes far smaller rates of failures.
alpha = 0.05

[bake]
tick = "2 s"
soak = "10 s"
deadline = "2 h"

[baseline]
runs = 12

[evidence]
must = ["sign-in", "time-entry"]

[promote]
times = 2
least_rate = 0.3

[signals]
slowness = false
slow-posting = false
silence = false
"""

FAULT = """# The demo's own: spoils the books of a tenant as a migration may, if fault.json names it.
- name: Spoil the books
  hosts: all
  connection: local
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - name: Plant the fault
      ansible.builtin.command:
        argv: ["{{ playbook_dir }}/fault.py", "{{ inventory_hostname }}"]
"""

PLANT = """
import json, sys
from pathlib import Path
from ringgate.estate import Estate
from ringgate.estate.faults.migration import plant
from ringgate.estate.tryton.migration_faults import MIGRATION_FAULTS

named = json.loads((Path(__file__).parent / "fault.json").read_text())
if fault := named.get(sys.argv[1]):
    with Estate.at("ESTATE").sql(sys.argv[1]) as database:
        plant(MIGRATION_FAULTS[fault], database)
"""

RIGHTS = """
import sys
from ringgate.estate import Estate

ROLE = "rollout_migration"
with Estate.at("ESTATE").database.connect(autocommit=True) as database:
    there = database.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone() is not None
    if sys.argv[1] == "grant" and not there:
        database.execute(f"CREATE ROLE {ROLE} LOGIN VALID UNTIL 'tomorrow'")
    elif sys.argv[1] == "revoke":
        database.execute(f"DROP ROLE IF EXISTS {ROLE}")
    elif sys.argv[1] == "look":
        print("granted" if there else "revoked")
"""


def rings_of(tenants: Sequence[Tenant]) -> dict[str, str]:
    """One tenant of dollars is the canary, those of pounds follow, then all others."""
    canary = next(each.id for each in tenants if each.policy.currency.code == "USD")
    early = [each.id for each in tenants if each.policy.currency.code == "GBP"]
    ring = {canary: "canary", **dict.fromkeys(early, "early")}
    return {each.id: ring.get(each.id, "broad") for each in tenants}


def lay_out(folder: Path, estate: Estate, keys: Mapping[str, SigningKey]) -> dict[str, str]:
    """Writes all of it. Returns the ring of each tenant."""
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    tenants = estate.inventory().tenants
    rings = rings_of(tenants)
    _inventory(folder / "tenants", estate, rings)
    for name, code in (("fault.py", PLANT), ("rights.py", RIGHTS)):
        _program(folder / name, code.replace("ESTATE", estate.name))
    (folder / "fault.yml").write_text(FAULT, encoding="utf-8")
    (folder / "fault.json").write_text("{}", encoding="utf-8")
    (folder / "gate.toml").write_text(GATE, encoding="utf-8")
    hosts = (folder / "hosts.toml").read_text(encoding="utf-8").replace('ESTATE = "demo"', f'ESTATE = "{estate.name}"')
    (folder / "hosts.toml").write_text(hosts.replace('"upgrade.yml", ', '"upgrade.yml", "fault.yml", '), "utf-8")
    dark = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
    (folder / "flags.json").write_text(json.dumps({"flags": {FLAG: dark}}), encoding="utf-8")
    build = _asked(folder, estate, "build", "8.0")
    release = release_of(tenants, keys, build)
    (folder / "release.toml").write_text(tomli_w.dumps(release), encoding="utf-8")
    return rings


def back_up(folder: Path, estate: Estate, tenant: str) -> None:
    """The tenant's own nightly backup, by the hosts' tool."""
    _asked(folder, estate, "backup", tenant)


def _asked(folder: Path, estate: Estate, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, folder / "host.py", *words], env={"ESTATE": estate.name, "PATH": "", **_home()}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _home() -> dict[str, str]:
    from ringgate.host import paths

    return {"RINGGATE_HOME": str(paths.home())}


def _program(file: Path, code: str) -> None:
    file.write_text(f"#!{sys.executable}{code}", encoding="utf-8")
    file.chmod(0o755)


def _inventory(target: Path, estate: Estate, rings: Mapping[str, str]) -> None:
    """The estate's own, in other rings; backups of all may be four hours old, and nobody is ever left alone."""
    shutil.copytree(estate.inventory_path, target)
    for tenant, ring in rings.items():
        file = target / f"{tenant}.toml"
        given = tomllib.loads(file.read_text(encoding="utf-8"))
        always = {**given.get("probes", {}), "maintenance": []}
        file.write_text(tomli_w.dumps({**given, "ring": ring, "sla": "bronze", "probes": always}), encoding="utf-8")


def window_of(zone: str, now: datetime) -> str:
    """From an hour ago until six hours from now, as clocks show it there."""
    begins, ends = (f"{now.astimezone(ZoneInfo(zone)) + timedelta(hours=hours):%Y-%m-%d %H:%M}" for hours in (-1, 6))
    return f"{begins} to {ends}"


def release_of(tenants: Sequence[Tenant], keys: Mapping[str, SigningKey], build: Mapping[str, str]) -> dict[str, Any]:
    shipped = tomllib.loads((ROOT / "deploy" / "releases" / "tryton-7.0-to-8.0.toml").read_text(encoding="utf-8"))
    now, zones = datetime.now(UTC), dict[str, list[str]]()
    for each in tenants:
        zones.setdefault(each.timezone, []).append(each.id)
    windows = [{"name": f"maintenance of {zone}", "tenants": who, "times": [window_of(zone, now)]}
               for zone, who in zones.items()]  # fmt: skip
    roles = [{"name": role, "people": [{"name": name, "keys": [keys[name].public.line]}]}
             for name, role in PEOPLE.items()]  # fmt: skip
    left_out = ("accepted", "background_load", "conditions")
    return {
        **{key: value for key, value in shipped.items() if key not in left_out},
        "id": RELEASE, "risk": "low", "approvers": list(PEOPLE.values()), "must": ["sign-in"],
        "components": {**shipped["components"], "application": {**shipped["components"]["application"],
                                                                "artefacts": dict(build)}},
        "conditions": {"fingerprint_drift": "pause"},
        "background_load": {"every": "1 min"},
        "rollout": {"at_once": 2, "bake": "gate.toml", "windows": windows,
                    "runway": {"upgrade": "20 min", "verification": "10 min", "rollback": "10 min"}},
        "approvals": {"author": AUTHOR, "rings": ["early", "activation"], "valid": "4 h", "wait": "30 min",
                      "roll_back": ["release-manager"], "roles": roles},
        "activation": {"flags": [{"name": FLAG, "owner": "billing", "ends": date(2099, 1, 1), "file": "flags.json",
                                  "scenarios": ["project-to-cash"]}]},
        "elevations": [{"name": "migration-user", "owner": "erp-operations", "ends": "2 h",
                        "reason": "the migration writes into the databases",
                        "grant": ["./rights.py", "grant"], "revoke": ["./rights.py", "revoke"],
                        "check": ["./rights.py", "look"]}],
        "notify": [{"to": {"env": "OPS_MAIL"}}, {"to": {"env": "OPS_HOOK"}}],
    }  # fmt: skip
