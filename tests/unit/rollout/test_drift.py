"""Drift: each kind of difference is told, what is explained is not, and in a rollout it pauses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

from ringgate.domain.waivers import Waiver
from ringgate.fingerprint.model import ErpSetting, Fingerprint, RoleRights, User
from ringgate.inventory import Inventory
from ringgate.rollout.drift import TenantState, against_inventory, among_cohort, between, judged
from ringgate.rollout.drift_reading import keep_states, kept_states
from ringgate.rollout.record import Objection
from ringgate.rollout.release_tables import ConditionsTable, RolloutAction
from ringgate.rollout.stages.drifted import drifted

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 11, 28)
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def state(tenant: str, version: str = "7.0.31", **more: object) -> TenantState:
    books = Fingerprint(
        tenant, "7.0", NOW, 1.0, TODAY, "EUR", extensions=("account", "project"),
        roles=(RoleRights("accountant", "Accountant", ("invoices: post",)),),
        users=(User("synthetic.auditor", True, ("auditor",), ("invoices: read",)),),
        settings=(ErpSetting("accounting", "tax rounding", "line"),),
    )  # fmt: skip
    return TenantState(replace(books, **more), version)


def three(*cohorts: str):
    known = Inventory.load(ROOT / "tenants").tenants[:3]
    return [replace(each, cohorts=cohorts or ("emea",), extensions={}) for each in known]


def test_one_of_a_cohort_that_differs_is_told_with_whom():
    tenants = three()
    states = {each.id: state(each.id) for each in tenants}
    odd = tenants[1].id
    rights = (RoleRights("accountant", "Accountant", ("invoices: post", "invoices: delete")),)
    states[odd] = state(odd, "7.0.30", extensions=("account",), roles=rights)
    found = among_cohort("emea", states, tenants)
    assert {each.tenant for each in found} == {odd}
    assert {each.signature for each in found} == {
        "cohort emea: version server", "cohort emea: extension project",
        "cohort emea: right accountant invoices: delete",
    }  # fmt: skip
    version = next(each for each in found if each.kind == "version")
    assert (version.here, version.there[:9]) == ("it is 7.0.30 here", "7.0.31 on")


def test_two_that_differ_are_both_told():
    tenants = three()[:2]
    states = {tenants[0].id: state(tenants[0].id), tenants[1].id: state(tenants[1].id, "7.0.30")}
    assert [each.tenant for each in among_cohort("emea", states, tenants)] == [each.id for each in tenants]


def test_an_extension_that_the_inventory_states_is_explained():
    tenants = three()
    tenants[0] = replace(tenants[0], extensions={"sale": "7.0"})
    states = {each.id: state(each.id) for each in tenants}
    states[tenants[0].id] = state(tenants[0].id, extensions=("account", "project", "sale"))
    assert among_cohort("emea", states, tenants) == []


def test_staging_is_compared_with_production_by_versions_settings_and_rights():
    here = state("acme")
    there = state(
        "acme", "7.0.29", settings=(ErpSetting("accounting", "tax rounding", "document"),),
        users=(User("synthetic.auditor", False, (), ()),),
    )  # fmt: skip
    found = between(here, there, "in staging")
    assert [each.signature for each in found] == [
        "in staging right user synthetic.auditor", "in staging setting accounting tax rounding",
        "in staging version server",
    ]  # fmt: skip
    assert between(here, here, "in staging") == []


def test_what_a_release_says_it_changes_is_explained_and_nothing_else():
    before, after = state("acme"), state("acme", "8.0.1", series="8.0", extensions=("account",))
    found = between(after, before, "before", explained=("version", "surface"))
    assert [each.signature for each in found] == ["before extension project"]


def test_the_inventory_is_compared_but_not_its_flags():
    tenant = Inventory.load(ROOT / "tenants").tenant("aldgate")
    later = date(2030, 1, 1)  # its flag has ended by then
    found = against_inventory(tenant, state("aldgate"), later, "8.0")
    keys = {each.signature for each in found}
    assert "inventory series" in keys
    assert "inventory extensions.account_payment" in keys
    assert not [each for each in keys if "features" in each]


def test_a_waiver_explains_until_it_ends():
    found = between(state("acme"), state("acme", "7.0.29"), "in staging")
    waiver = Waiver("in staging version *", "ops", "staging lags by a day", TODAY, tenant="acme")
    assert judged(found, [waiver], TODAY).open == ()
    late = judged(found, [waiver], date(2026, 11, 29))
    assert (len(late.open), len(late.expired)) == (1, 1)


def test_what_is_kept_is_read_again(tmp_path):
    states = {"acme": state("acme"), "beta": state("beta", "")}
    keep_states(states, tmp_path / "kept")
    assert kept_states(tmp_path / "kept") == states


def test_in_a_rollout_unexplained_drift_pauses_and_what_is_explained_does_not():
    tenant = Inventory.load(ROOT / "tenants").tenant("bleecker")
    books = state("bleecker").fingerprint

    def found(*waivers: Waiver):
        conditions = ConditionsTable()
        release = SimpleNamespace(drift=waivers, id="r", table=SimpleNamespace(conditions=conditions))
        ledger = SimpleNamespace(clock=lambda: datetime.now(UTC))
        context = SimpleNamespace(release=release, ledger=ledger, objection=lambda condition, whom, words: Objection(
            condition=condition, action=conditions.action(condition), tenant=whom.id, sentence=words))  # fmt: skip
        return drifted(context, tenant, books, "before the upgrade", "8.0")

    told = found()
    assert {each.action for each in told} == {RolloutAction.PAUSE}
    assert told[0].sentence.startswith("Not as the inventory says before the upgrade: inventory series")
    assert found(Waiver("inventory *", "ops", "a sample", date(2099, 1, 1))) == []
