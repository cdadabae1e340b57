"""A verdict is noted with the digests of what it was made from."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ringgate.domain.columns import ResultColumns
from ringgate.domain.terms import Outcome
from ringgate.evidence.canonical import canonical, digest_of_text
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


def as_documented(results: ResultColumns) -> str:
    """The digest by its definition, a run at a time."""
    labels = [canonical(results.labels[key]) for key in results.records["labels"]]
    shapes = [canonical(results.shapes[key]) for key in results.records["shape"]]
    told = hashlib.sha256()
    for texts in (labels, shapes):
        told.update(digest_of_text(canonical(sorted(set(texts)))).encode())
    places = [[sorted(set(texts)).index(text) for text in texts] for texts in (labels, shapes)]
    for started, label, shape in sorted(zip(results.records["started"].tolist(), *places, strict=True)):
        told.update(struct.pack("<IIq", label, shape, started))
    return told.hexdigest()


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3) | st.integers(-(2**62), 2**62),
            st.sampled_from(["acme", "zeta", "beta"]),
            st.sampled_from(list(Outcome)),
        ),
        max_size=12,
    )
)
def test_the_digest_of_results_is_the_documented_one_over_any_span_of_time(rows: list) -> None:
    found = columns(*(run(tenant, NOON, outcome) for _, tenant, outcome in rows))
    found.records["started"] = [started for started, _, _ in rows]
    assert digest_of_results(found) == as_documented(found)


def test_the_digest_of_a_part_of_the_inventory_is_that_of_its_tenants_in_any_order() -> None:
    tenants = INVENTORY.tenants
    assert digest_of_tenants(tenants) == digest_of_tenants(tenants[::-1])
    assert digest_of_tenants(tenants) != digest_of_tenants([replace(tenants[0], language="fr"), *tenants[1:]])
