"""Few tenants that show every pair of properties."""

from __future__ import annotations

from itertools import combinations, product

from ringgate.inventory.canary_set import properties, proposed
from tests.support.samples import GBP, JPY, policy, tenant

FLEET = [
    tenant(f"t{n:02}", language=language, region=region, policy=policy(currency=currency))
    for n, (language, region, currency) in enumerate(product(("en", "de", "ja"), ("eu", "us", "ap"), (GBP, JPY)))
]


def test_every_pair_that_any_tenant_has_is_shown_by_few():
    found = proposed(FLEET)
    chosen = [each.tenant for each in found.tenants]
    wanted = {pair for each in FLEET for pair in combinations(sorted(properties(each)), 2)}
    shown = {pair for each in chosen for pair in combinations(sorted(properties(each)), 2)}
    assert (shown, found.uncovered, found.pairs) == (wanted, (), len(wanted))
    assert 9 <= len(chosen) <= 12  # languages times regions is the fewest that can be
    assert sum(len(each.adds) for each in found.tenants) == len(wanted)
    assert proposed(list(reversed(FLEET))) == found


def test_twins_are_not_both_proposed():
    assert [each.tenant.id for each in proposed([tenant("b"), tenant("a")]).tenants] == ["a"]


def test_a_limit_leaves_the_rest_uncovered_and_says_so():
    found = proposed(FLEET, most=2)
    assert len(found.tenants) == 2
    assert len(found.uncovered) == found.pairs - sum(len(each.adds) for each in found.tenants) > 0


def test_nobody_is_proposed_of_nobody():
    assert proposed([]).tenants == ()
