"""A release definition is read whole or refused whole, with every mistake named."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ringgate.domain.terms import Channel, Role
from ringgate.inventory import Inventory
from ringgate.rollout.release import ReleaseError, load_release
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.risk_classes import PLANS, Risk

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 11, 24)
SMALLEST = """
id = "r1"
title = "A release"
from = "7.0"
to = "8.0"
risk = "low"
approvers = ["somebody"]
[components.application]
to = "8.0"
"""


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    return Inventory.load(ROOT / "tenants")


@pytest.fixture
def load(tmp_path, inventory):
    def load(text: str):
        path = tmp_path / "release.toml"
        path.write_text(text)
        return load_release(path, inventory, known_series=("7.0", "8.0"), today=TODAY)

    return load


def test_the_release_of_the_demo_is_right(inventory):
    release = load_release(ROOT / "deploy/releases/tryton-7.0-to-8.0.toml", inventory, ("7.0", "8.0"))
    assert [(ring, [tenant.id for tenant in tenants]) for ring, tenants in release.rings] == [
        ("canary", ["aldgate"]),
        ("early", ["bleecker", "cologne"]),
        ("broad", ["kyoto"]),
    ]
    assert [step.name.split(":")[0] for step in release.table.manual_steps] == ["7.2", "7.6"]


def test_a_release_is_for_one_erp_of_an_inventory_of_several(tmp_path, inventory):
    mixed = replace(
        inventory,
        tenants=tuple(replace(each, erp="odoo") if each.id == "kyoto" else each for each in inventory.tenants),
    )
    path = tmp_path / "release.toml"

    def led(text: str):
        path.write_text(text)
        return [tenant.id for tenant in load_release(path, mixed, today=TODAY).tenants]

    assert led(SMALLEST.replace('risk = "low"', 'risk = "low"\nerp = "odoo"')) == ["kyoto"]
    assert led(SMALLEST.replace('risk = "low"', 'risk = "low"\nerp = "tryton"')) == ["aldgate", "bleecker", "cologne"]
    with pytest.raises(ReleaseError, match="erp: is required: the inventory holds tenants of odoo and tryton"):
        led(SMALLEST)
    other = '\n[[exceptions]]\ntenant = "kyoto"\nskip = true\nowner = "qa"\nreason = "x"\nexpires = 2027-01-31\n'
    with pytest.raises(ReleaseError, match=r"exceptions\[0\].tenant: is not in the inventory"):
        led(SMALLEST.replace('risk = "low"', 'risk = "low"\nerp = "tryton"') + other)


def test_what_is_not_said_is_the_safest(load):
    conditions = load(SMALLEST).table.conditions
    after = ("migration", "platform", "process", "isolation", "in_flight")
    assert {getattr(conditions, f"{name}_failed") for name in after} == {RolloutAction.ROLL_BACK}
    assert conditions.fingerprint_drift is RolloutAction.ROLL_BACK
    assert {getattr(conditions, name) for name in ("not_ready", "drill_failed", "surface_broken", "inconclusive")} == {
        RolloutAction.PAUSE
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id = "r1"', 'id = "R 1"', "id: must be lower-case letters"),
        ('title = "A release"', "", "title: is required"),
        ('risk = "low"', 'risk = "huge"', "risk: must be one of low, medium, high"),
        ('approvers = ["somebody"]', "approvers = []", "approvers: must not be empty"),
        ('to = "8.0"\nrisk', 'to = "9.9"\nrisk', "to: is not a series that can be run here; there is 7.0, 8.0"),
        ('from = "7.0"\nto = "8.0"', 'from = "8.0"\nto = "7.0"', "to: is an earlier series than from"),
        ("[components.application]", "[components.aplication]", "components.aplication: is not a known key; did you"),
        ('risk = "low"', 'risk = "low"\npolicy = "none.toml"', "policy: there is no such file beside this one"),
        ('risk = "low"', 'risk = "low"\nerp = "tritn"', "erp: no tenant of the inventory runs it"),
        ('risk = "low"', 'risk = "low"\naccepted = "none.toml"', "accepted: there is no such file beside this one"),
        ("[components.application]", '[components.database]\nartefacts = { dump = "1a" }\n[components.application]',
         'components.database.artefacts.dump: must be a digest as "sha256:" and 64 hexadecimal digits'),
    ],
)  # fmt: skip
def test_one_mistake_one_message(load, old, new, message):
    assert old in SMALLEST
    with pytest.raises(ReleaseError) as told:
        load(SMALLEST.replace(old, new))
    assert any(f"release.toml: {message}" in line for line in str(told.value).splitlines()), str(told.value)


def test_a_right_is_named_once(load):
    right = '[[elevations]]\nname = "x"\nowner = "o"\nreason = "r"\nends = "2 h"\n'
    right += "".join(f'{key} = ["true"]\n' for key in ("grant", "revoke", "check"))
    assert [each.name for each in load(SMALLEST + right).table.elevations] == ["x"]
    with pytest.raises(ReleaseError, match="elevations: two elevations must not have the same name"):
        load(SMALLEST + right * 2)


def test_all_mistakes_of_tables_are_told_at_once(load):
    wrong = SMALLEST + (
        '[[manual_steps]]\nname = "a"\nsql = "SELECT 1"\n[[manual_steps]]\nname = "a"\nsql = ""\n'
        '[[exceptions]]\ntenant = "kyotoo"\nring = "cannary"\nowner = "x"\nreason = "y"\nexpires = 2026-11-23\n'
        '[[exceptions]]\ntenant = "kyoto"\nowner = "x"\nreason = "y"\nexpires = 2027-01-01\n'
        '[conditions]\nprocess_failed = "promote"\nbackground_load_failed = "ignore"\n[background_load]\nevery = "3"\n'
    )
    with pytest.raises(ReleaseError) as told:
        load(wrong)
    lines = str(told.value)
    for message in (
        "manual_steps[1].sql: must not be empty",
        'manual_steps: two steps must not have the same name (got "a")',
        "exceptions[0].tenant: is not in the inventory; did you mean kyoto?",
        "exceptions[0].ring: is not a ring; did you mean canary?",
        "exceptions[0].expires: has passed: renew the exception or remove it (got 2026-11-23)",
        "exceptions[1]: says nothing: give skip, ring or risk",
        "conditions.process_failed: must be pause or roll back",
        "conditions.background_load_failed: must be one of promote, pause, roll back",
        'background_load.every: must be a time with its unit (s, min, h, d), such as "30 min" (got "3")',
    ):
        assert message in lines


def test_a_manual_step_is_sql_or_a_command_or_a_call_of_the_erps_own_tool(load):
    steps = (
        '[[manual_steps]]\nname = "a"\nsql = "SELECT 1"\n'
        '[[manual_steps]]\nname = "b"\ncommand = ["move", "the files"]\n'
        '[[manual_steps]]\nname = "c"\ntool = "trytond-admin -u ir"\n'
    )
    table = load(SMALLEST + steps).table
    assert [step.text for step in table.manual_steps] == ["SELECT 1", "move 'the files'", "trytond-admin -u ir"]
    wrong = (
        '[[manual_steps]]\nname = "a"\n'
        '[[manual_steps]]\nname = "b"\nsql = "SELECT 1"\ntool = "x"\n'
        '[[manual_steps]]\nname = "c"\ncommand = []\n'
    )
    with pytest.raises(ReleaseError) as told:
        load(SMALLEST + wrong)
    lines = str(told.value)
    for message in (
        "manual_steps[0]: needs exactly one of sql, command, tool",
        "manual_steps[1]: needs exactly one of sql, command, tool (got sql, tool)",
        "manual_steps[2].command: must not be empty",
    ):
        assert message in lines


INTEGRATION = '[[integrations]]\nname = "payroll"\nowner = "hr"\n'


def test_integrations_say_what_they_use(load):
    (integration,) = load(SMALLEST + INTEGRATION + 'uses = ["call model.party.party.read"]\n').table.integrations
    assert (integration.role, integration.uses) == (Role.INTEGRATION, ("call model.party.party.read",))
    wrong = INTEGRATION + 'uses = ["party.party", "write party.party"]\n'
    with pytest.raises(ReleaseError) as told:
        load(SMALLEST + wrong + INTEGRATION + "uses = []\n")
    lines = str(told.value)
    for message in (
        'integrations[0].uses[0]: must be as "call model.party.party.create"',
        "integrations[0].uses[1]: must be as",
        "integrations[1].uses: must not be empty",
        'integrations: two integrations must not have the same name (got "payroll")',
    ):
        assert message in lines


def test_mistakes_in_the_files_beside_it_are_told_with_its_own(load, tmp_path):
    (tmp_path / "waivers.toml").write_text("[tolerances]\nposting = 0.01\n")
    (tmp_path / "accepted.toml").write_text('[[accepted]]\ntenant = "*"\nsignatur = "x"\n')
    with pytest.raises(ReleaseError) as told:
        load('policy = "waivers.toml"\naccepted = "accepted.toml"\n' + SMALLEST.replace('title = "A release"', ""))
    lines = str(told.value).splitlines()
    for message in (
        "release.toml: title: is required",
        "waivers.toml: tolerances.posting: must be in quotes",
        "accepted.toml: accepted[0].signatur: is not a known key; did you mean signature?",
    ):
        assert any(message in line for line in lines), lines


def test_another_text_beside_it_is_another_release(load, tmp_path):
    accepted = tmp_path / "accepted.toml"
    accepted.write_text("")
    before = load('accepted = "accepted.toml"\n' + SMALLEST).digest
    accepted.write_text("# nobody yet\n")
    assert load('accepted = "accepted.toml"\n' + SMALLEST).digest != before


def test_whole_documents_are_compared_where_a_release_asks_for_it(load, tmp_path):
    reviewed = tmp_path / "twins.toml"
    reviewed.write_text('[[field]]\nbefore = "a.b"\nafter = "a.c"\nfrom = "7.0"\nto = "8.0"\nreviewed_by = "qa"\n')
    text = SMALLEST + '\n[twins]\nevery = 2\nreviewed = "twins.toml"\n'
    before = load(text)
    assert before.table.twins.every == 2
    assert before.reviewed.fields == {("7.0", "8.0"): {"a.b": "a.c"}}
    assert load(SMALLEST).table.twins.every == 0
    reviewed.write_text("")
    assert load(text).digest != before.digest
    reviewed.write_text("[[field]]\n")
    with pytest.raises(ReleaseError, match=r"twins\.toml: field\[0\].before"):
        load(text)
    reviewed.unlink()
    with pytest.raises(ReleaseError, match=r"twins\.reviewed: there is no such file beside this one"):
        load(text)


def test_a_release_of_no_tenant_is_none(load, inventory):
    each = '[[exceptions]]\ntenant = "{}"\nskip = true\nowner = "x"\nreason = "y"\nexpires = 2026-12-31\n'
    everybody = "".join(each.format(tenant.id) for tenant in inventory.tenants)
    with pytest.raises(ReleaseError, match="exceptions: leave out every tenant: nothing would be rehearsed"):
        load(SMALLEST + everybody)


def test_exceptions_leave_out_move_and_verify_otherwise(load):
    each = 'owner = "x"\nreason = "year-end close"\nexpires = 2026-12-31\n'
    release = load(
        SMALLEST
        + f'[[exceptions]]\ntenant = "kyoto"\nskip = true\n{each}'
        + f'[[exceptions]]\ntenant = "cologne"\nring = "canary"\n{each}'
        + f'[[exceptions]]\ntenant = "bleecker"\nrisk = "high"\n{each}'
    )
    assert [(ring, [t.id for t in tenants]) for ring, tenants in release.rings] == [
        ("canary", ["aldgate", "cologne"]),
        ("early", ["bleecker"]),
    ]
    assert release.skipped["kyoto"].reason == "year-end close"
    assert release.plan_of("bleecker") is PLANS[Risk.HIGH]
    assert release.plan_of("aldgate") is PLANS[Risk.LOW]


def test_a_file_that_is_no_toml_is_told(load):
    with pytest.raises(ReleaseError, match="is not valid TOML"):
        load("id = ")


def test_higher_risk_never_verifies_less():
    low, medium, high = (PLANS[risk] for risk in Risk)
    order = ["none", "first", "all"]
    for less, more in ((low, medium), (medium, high)):
        assert order.index(less.browser) <= order.index(more.browser)
        assert order.index(less.drill) <= order.index(more.drill)
        for name in ("everything", "isolation", "in_flight", "surface"):
            assert getattr(less, name) <= getattr(more, name)


def test_what_may_go_untested_over_one_channel_is_tested_over_the_other(load):
    words = '[[untested]]\ntenant = "*"\nscenario = "authority"\nowner = "a"\nreason = "b"\nexpires = 2026-11-24\n'
    release = load(SMALLEST + words + 'channel = "browser"\n')
    assert release.may_go_untested("kyoto", "authority", Channel.BROWSER)
    assert release.may_go_untested("aldgate", "authority", Channel.BROWSER)
    assert not release.may_go_untested("kyoto", "authority", Channel.API)
    assert not release.may_go_untested("kyoto", "authority")


def test_what_may_go_untested_is_of_a_tenant_a_process_and_a_time(load):
    untested = '[[untested]]\ntenant = "kyoto"\nscenario = "authority"\nowner = "a"\nreason = "b"\nexpires = {}\n'
    release = load(SMALLEST + untested.format("2026-11-24"))
    assert release.may_go_untested("kyoto", "authority")
    assert not release.may_go_untested("aldgate", "authority")
    assert release.must(release.plan_of("kyoto")) == ("sign-in", "project-to-cash")
    assert load('must = ["own"]\n' + SMALLEST).must(PLANS[Risk.HIGH]) == ("own",)
    with pytest.raises(ReleaseError) as told:
        load(SMALLEST + untested.format("2026-11-23").replace("kyoto", "kyotoo"))
    assert "untested[0].tenant: is not in the inventory; did you mean kyoto?" in str(told.value)
    assert "untested[0].expires: has passed: test it, or renew the entry" in str(told.value)
