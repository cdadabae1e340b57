"""Half an hour of a prober on four tenants of a real ERP, all processes, both channels, killed at random moments.

    make soak                              # or: python -m tests.evaluation.soak --minutes 3 --kills 1

Ends with 0 if, at the end, every run that began has exactly one result, nothing is left in the ERP, every trial balance
and every open document is as before, no run failed that nobody broke, and memory did not grow.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from ringgate.domain.model import RunResult, Tenant
from ringgate.domain.terms import Outcome
from ringgate.drivers.protocol import Call
from ringgate.drivers.tryton.api.driver import TrytonApiDriver
from ringgate.estate import Estate
from ringgate.inventory import Inventory
from ringgate.store import Store
from tests.evaluation.soak import inventory
from tests.evaluation.soak.lives import Life, Lives, growth

GROWTH_AT_MOST_MIB = 8.0
LONG_ENOUGH = 480.0
"""Seconds of life from which on growth of memory is judged."""

ALL = 19
"""Processes over the API, and those of them over the browser."""

MARKED = "SELECT description FROM account_invoice WHERE description LIKE '%%[RG-%%'"
RUN_ID = re.compile(r"\[RG-([a-z0-9]{12})-")


def books(tenants: Sequence[Tenant]) -> dict[str, object]:
    """Every tenant's trial balance and open documents."""
    driver = TrytonApiDriver()
    found: dict[str, object] = {}
    try:
        for tenant in tenants:
            connection = driver.connect(tenant, Call("books", "0" * 32))
            read = connection.books()
            balance = {account: str(amount) for account, amount in read.trial_balance().items()}
            found[tenant.id] = (balance, read.open_documents())
            connection.close()
    finally:
        driver.close()
    return found


def documents(estate: Estate, tenants: Sequence[Tenant]) -> set[str]:
    """The runs whose invoices stand in the ERP: what it says itself of who was there."""
    found: set[str] = set()
    for tenant in tenants:
        with estate.sql(tenant.id) as database:
            rows = database.execute(MARKED).fetchall()
            found.update(match[1] for (text,) in rows if (match := RUN_ID.search(text)))
    return found


def moments(rng: random.Random, seconds: float, kills: int) -> list[float]:
    """When it is killed: at random, in the first three quarters, apart by ten seconds at least."""
    while True:
        found = sorted(rng.uniform(0.05, 0.75) * seconds for _ in range(kills))
        if all(b - a >= 10 for a, b in pairwise(found)):
            return found


def live(lives: Lives, seconds: float, kills: Sequence[float], rng: random.Random) -> None:
    began = time.monotonic()
    lives.start()
    for number, moment in enumerate([*kills, seconds], start=1):
        while time.monotonic() - began < moment:
            assert lives.alive, "the prober ended by itself"
            time.sleep(0.05)
        if number <= len(kills):
            print(f"{time.monotonic() - began:7.1f} s  kill -9, number {number}", flush=True)
            lives.kill()
            time.sleep(rng.uniform(0, 3))
            lives.start()
    lives.stop()


class Judge:
    """Says of each condition whether it is met."""

    def __init__(self) -> None:
        self.met = True

    def __call__(self, what: str, met: bool, detail: object = "") -> None:
        self.met = self.met and met
        print(f"{'ok    ' if met else 'BROKEN'} {what}{f': {detail}' if detail != '' else ''}")


def judge(say: Judge, lives: Lives, results: Sequence[RunResult], documented: set[str], long: bool) -> None:
    """What the runs came to, and whether each is in the store once. `long`: there was time for all of them."""
    ids = Counter(result.run_id for result in results)
    kinds = Counter(result.failure.kind if result.failure else str(result.outcome) for result in results)
    say("runs", len(results) > 0, ", ".join(f"{number} {kind}" for kind, number in kinds.most_common()))
    begun = set().union(*(life.begun for life in lives.lives))
    say("none counted twice", max(ids.values()) == 1)
    say("every run that a killed prober began has a result", begun <= set(ids), f"{len(begun)} began, "
        f"{len(begun - set(ids))} are missing")  # fmt: skip
    say("every run that left a document in the ERP has a result", documented <= set(ids), f"{len(documented)} did, "
        f"{len(documented - set(ids))} are missing")  # fmt: skip
    stored = Counter((r.tenant, r.scenario, r.channel.value, r.outcome.value) for r in results)
    untold = lives.told - stored
    say("every run that was told of has a result", not untold, f"{lives.told.total()} told, {untold.total()} missing")
    failed = [r for r in results if r.outcome is Outcome.FAILED]
    ours = [r for r in results if r.outcome is Outcome.BROKEN and r.failure and r.failure.kind not in _EXPECTED]
    say("no run failed", not failed, "; ".join(map(_why, failed[:3])))
    say("none broke but those that were killed", not ours, "; ".join(map(_why, ours[:3])))
    shown = {(r.scenario, r.channel.value) for r in results if r.outcome is Outcome.PASSED}
    tenants = {r.tenant for r in results if r.outcome is Outcome.PASSED}
    told = f"{len(shown)} processes by channel on {len(tenants)} tenants"
    say("all processes, both channels, all tenants", len(tenants) == 4 and (len(shown) >= ALL or not long), told)


_EXPECTED = {"killed", "stopped"}


def _why(result: RunResult) -> str:
    assert result.failure
    return f"{result.tenant} {result.scenario} {result.channel}: {result.failure.step}: {result.failure.message}"


def memory(say: Judge, lives: Sequence[Life]) -> None:
    longest = max(lives, key=lambda life: life.own[-1][0])
    seconds = longest.own[-1][0]
    (size, more), (whole, browsers) = growth(longest.own), growth(longest.whole)
    told = f"{size:.0f} MiB, {more:+.1f} later in a life of {seconds:.0f} s; with browsers {whole:.0f}, {browsers:+.1f}"
    say("memory is flat" if seconds >= LONG_ENOUGH else "memory (too short a life to judge)",
        seconds < LONG_ENOUGH or more <= GROWTH_AT_MOST_MIB, told)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--every", type=int, default=180, help="seconds between runs of a process on a tenant")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--estate", default="soak", help="its first four tenants are soaked")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ringgate-soak-") as folder:
        raise SystemExit(0 if _soaked(Path(folder), options) else 1)


def _soaked(folder: Path, options: argparse.Namespace) -> bool:
    estate, rng, state = Estate.at(options.estate), random.Random(options.seed), folder / "state"
    tenants = Inventory.load(inventory.write(estate.inventory_path, folder / "tenants", options.every)).tenants
    environment = {**os.environ, "RINGGATE_STATE": str(state), "PYTHONUNBUFFERED": "1"}
    kills = moments(rng, options.minutes * 60, options.kills)
    print(f"seed {options.seed}: {options.minutes:g} minutes, killed after {', '.join(f'{k:.0f}' for k in kills)} s")
    before, known = books(tenants), documents(estate, tenants)
    lives = Lives(folder / "tenants", state, environment)
    live(lives, options.minutes * 60, kills, rng)

    say = Judge()
    store = Store(f"sqlite:///{state}/results.sqlite")
    judge(say, lives, store.results(), documents(estate, tenants) - known, options.minutes >= 20)
    say("it stopped as it was told", lives.lives[-1].code == 0, f"exit {lives.lives[-1].code}")
    say("no browser outlived its prober", not sum(life.orphans for life in lives.lives))
    left = [path.name for room in ("journal", "spool") for path in (state / room).glob("*")]
    say("nothing is left in journal and spool", not left, len(left) or "")
    say("recover finds nothing", _recover(folder / "tenants", environment).startswith("Nothing to recover"))
    _compare(say, before, lambda: books(tenants))
    memory(say, lives.lives)
    counted: Counter[str] = Counter()
    for (what, *_), number in store.counters().items():
        counted[what] += number
    print(f"       counters: {dict(counted)}")
    store.close()
    return say.met


def _compare(say: Judge, before: dict[str, object], again: Callable[[], dict[str, object]]) -> None:
    after = again()
    changed = [tenant for tenant, told in before.items() if after[tenant] != told]
    say("trial balances and open documents are as before", not changed, ", ".join(changed))


def _recover(tenants: Path, environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "ringgate.cli", "recover", "--inventory", str(tenants), "--settle", "0"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    main()
