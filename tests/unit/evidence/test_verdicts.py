"""A verdict is noted with the digests of what it was made from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ringgate.domain.columns import ResultColumns
from ringgate.domain.terms import Outcome
from ringgate.evidence.verdicts import digest_of_results, digest_of_tenants
from tests.unit.gate.sample import run
from tests.unit.judging.test_judging import INVENTORY
from tests.unit.store.test_store import NOON


def columns(*results) -> ResultColumns:
    return ResultColumns.of(results)


def test_the_digest_of_results_knows_no_order_and_misses_no_change() -> None:
    runs = [run("acme", NOON + timedelta(seconds=n)) for n in range(3)]
    before = digest_of_results(columns(*runs))
    assert digest_of_results(columns(*reversed(runs))) == before
    changed = [
        [*runs, run("acme", NOON)],
        runs[1:],
        [replace(runs[0], started_at=NOON + timedelta(microseconds=1)), *runs[1:]],
        [replace(runs[0], outcome=Outcome.BROKEN), *runs[1:]],
        [replace(runs[0], tenant="other"), *runs[1:]],
        [],
    ]
    digests = {digest_of_results(columns(*each)) for each in changed}
    assert len(digests | {before}) == len(changed) + 1


def test_the_digest_of_a_part_of_the_inventory_is_that_of_its_tenants_in_any_order() -> None:
    tenants = INVENTORY.tenants
    assert digest_of_tenants(tenants) == digest_of_tenants(tenants[::-1])
    assert digest_of_tenants(tenants) != digest_of_tenants([replace(tenants[0], language="fr"), *tenants[1:]])
