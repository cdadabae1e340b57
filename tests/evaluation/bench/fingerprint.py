"""How long a fingerprint takes of a tenant with 10,000 postings more than it has; the tenant gets fresh books after.

python -m tests.evaluation.bench.fingerprint --estate demo --tenant aldgate
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace

from ringgate.domain.model import Tenant
from ringgate.drivers.protocol import Call
from ringgate.drivers.tryton.api.driver import TrytonApiDriver
from ringgate.estate import Estate
from ringgate.fingerprint import compare, files
from ringgate.fingerprint.model import Fingerprint
from ringgate.inventory import Inventory

SECONDS_AT_MOST = 10.0
POSTINGS = """
    WITH model AS (
        SELECT m.* FROM account_move m JOIN account_period p ON p.id = m.period
        WHERE m.state = 'posted' AND m.origin LIKE 'account.invoice,%%' AND p.state = 'open' ORDER BY m.id LIMIT 1
    ), made AS (
        INSERT INTO account_move ({numbers}, date, period, journal, state, company)
        SELECT {values}, date, period, journal, 'draft', company FROM model, generate_series(1, %s) n
        RETURNING id
    )
    INSERT INTO account_move_line (move, account, party, debit, credit, description, maturity_date, state)
    SELECT made.id, l.account, l.party, l.debit, l.credit, l.description, l.maturity_date, l.state
    FROM made, account_move_line l WHERE l.move = (SELECT id FROM model)
"""
AS_POSTED = "UPDATE account_move SET state = 'posted' WHERE state = 'draft' AND {number} LIKE 'BENCH/%%'"


def fill(estate: Estate, tenant: str, count: int) -> None:
    """Balanced postings, copies of one of the tenant's own."""
    with estate.sql(tenant) as database:
        asked = "SELECT 1 FROM information_schema.columns WHERE table_name = 'account_move' AND column_name = %s"
        number = "post_number" if database.execute(asked, ["post_number"]).fetchone() else "number"
        columns = ["number", "post_number"] if number == "post_number" else ["number"]
        copied = {"numbers": ", ".join(columns), "values": ", ".join(["'BENCH/' || n"] * len(columns))}
        database.execute(POSTINGS.format(**copied).encode(), [count])
        database.execute(AS_POSTED.format(number=number).encode())
        database.execute("ANALYZE")


def take(driver: TrytonApiDriver, tenant: Tenant) -> tuple[float, Fingerprint]:
    connection = driver.connect(tenant, Call("bench", "0" * 31 + "1"))
    try:
        began = time.perf_counter()
        found = connection.books().fingerprint()
        return time.perf_counter() - began, found
    finally:
        connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.bench.fingerprint", description=__doc__)
    parser.add_argument("--estate", default="demo")
    parser.add_argument("--tenant", default="aldgate", help="its books are made anew afterwards")
    parser.add_argument("--postings", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    estate = Estate.at(options.estate)
    tenant = Inventory.load(estate.inventory_path).tenant(options.tenant)
    driver = TrytonApiDriver(timeout=60)
    try:
        fill(estate, tenant.id, options.postings)
        taken = [take(driver, tenant) for _ in range(options.times)]
        last = taken[-1][1]
        began = time.perf_counter()
        text = files.dumps(last)
        again = files.loads(text)
        written = time.perf_counter() - began
        began = time.perf_counter()
        lost = compare(last, replace(again, entries=again.entries[1:]))
        compared = time.perf_counter() - began
    finally:
        driver.close()
        estate.reset(tenant.id)
    seconds = [each for each, _ in taken]
    lines = sum(len(entry.lines) for entry in last.entries)
    print(f"{len(last.entries)} postings with {lines} lines: taken in {' '.join(f'{each:.2f}' for each in seconds)} s, "
          f"median {statistics.median(seconds):.2f} (at most {SECONDS_AT_MOST:.0f})")  # fmt: skip
    print(f"written and read back ({len(text) / 2**20:.1f} MiB) in {written:.2f} s; compared in {compared:.2f} s, "
          f"{len(lost)} difference(s): {lost[0].cause if lost else '-'}")  # fmt: skip
    raise SystemExit(0 if statistics.median(seconds) <= SECONDS_AT_MOST else 1)


if __name__ == "__main__":
    main()
