"""A surface comes back from its text as it went, one that was kept before, too; what is damaged is refused in words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ringgate.surface.encoding import SurfaceUnreadable, dumps, loads
from ringgate.surface.model import SurfaceField
from tests.unit.surface.test_surface import BEFORE, BILL, CASES

OLD = Path(__file__).with_name("version_2.json").read_text(encoding="utf-8")
"""As Ringgate wrote it by hand, field by field."""


def test_a_surface_comes_back_as_it_went_and_always_the_same() -> None:
    assert loads(dumps(BEFORE)) == BEFORE
    assert dumps(loads(dumps(BEFORE))) == dumps(BEFORE)
    assert loads(dumps(CASES["model hidden"])) == CASES["model hidden"]
    assert loads(dumps(BEFORE)).taken_at == BEFORE.taken_at


def test_a_surface_that_was_kept_before_is_read() -> None:
    hidden = CASES["model hidden"]
    all_said = replace(BILL, fields={"n": SurfaceField("char", "", True, True, "a", None, "y")})
    kept = replace(hidden, models={**hidden.models, "bill.line": BILL, "x": all_said})
    assert loads(OLD) == kept
    assert loads(dumps(kept)) == kept


def test_the_text_has_a_line_for_each_fact_in_a_stable_order() -> None:
    assert dumps(BEFORE).splitlines()[:3] == ["{", '"erp": "tryton",', '"format": "ringgate surface",']
    assert '"draft",\n"posted"' in dumps(BEFORE)


def damaged(path: str, value: object) -> str:
    """The old text with another value at a path; without the key where `value` is None."""
    told = json.loads(OLD)
    *way, last = path.split("/")
    inner = told
    for key in way:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return json.dumps(told)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "f.json is not JSON"),
        ("{}", "f.json is not a surface"),
        ("[]", "f.json is not a surface"),
        (damaged("version", 9), "of version 9, not 2"),
        (damaged("wizards", None), r"damaged surface \(wizards: Field required"),
        (damaged("models/x/rights", None), r"damaged surface \(models\.x\.rights: Field required"),
        (damaged("grammar/reads", None), r"damaged surface \(grammar\.reads: Field required"),
        (damaged("models/x/rights/nobody", ["read"]), r"damaged surface \(models\.x\.rights\.nobody"),
        (damaged("models/x/fields/n/size", 7), r"damaged surface \(models\.x\.fields\.n\.size: Unexpected"),
        (damaged("taken_at", "soon"), r"damaged surface \(taken_at: "),
        (damaged("models", {key: {"label": "A"} for key in "abcdefg"}), "and 23 more"),
    ],
)
def test_another_text_is_refused(text: str, said: str) -> None:
    with pytest.raises(SurfaceUnreadable, match=said):
        loads(text, "f.json")
