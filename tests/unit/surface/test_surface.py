"""Two surfaces compared: each kind of change found and classed, renames guessed, use weighed, order, text, waivers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ringgate.domain.terms import Role
from ringgate.surface import RULES, Severity, SurfaceChange, compare
from ringgate.surface.accepted import AcceptedMistake, judge, read_accepted
from ringgate.surface.model import (
    Grammar,
    Model,
    Surface,
    SurfaceField,
    call,
    reading,
    writing,
)
from ringgate.surface.usage import Index

ALL = frozenset({"read", "write", "create", "delete", "press post"})
LINE = Model("Line", {"amount": SurfaceField("numeric", "Amount")}, frozenset({"read"}), frozenset(), {})
BILL = Model(
    "Bill",
    {
        "number": SurfaceField("char", "Number"),
        "lines": SurfaceField("one2many", "Lines", relation="bill.line"),
        "state": SurfaceField("selection", "State", selection=frozenset({"draft", "posted"})),
        "how": SurfaceField("selection", "How", required_when="x"),
    },
    frozenset({"read", "create", "post"}),
    frozenset({"post"}),
    {Role.ACCOUNTANT: ALL},
)
BEFORE = Surface(
    "acme", "tryton", "7.0", datetime(2026, 11, 22, tzinfo=UTC), {"call path": "/{database}/"},
    {"bill": BILL, "bill.line": LINE}, {"bill.pay": frozenset({"create"})}, {"bill.print": frozenset({"execute"})},
    Grammar("model.", "wizard.", "report.", frozenset({"read", "search_read"}), frozenset({"create"})),
)  # fmt: skip


def after(**changes: object) -> Surface:
    """The surface afterwards: the bill with these attributes."""
    return replace(BEFORE, series="8.0", models={**BEFORE.models, "bill": replace(BILL, **changes)})


def fields(**changes: SurfaceField | None) -> Surface:
    """The surface afterwards: the bill with these fields, None for gone."""
    kept = {**(BILL.fields or {}), **changes}
    return after(fields={name: field for name, field in kept.items() if field is not None})


NUMBER, STATE = (
    SurfaceField("char", "Number"),
    SurfaceField("selection", "State", selection=frozenset({"draft", "posted"})),
)
RIGHTS = {Role.ACCOUNTANT: ALL}
CASES = {
    "wire changed": replace(BEFORE, wire={"call path": "/{database}/rpc/"}),
    "model removed": replace(BEFORE, models={"bill": BILL}),
    "model renamed": replace(BEFORE, models={"bill": BILL, "invoice.line": LINE}),
    "model added": replace(BEFORE, models={**BEFORE.models, "tip": Model("Tip", {}, frozenset(), frozenset(), {})}),
    "model hidden": after(fields=None),
    "field removed": fields(number=None),
    "field renamed": fields(number=None, code=NUMBER),
    "field added": fields(note=SurfaceField("text", "Note")),
    "required field added": fields(note=SurfaceField("text", "Note", required=True)),
    "type changed": fields(number=replace(NUMBER, type="integer")),
    "type changed alike": fields(number=replace(NUMBER, type="text")),
    "relation changed": fields(lines=SurfaceField("one2many", "Lines", relation="bill")),
    "became required": fields(number=replace(NUMBER, required=True)),
    "became readonly": fields(number=replace(NUMBER, readonly=True)),
    "condition of required changed": fields(how=SurfaceField("selection", "How", required_when="y")),
    "selection value removed": fields(state=replace(STATE, selection=frozenset({"draft"}))),
    "selection value added": fields(state=replace(STATE, selection=frozenset({"draft", "posted", "paid"}))),
    "selection computed": fields(state=replace(STATE, selection=None)),
    "label changed": fields(number=replace(NUMBER, label="No.")),
    "method removed": after(methods=frozenset({"read", "create"})),
    "method added": after(methods=BILL.methods | {"pay"}),
    "button removed": after(buttons=frozenset()),
    "button added": after(buttons=BILL.buttons | {"pay"}),
    "wizard removed": replace(BEFORE, wizards={}),
    "wizard added": replace(BEFORE, wizards={**BEFORE.wizards, "x": frozenset()}),
    "report removed": replace(BEFORE, reports={}),
    "report added": replace(BEFORE, reports={**BEFORE.reports, "x": frozenset()}),
    "right revoked": after(rights={Role.ACCOUNTANT: ALL - {"delete"}}),
}
BACK = {  # the same the other way round
    "model shown": CASES["model hidden"],
    "became optional": CASES["became required"],
    "became writable": CASES["became readonly"],
    "selection listed": CASES["selection computed"],
    "right granted": CASES["right revoked"],
}


def test_every_rule_has_a_case():
    assert set(CASES) | set(BACK) == set(RULES)


@pytest.mark.parametrize("kind", CASES)
def test_this_change_alone_is_found(kind):
    (change,) = compare(BEFORE, CASES[kind], {})
    assert (change.kind, change.klass) == (kind, RULES[kind][0])
    assert RULES[kind][1] in change.sentence


@pytest.mark.parametrize("kind", BACK)
def test_this_change_the_other_way_round_is_found(kind):
    (change,) = compare(BACK[kind], BEFORE, {})
    assert change.kind == kind


def test_what_did_not_change_is_no_change():
    assert compare(BEFORE, replace(BEFORE, taken_at=datetime(2027, 1, 1, tzinfo=UTC)), {}) == []


def test_a_rename_that_could_be_two_fields_is_no_guess():
    kinds = [c.kind for c in compare(BEFORE, fields(number=None, code=NUMBER, name=NUMBER), {})]
    assert sorted(kinds) == ["field added", "field added", "field removed"]


# --- use ------------------------------------------------------------------------------------------------------------


def uses(change: SurfaceChange) -> dict[str, int]:
    return dict(change.uses)


def test_a_field_at_the_end_of_a_path_is_used():
    gone = replace(BEFORE, models={"bill": BILL, "bill.line": replace(LINE, fields={})})
    (change,) = compare(BEFORE, gone, {reading("auditor", "bill", "lines.amount"): {"s over api": 3}})
    assert (change.signature, uses(change)) == ("field removed bill.line.amount", {"s over api": 3})


def test_a_run_that_touches_a_field_in_two_ways_counts_once():
    usage = {reading("auditor", "bill", "number"): {"s": 2}, writing("accountant", "bill", "number"): {"s": 2}}
    assert uses(compare(BEFORE, CASES["field removed"], usage)[0]) == {"s": 2}


def test_a_field_that_is_required_now_matters_to_those_who_make_records_without_it():
    usage = {call("accountant", "model.bill.create"): {"with": 1, "without": 1}}
    usage[writing("accountant", "bill", "number")] = {"with": 1}
    assert uses(compare(BEFORE, CASES["became required"], usage)[0]) == {"without": 1}


def test_a_field_that_is_readonly_now_matters_to_those_who_write_it():
    usage = {reading("auditor", "bill", "number"): {"reads": 1}, writing("accountant", "bill", "number"): {"writes": 1}}
    assert uses(compare(BEFORE, CASES["became readonly"], usage)[0]) == {"writes": 1}


@pytest.mark.parametrize(("role", "used"), [("accountant", True), ("approver", False)])
def test_a_right_matters_to_the_role_that_used_it(role, used):
    usage = {call(role, "model.bill.delete"): {"s": 1}}
    assert compare(BEFORE, CASES["right revoked"], usage)[0].used is used


def test_a_right_to_read_matters_to_a_role_that_reads_by_a_path():
    held = {Role.AUDITOR: frozenset({"read"})}
    before = replace(BEFORE, models={"bill": BILL, "bill.line": replace(LINE, rights=held)})
    now = replace(BEFORE, models={"bill": BILL, "bill.line": replace(LINE, rights={Role.AUDITOR: frozenset()})})
    assert compare(before, now, {reading("auditor", "bill", "lines.amount"): {"s": 1}})[0].used


def test_a_wire_that_changed_is_used_by_all_and_told_once():
    before = replace(BEFORE, wire={"call path": "/a/", "login answer": "2 items"})
    now = replace(BEFORE, wire={"call path": "/b/", "login answer": "3 items"})
    (change,) = compare(before, now, {call("auditor", "model.bill.read"): {"s": 1}})
    assert change.used
    assert change.signature == "wire changed"


def test_used_comes_before_unused_breaking_before_risky_and_compatible_last():
    now = replace(
        fields(
            number=None, state=replace(STATE, selection=frozenset({"draft", "posted", "paid"})), n=SurfaceField("char")
        ),
        wizards={},
    )
    now = replace(now, models={**now.models, "bill": replace(now.models["bill"], buttons=frozenset())})
    usage = {reading("auditor", "bill", "number"): {"s": 1}, reading("auditor", "bill", "state"): {"s": 9}}
    kinds = [change.kind for change in compare(BEFORE, now, usage)]
    assert kinds[:4] == ["field removed", "selection value added", "wizard removed", "button removed"]
    assert kinds[-1] == "field added"


# --- accepted -------------------------------------------------------------------------------------------------------

WAIVER = """
[[accepted]]
tenant = "*"
signature = "field removed bill.*"
owner = "qa"
reason = "the driver knows"
expires = 2026-12-31
"""


def test_a_change_is_accepted_until_its_waiver_ends(tmp_path: Path):
    (tmp_path / "a.toml").write_text(WAIVER)
    waivers, changes = read_accepted(tmp_path / "a.toml"), compare(BEFORE, CASES["field removed"], {})
    judged = judge(changes, waivers, "acme", date(2026, 12, 31))
    assert (judged.open, len(judged.accepted)) == ((), 1)
    judged = judge(changes, waivers, "acme", date(2027, 1, 1))
    assert (len(judged.open), len(judged.expired)) == (1, 1)
    assert judge([], waivers, "acme", date(2026, 12, 1)).idle == waivers


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path):
    (tmp_path / "a.toml").write_text(WAIVER.replace("owner", "ownr").replace("2026-12-31", '"soon"'))
    with pytest.raises(AcceptedMistake) as told:
        read_accepted(tmp_path / "a.toml")
    for words in (
        "accepted[0].owner: is required",
        "accepted[0].ownr: is not a known key; did you mean owner?",
        "accepted[0].expires: must be a date",
    ):
        assert words in str(told.value)


def test_the_classes_are_in_order_of_weight():
    assert list(Severity) == ["breaking", "risky", "compatible"]


def test_calls_are_found_by_the_grammar_that_the_erp_has():
    """An ERP whose calls carry no word for their kind: the surface tells what a call is on."""
    other = replace(BEFORE, grammar=Grammar("", "", "", reads=frozenset({"web_read"}), creates=frozenset({"web_save"})))
    usage = {
        call(Role.ACCOUNTANT, "bill.post"): {"billing": 2},
        call(Role.ACCOUNTANT, "bill.web_save"): {"making": 1},
        call(Role.ACCOUNTANT, "bill.line.web_read"): {"reading": 3},
        call(Role.ACCOUNTANT, "somewhere.else.do"): {"elsewhere": 1},
    }
    index = Index(usage, other)
    assert index.of_method("model", "bill", "post") == {"billing": 2}
    assert index.of_making("bill") == {"making": 1}
    assert index.of_object("model", "bill.line") == {"reading": 3}
    assert index.of_right(Role.ACCOUNTANT, "bill.line", "read") == {"reading": 3}
    assert index.of_object("model", "somewhere.else") == {}
