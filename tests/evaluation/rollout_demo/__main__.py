"""Rolls the demo's release out over eight real tenants on their own hosts, by Ansible, with people, keys and a fault.

python -m tests.evaluation.rollout_demo
...
yes  the books of aldgate are why, and nothing else
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from ringgate.cli.common import console
from ringgate.estate import Estate
from ringgate.estate.progress import ProgressDisplay
from tests.evaluation.commands import CommandFailed, Commands
from tests.evaluation.findings import Findings
from tests.evaluation.rollout_demo import checks
from tests.evaluation.rollout_demo.files import ROOT, back_up, lay_out
from tests.evaluation.rollout_demo.people import Told, keys_of, listening
from tests.evaluation.rollout_demo.rollout import Rollout
from tests.support.ansible import ansible_bin

NOT_SHOWN = """Left out: most processes, the browser, isolation and work in flight (the release is of risk low), the
surface, real hosts (Ansible drives this machine), a bake of hours (here: a minute, and failure rates below half are not
excluded), an ERP that reads the flag."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.rollout_demo", description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--estate", default="rollout-demo", help="made for it; its tenants get fresh books")
    parser.add_argument("--tenants", type=int, default=8, help="at least 3")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "out" / "rollout-demo", help="emptied first")
    parser.add_argument("--keep", action="store_true", help="leave the estate standing")
    options = parser.parse_args()
    estate, out, found = Estate.at(options.estate), options.out.resolve(), Findings()
    shutil.rmtree(out, ignore_errors=True)
    (out / "firm").mkdir(parents=True)
    try:
        with listening() as told:
            _demo(estate, options.tenants, out, found, told)
    except CommandFailed as failed:
        found.that("every command ended as it must", False, failed)
    finally:
        estate.down() if options.keep else estate.destroy()
    print(f"\n{NOT_SHOWN}\nAll that was said: {out / 'log.txt'}")
    return found.conclude()


def _demo(estate: Estate, tenants: int, out: Path, found: Findings, told: Told) -> None:
    state = out / "state"
    with found.step(f"{tenants} tenants of a real ERP, Ansible, keys"), ProgressDisplay(console()) as board:
        estate.up(tenants, board, also=["8.0"])
        if moved := [name for name, place in estate.record.tenants.items() if place.series != estate.first_series]:
            estate.reset(*moved)
        os.environ["RINGGATE_STATE"] = str(state)
        keys = keys_of(out / "keys")
        rings = lay_out(out / "firm", estate, keys)
        path = os.pathsep.join([str(Path(sys.executable).parent), str(ansible_bin()), os.environ["PATH"]])
    commands = Commands(out / "firm", {"PATH": path, "RINGGATE_STATE": str(state), **told.addresses}, out / "log.txt")
    rollout = Rollout(commands, estate, rings, out, found)
    with found.step("Backups, and what is usual before"):
        for tenant in rings:
            back_up(out / "firm", estate, tenant)
        rollout.baseline()
    with found.step("First rollout: canary, two keys, a fault in ring 2"):
        rollout.first()
    with found.step("Its runbook: everything is taken back"):
        rollout.taken_back()
    with found.step("Second rollout: all rings, two keys each time, features on"):
        rollout.second()
    with found.step("Messages, evidence, page"):
        checks.messages(told, found)
        checks.evidence(out, rollout, keys, found)
        checks.page(out, commands, found)


if __name__ == "__main__":
    raise SystemExit(main())
