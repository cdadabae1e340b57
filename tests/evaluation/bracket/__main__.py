"""A shell script upgrades a real tenant between `ringgate before` and `ringgate after`; then each fault of a migration.

python -m tests.evaluation.bracket
yes  before: nothing speaks against the upgrade
yes  after: nothing speaks against it
yes  lost-line: stopped, and named
...
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from ringgate.cli.common import console
from ringgate.estate import Estate
from ringgate.estate.faults.migration import MigrationFault, plant
from ringgate.estate.progress import ProgressDisplay
from ringgate.estate.tryton.migration_faults import MIGRATION_FAULTS
from ringgate.inventory import Inventory
from ringgate.rollout.release import load_release
from tests.evaluation.commands import CommandFailed, Commands
from tests.evaluation.findings import Findings
from tests.support.rehearsal import release_file

ROOT = Path(__file__).parents[3]
HOST = ROOT / "docs" / "examples" / "ansible" / "host.py"
UPGRADE = "set -e\n{python} {host} upgrade {tenant} {to} steps.json\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.bracket", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--estate", default="bracket", help="its tenant in pounds gets fresh books first")
    parser.add_argument("--risk", default="low", choices=["low", "medium", "high"], help="how much is verified")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "out" / "bracket", help="emptied first")
    parser.add_argument("--keep", action="store_true", help="leave the estate standing")
    options = parser.parse_args()
    estate, out, found = Estate.at(options.estate), options.out.resolve(), Findings()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    try:
        with found.step("A tenant of a real ERP"), ProgressDisplay(console()) as board:
            estate.up(2, board, also=["8.0"])
            tenant = next(each.id for each in estate.inventory().tenants if each.policy.currency.code == "GBP")
            if estate.place(tenant).series != estate.first_series:
                estate.reset(tenant)
        _bracket(estate, tenant, release_file(out, options.risk, "bracket"), found)
    except CommandFailed as failed:
        found.that("every command ended as it must", False, failed)
    finally:
        estate.down() if options.keep else estate.destroy()
    print(f"All that was said: {out / 'log.txt'}")
    return found.conclude()


def _bracket(estate: Estate, tenant: str, release: Path, found: Findings) -> None:
    out = release.parent
    inventory = str(estate.inventory_path)
    state = {"RINGGATE_STATE": str(out / "state"), "RINGGATE_INVENTORY": inventory, "ESTATE": estate.name}
    commands = Commands(out, state, out / "log.txt")
    table = load_release(release, Inventory.load(estate.inventory_path)).table
    steps = [each.model_dump(mode="json") for each in table.manual_steps]
    (out / "steps.json").write_text(json.dumps(steps), encoding="utf-8")
    script = UPGRADE.format(python=sys.executable, host=HOST, tenant=tenant, to=table.after)
    (out / "upgrade.sh").write_text(script, encoding="utf-8")
    with found.step("ringgate before"):
        code, told = _asked(commands, "before", release, tenant)
        found.that("before: nothing speaks against the upgrade", code == 0, told)
    with found.step("sh upgrade.sh"):
        commands.run("/bin/sh", "upgrade.sh")
        found.that(f"{tenant} runs {table.after}", estate.place(tenant).series == table.after)
        as_upgraded = estate.backup(tenant)
    with found.step("ringgate after, twice"):
        for _ in range(2):  # the second meets what the first one's processes wrote and reversed
            code, told = _asked(commands, "after", release, tenant)
            found.that("after: nothing speaks against it", code == 0, told)
    for fault in MIGRATION_FAULTS.values():
        with found.step(fault.title):
            estate.roll_back(tenant, as_upgraded)
            with estate.sql(tenant) as database:
                plant(fault, database)
            code, told = _asked(commands, "after", release, tenant)
            found.that(f"{fault.id}: stopped, and named", code == 1 and _names(fault, told), (code, told))
    with found.step("ringgate after, without any of them"):
        estate.roll_back(tenant, as_upgraded)
        code, told = _asked(commands, "after", release, tenant)
        found.that("after: nothing speaks against it", code == 0, told)


def _asked(commands: Commands, command: str, release: Path, tenant: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code of one of the two, and what it says against the upgrade."""
    said = commands.run("ringgate", command, release.name, "--tenant", tenant, "--json", codes=(0, 1, 2))
    against: list[dict[str, Any]] = json.loads(said.stdout)["against"]
    return said.returncode, against


def _names(fault: MigrationFault, told: list[dict[str, Any]]) -> bool:
    drifted = [each["sentence"] for each in told if each["condition"] == "fingerprint_drift"]
    return any(fault.says in each for each in drifted)


if __name__ == "__main__":
    raise SystemExit(main())
