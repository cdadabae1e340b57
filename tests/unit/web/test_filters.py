"""Of many tenants those are shown that are asked for, what is wrong first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ringgate.domain.terms import Outcome
from ringgate.metrics.figures import Last
from ringgate.web.cells import MOST_TENANTS, LiveTable, table
from ringgate.web.filters import TenantFilter
from tests.support.samples import tenant

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TENANTS = [
    tenant(
        f"t{n:03}", ring=("canary", "broad")[n % 2], region=("eu-west", "us-east")[n % 3 == 0],
        cohorts=("emea",) * (n % 5 == 0),
    )
    for n in range(200)
]  # fmt: skip
TENANTS[150] = replace(TENANTS[150], paused_until=date(2027, 1, 1), paused_reason="year-end")


def shown(**wanted: object) -> LiveTable:
    last = {(each.id, "time-entry", "api"): Last(NOW, Outcome.PASSED, 1.0, each.ring, "8.0") for each in TENANTS}
    last["t077", "time-entry", "api"] = Last(NOW, Outcome.FAILED, 1.0, "broad", "8.0")
    last["t078", "time-entry", "api"] = Last(NOW, Outcome.BROKEN, 1.0, "canary", "8.0")
    last["t079", "time-entry", "api"] = Last(NOW - timedelta(hours=9), Outcome.FAILED, 1.0, "broad", "8.0")
    del last["t080", "time-entry", "api"]
    return table(TENANTS, last, [], NOW, wanted=TenantFilter(**wanted))  # type: ignore[arg-type]


def names(found: LiveTable) -> list[str]:
    heads = found.across if found.corner == "Process" else [head for head, _ in found.rows]
    return [each.name for each in heads]


def test_what_is_wrong_stands_first() -> None:
    found = shown()
    assert names(found)[:6] == ["t077", "t078", "t079", "t080", "t150", "t000"]
    assert found.states == {"failing": 1, "broken": 1, "old": 1, "never": 1, "paused": 1, "well": 195}
    assert (found.matching, found.pages, len(found.rows)) == (200, 4, MOST_TENANTS)


def test_every_tenant_is_on_one_page() -> None:
    pages = [names(shown(page=number)) for number in range(1, 5)]
    assert sorted(name for page in pages for name in page) == sorted(each.id for each in TENANTS)
    assert names(shown(page=99)) == pages[-1]


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ({"search": "T07"}, 10),
        ({"ring": "canary"}, 100),
        ({"region": "us-east"}, 67),
        ({"cohort": "emea"}, 40),
        ({"cohort": "emea", "ring": "canary", "region": "us-east"}, 7),
        ({"state": "failing"}, 1),
        ({"state": "well", "search": "t07"}, 7),
        ({"search": "nobody"}, 0),
    ],
)
def test_it_is_narrowed_by_what_is_asked_for(wanted: dict[str, str], number: int) -> None:
    assert shown(**wanted).matching == number


def test_whatever_stands_in_an_address_is_a_filter() -> None:
    said = {"q": " acme ", "ring": "early", "state": "wonderful", "page": "-3", "cohort": "x" * 500}
    assert TenantFilter.of_query(said) == TenantFilter("acme", "early", "x" * 80, "", "", 1)
    assert TenantFilter.of_query({"page": "²"}).page == 1
    assert TenantFilter("a&b", state="old").query(2) == "?q=a%26b&state=old&page=2"
