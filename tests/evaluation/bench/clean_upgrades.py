"""Upgrades real tenants whose books all differ, and compares the fingerprints: a clean upgrade must raise no alarm.

python -m tests.evaluation.bench.clean_upgrades --tenants 10
barbican   of aldgate   95 postings, 71 documents, 296 time entries   migrated in 48.2 s   no difference
"""

from __future__ import annotations

import argparse
import random
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from ringgate.cli.common import console
from ringgate.domain.documents import EntryDraft, EntryLine, ProjectDraft, RequestDraft, TaskDraft
from ringgate.domain.errors import Refused
from ringgate.domain.model import Tenant
from ringgate.domain.money import Money
from ringgate.domain.terms import Capability, Role
from ringgate.drivers.protocol import Call, Connection
from ringgate.drivers.tryton.api.driver import TrytonApiDriver
from ringgate.estate import Estate
from ringgate.estate.progress import ProgressDisplay
from ringgate.estate.upgrading import ManualStep
from ringgate.fingerprint import Difference, compare
from ringgate.fingerprint.model import Fingerprint
from ringgate.inventory import Inventory

AT_ONCE = 2
RELEASE = Path(__file__).parents[3] / "deploy" / "releases" / "tryton-7.0-to-8.0.toml"


def trade(connection: Connection, tenant: Tenant, dice: random.Random) -> None:
    """Some business of a firm, different for each seed: bills in all their states, time, requests, corrections."""
    manager, consultant, accountant = map(
        connection.sign_in, (Role.PROJECT_MANAGER, Role.CONSULTANT, Role.ACCOUNTANT)
    )  # fmt: skip
    policy, today = tenant.policy, datetime.now(UTC).date()

    def money(least: int, most: int) -> Money:
        return Money(Decimal(dice.randint(least, most)), policy.currency)

    for number in range(dice.randint(3, 8)):
        rules = [rule.name for rule in policy.taxes] or [""]
        task = TaskDraft(f"Part {number}", money(60, 240), Decimal(dice.randint(1, 40)), dice.choice(rules))
        project = manager.create_project(
            ProjectDraft(f"Case {number}-{dice.random():.6f}", policy.customer, "", (task,))
        )
        for _ in range(dice.randint(1, 4)):
            hours = Decimal(dice.randint(1, 32)) / 4
            consultant.enter_time(project.task, hours, today, f"work of {hours} h, für Čapek, 東京")
        if (state := dice.choice(("unbilled", "draft", "posted", "part-paid", "paid", "credited"))) == "unbilled":
            continue
        manager.complete_work(project)
        invoice = accountant.draft_invoice(project)
        if state != "draft":
            invoice = accountant.post_invoice(invoice, today)
        if state in ("part-paid", "paid"):
            accountant.pay_invoice(invoice, invoice.open if state == "paid" else money(1, 20), today)
        if state == "credited":
            accountant.credit_invoice(invoice, today)
    for number in range(dice.randint(1, 3)):
        amount = money(10, 900)
        debit = EntryLine(policy.accounts.cash[0], amount, money(0, 0))
        credit = EntryLine(policy.accounts.revenue[0], money(0, 0), amount)
        accountant.post_entry(EntryDraft(today, f"Correction {number}", "", (debit, credit)))
    if Capability.APPROVALS not in tenant.lacks:
        _procure(connection, dice, money(20, 2000), dice.choice(("draft", "waiting", "decided")))


def _procure(connection: Connection, dice: random.Random, price: Money, state: str) -> None:
    consultant, approver = connection.sign_in(Role.CONSULTANT), connection.sign_in(Role.APPROVER)
    request = consultant.request_purchase(RequestDraft("Whiteboards", "", Decimal(dice.randint(1, 3)), price))
    if state != "draft":
        request = consultant.submit_request(request)
    if state == "decided" and request.state == "waiting":
        with suppress(Refused):  # a second approver would be needed
            approver.approve_request(request)


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What one upgrade came to."""

    tenant: str
    archetype: str
    before: Fingerprint
    seconds: float
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        size = (
            f"{len(self.before.entries)} postings, {len(self.before.documents)} documents, "
            f"{len(self.before.hours)} time entries"
        )
        told = "; ".join(each.cause for each in self.differences) or "no difference"
        return f"{self.tenant:11} of {self.archetype:10} {size:55} migrated in {self.seconds:5.1f} s   {told}"


def upgraded(tenant: Tenant, estate: Estate, steps: list[ManualStep], seed: int) -> Upgraded:
    driver = TrytonApiDriver(timeout=120)
    try:
        connection = driver.connect(tenant, Call("clean", "0" * 31 + "1"))
        trade(connection, tenant, random.Random(seed))
        before = connection.books().fingerprint()
        began = time.perf_counter()
        estate.upgrade(tenant.id, "8.0", steps)
        took = time.perf_counter() - began
        connection = driver.connect(tenant, Call("clean", "0" * 31 + "2"))
        after = connection.books().fingerprint()
    finally:
        driver.close()
    archetype = estate.place(tenant.id).archetype
    return Upgraded(tenant.id, archetype, before, took, tuple(compare(before, after)))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.bench.clean_upgrades", description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--estate", default="clean", help="its tenants get fresh books")
    parser.add_argument("--tenants", type=int, default=10, help="how many, at most 24")
    parser.add_argument("--seed", type=int, default=1, help="chooses what the tenants did before")
    options = parser.parse_args()
    estate = Estate.at(options.estate)
    with ProgressDisplay(console()) as board:
        estate.up(options.tenants, board, also=["8.0"])
    tenants = Inventory.load(estate.inventory_path).tenants[: options.tenants]
    try:
        estate.reset(*(tenant.id for tenant in tenants))
        steps = [ManualStep(each["name"], each["sql"]) for each in tomllib.loads(RELEASE.read_text())["manual_steps"]]
        alarms = 0
        with ThreadPoolExecutor(AT_ONCE) as pool:
            seeds = range(options.seed, options.seed + len(tenants))
            for each in pool.map(lambda tenant, seed: upgraded(tenant, estate, steps, seed), tenants, seeds):
                print(each, flush=True)
                alarms += bool(each.differences)
    finally:
        estate.down()
    print(f"{len(tenants)} upgrades, {alarms} of them with an alarm")
    raise SystemExit(1 if alarms else 0)


if __name__ == "__main__":
    main()
