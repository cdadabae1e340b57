"""An inventory that is right: what comes out of it, in which order, and where each value comes from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ringgate.domain.errors import SecretMissing
from ringgate.domain.model import Recovery
from ringgate.domain.money import RoundingMode
from ringgate.domain.terms import Capability, Channel, Effect, InvoiceMethod, Role, TaxRounding
from ringgate.inventory import Inventory, InventoryError, SelectionError, pause_of, secret_problems

TODAY = date(2026, 11, 22)
DEFAULTS = """
erp = "tryton"
language = "en"
timezone = "Europe/London"
[endpoints]
api = "http://127.0.0.1:8071/${TENANT}"
web = "http://127.0.0.1:8071/#${TENANT}"
[policy]
currency = "GBP"
product = "Consulting"
customer = "Synthetic Customer"
payment_term = { name = "30 days", days = 30 }
accounts = { receivable = "1200", revenue = "4000", tax = "2200", cash = "1000" }
[users.accountant]
login = "synthetic.accountant"
password = { env = "${TENANT}_ACCOUNTANT" }
"""
SMALLEST = 'id = "{id}"\nring = "canary"\n'


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """An inventory in `folder/tenants` with these files on top of the defaults."""
    for name, text in {"defaults.toml": DEFAULTS, **files}.items():
        path = folder / "tenants" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "tenants"


def load(folder: Path, files: Mapping[str, str]) -> Inventory:
    return Inventory.load(write(folder, files), today=TODAY)


def test_a_tenant_of_two_lines_gets_the_rest_from_the_defaults(tmp_path: Path) -> None:
    tenant = load(tmp_path, {"acme.toml": SMALLEST.format(id="acme")}).tenants[0]
    assert (tenant.id, tenant.name, tenant.erp, tenant.ring, tenant.cohorts) == ("acme", "acme", "tryton", "canary", ())
    assert tenant.api == "http://127.0.0.1:8071/acme"
    assert tenant.web == "http://127.0.0.1:8071/#acme"
    assert (tenant.region, tenant.residency, tenant.sla, tenant.sessions) == ("default", "any", "standard", 4)
    policy = tenant.policy
    assert (policy.currency.code, policy.currency.digits) == ("GBP", 2)
    assert policy.taxes == ()
    assert policy.tax_rounding is TaxRounding.DOCUMENT
    assert policy.rounding_mode is RoundingMode.HALF_EVEN
    assert (policy.approval.steps, policy.approval.threshold) == (0, Decimal(0))
    assert policy.invoice_method is InvoiceMethod.TIMESHEET
    assert policy.effects is Effect.REVERSIBLE
    assert (policy.payment_term, policy.payment_days) == ("30 days", 30)
    assert policy.accounts.receivable == ("1200",)
    assert tenant.users[Role.ACCOUNTANT].login == "synthetic.accountant"


def test_every_key_reaches_the_tenant(tmp_path: Path) -> None:
    text = """
id = "kyoto"
name = "Kyoto K.K."
series = "7.0"
ring = "broad"
region = "ap-north"
residency = "jp"
timezone = "Asia/Tokyo"
language = "ja"
sla = "silver"
sessions = 2
lacks = ["approvals"]
[policy]
currency = "JPY"
tax = [{ name = "10%", rate = "0.10", product = "Work" }, { name = "8%", rate = "0.08" }]
tax_rounding = "line"
rounding_mode = "half-up"
approval = { threshold = "50000", steps = 2, approvers = ["accountant", "approver"] }
invoice_method = "effort"
effects = "read"
[features.new-grid]
on = true
owner = "projects-team"
expires = 2027-01-31
[extensions]
wip-report = "2.3"
[users.approver]
login = "synthetic.approver"
password = { env = "APPROVER" }
"""
    tenant = load(tmp_path, {"kyoto.toml": text}).tenant("kyoto")
    assert (tenant.name, tenant.series, tenant.region, tenant.residency) == ("Kyoto K.K.", "7.0", "ap-north", "jp")
    assert (tenant.timezone, tenant.language, tenant.sla, tenant.sessions) == ("Asia/Tokyo", "ja", "silver", 2)
    assert tenant.lacks == {Capability.APPROVALS}
    policy = tenant.policy
    assert policy.currency.digits == 0
    assert [(tax.name, tax.rate, tax.product) for tax in policy.taxes] == [
        ("10%", Decimal("0.10"), "Work"),
        ("8%", Decimal("0.08"), "Consulting"),
    ]
    assert (policy.tax_rounding, policy.rounding_mode) == (TaxRounding.LINE, RoundingMode.HALF_UP)
    assert (policy.approval.steps, policy.approval.threshold) == (2, Decimal(50000))
    assert policy.approval.approvers == (Role.ACCOUNTANT, Role.APPROVER)
    assert (policy.invoice_method, policy.effects) == (InvoiceMethod.EFFORT, Effect.READ)
    assert (tenant.features["new-grid"].owner, tenant.features["new-grid"].expires) == (
        "projects-team",
        date(2027, 1, 31),
    )
    assert tenant.extensions == {"wip-report": "2.3"}


def test_rounding_said_in_the_tax_table_wins(tmp_path: Path) -> None:
    text = SMALLEST.format(id="acme") + '[policy]\ntax = { name = "VAT", rate = "0.20", rounding = "line" }\n'
    assert load(tmp_path, {"acme.toml": text}).tenants[0].policy.tax_rounding is TaxRounding.LINE


def test_the_tenant_wins_over_cohorts_the_later_cohort_over_the_earlier_and_both_over_defaults(tmp_path: Path) -> None:
    inventory = load(
        tmp_path,
        {
            "cohorts/emea.toml": 'description = "Europe"\nregion = "eu-west"\nsla = "silver"\nlanguage = "fr"\n',
            "cohorts/gold.toml": 'sla = "gold"\nlanguage = "it"\n',
            "acme.toml": SMALLEST.format(id="acme") + 'cohorts = ["emea", "gold"]\nlanguage = "de"\n',
        },
    )
    tenant = inventory.tenants[0]
    assert (tenant.region, tenant.sla, tenant.language) == ("eu-west", "gold", "de")
    assert inventory.cohorts == {"emea": "Europe", "gold": ""}
    origins = {setting.key: setting.origin.removeprefix(f"{tmp_path}/") for setting in inventory.settings("acme")}
    assert origins["region"] == "tenants/cohorts/emea.toml"
    assert origins["sla"] == "tenants/cohorts/gold.toml"
    assert origins["language"] == "tenants/acme.toml"
    assert origins["erp"] == "tenants/defaults.toml"
    assert origins["sessions"] == "built-in default"


def test_what_one_tenant_says_for_itself_is_not_said_for_the_next(tmp_path: Path) -> None:
    """What tenants have in common is laid together, and checked, once."""
    own = '[policy]\neffects = "read"\n[users.accountant]\nlogin = "own"\n[probes]\napi = "1 min"\n'
    files = {f"{name}.toml": SMALLEST.format(id=name) + text for name, text in (("a", ""), ("b", own), ("c", ""))}
    first, changed, last = load(tmp_path, files).tenants
    assert (changed.policy.effects, changed.users[Role.ACCOUNTANT].login) == (Effect.READ, "own")
    assert changed.probes.usual.api == timedelta(minutes=1)
    assert (last.policy, last.probes) == (first.policy, first.probes)
    assert first.policy.effects is last.policy.effects is Effect.REVERSIBLE
    assert {role: each.login for role, each in first.users.items()} == {r: e.login for r, e in last.users.items()}
    assert last.probes.usual.api == timedelta(minutes=5)


def test_tables_merge_by_key_and_lists_replace(tmp_path: Path) -> None:
    inventory = load(
        tmp_path,
        {
            "cohorts/two.toml": 'lacks = ["time"]\n[[policy.tax]]\nname = "A"\nrate = "0.1"\n'
            + "[policy.approval]\nsteps = 1\n",
            "acme.toml": SMALLEST.format(id="acme")
            + 'cohorts = ["two"]\nlacks = ["ledger"]\n[policy]\ntax = { name = "B", rate = "0.2" }\n'
            + '[policy.approval]\nthreshold = "500.00"\n[policy.accounts]\ntax = "2201"\n',
        },
    )
    tenant = inventory.tenants[0]
    assert tenant.lacks == {Capability.LEDGER}
    assert [tax.name for tax in tenant.policy.taxes] == ["B"]
    assert (tenant.policy.approval.steps, tenant.policy.approval.threshold) == (1, Decimal("500.00"))
    assert (tenant.policy.accounts.tax, tenant.policy.accounts.cash) == (("2201",), ("1000",))
    shown = {setting.key: (setting.value, Path(setting.origin).name) for setting in inventory.settings("acme")}
    assert shown["policy.accounts.tax"] == ("2201", "acme.toml")
    assert shown["policy.accounts.cash"] == ("1000", "defaults.toml")
    assert shown["policy.approval.steps"] == ("1", "two.toml")
    assert shown["policy.tax.name"] == ("B", "acme.toml")
    assert not [key for key in shown if key.startswith("policy.tax[")]


def test_a_tenant_can_say_that_it_has_no_tax(tmp_path: Path) -> None:
    cohort = '[policy]\ntax = { name = "VAT", rate = "0.20" }\n'
    text = SMALLEST.format(id="acme") + 'cohorts = ["uk"]\n[policy]\ntax = []\n'
    assert load(tmp_path, {"cohorts/uk.toml": cohort, "acme.toml": text}).tenants[0].policy.taxes == ()


def test_a_reference_to_a_secret_replaces_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("hunter22\n")
    by_file = f'[users.accountant]\npassword = {{ file = "{tmp_path}/secret" }}\n'
    inventory = load(
        tmp_path,
        {"acme-uk.toml": SMALLEST.format(id="acme-uk"), "beta.toml": SMALLEST.format(id="beta") + by_file},
    )
    monkeypatch.setenv("ACME_UK_ACCOUNTANT", "swordfish")
    assert inventory.tenant("acme-uk").users[Role.ACCOUNTANT].password.reveal() == "swordfish"
    assert inventory.tenant("beta").users[Role.ACCOUNTANT].password.reveal() == "hunter22"
    shown = {setting.key: setting.value for setting in inventory.settings("beta")}
    assert shown["users.accountant.password"] == f"file {tmp_path}/secret"


def test_a_payment_term_replaces_as_a_whole(tmp_path: Path) -> None:
    text = """
[policy.payment_term]
name = "30/70"
instalments = [{ share = "0.30", due = ["14 days"] }, { due = ["1 month", "end of month"] }]
discount = { rate = "0.02", days = 10 }
"""
    inventory = load(tmp_path, {"acme.toml": SMALLEST.format(id="acme") + text})
    term = inventory.tenant("acme").policy.term
    assert (term.name, str(term)) == ("30/70", "30% 14 days, then 1 month, end of month; 2% off within 10 days")
    shown = {setting.key: setting.value for setting in inventory.settings("acme")}
    assert shown["policy.payment_term.instalments[1].due"] == "1 month, end of month"
    assert "policy.payment_term.days" not in shown
    due = '[policy]\npayment_term = { name = "EOM", due = ["30 days", "end of month"] }'
    assert str(load(tmp_path, {"acme.toml": SMALLEST.format(id="acme") + due}).tenants[0].policy.term) == (
        "30 days, end of month"
    )


def test_several_accounts_may_serve_a_purpose(tmp_path: Path) -> None:
    text = '[policy.accounts]\nrevenue = ["8400", "8300"]\ncash = ["1000", "Outstanding Receipts"]\n'
    inventory = load(tmp_path, {"acme.toml": SMALLEST.format(id="acme") + text})
    accounts = inventory.tenants[0].policy.accounts
    assert (accounts.receivable, accounts.revenue) == (("1200",), ("8400", "8300"))
    assert accounts.all == {"1200", "8400", "8300", "2200", "1000", "Outstanding Receipts"}
    assert ("policy.accounts.revenue", "8400, 8300") in {(x.key, x.value) for x in inventory.settings("acme")}


def test_each_channel_may_have_credentials_of_its_own(tmp_path: Path) -> None:
    text = """
[users.accountant.api]
login = "svc.accountant"
key = { env = "${TENANT}_KEY" }
[users.accountant.browser]
one_time_codes = { file = "/run/secrets/${TENANT}/seed" }
"""
    inventory = load(tmp_path, {"acme.toml": SMALLEST.format(id="acme") + text})
    account = inventory.tenants[0].users[Role.ACCOUNTANT]
    api, browser = account.on(Channel.API), account.on(Channel.BROWSER)
    assert (api.login, api.password, str(api.key), api.one_time_codes) == (
        "svc.accountant", None, "environment variable ACME_KEY", None,
    )  # fmt: skip
    assert (browser.login, str(browser.password), browser.key, str(browser.one_time_codes)) == (
        "synthetic.accountant", "environment variable ACME_ACCOUNTANT", None, "file /run/secrets/acme/seed",
    )  # fmt: skip
    assert [str(each).split()[-1] for each in account.secrets] == [
        "ACME_ACCOUNTANT",
        "ACME_KEY",
        "/run/secrets/acme/seed",
    ]
    shown = {setting.key: setting.value for setting in inventory.settings("acme")}
    assert shown["users.accountant.api.key"] == "environment variable ACME_KEY"
    with pytest.raises(SecretMissing, match=r'"svc.accountant" has no password for this channel'):
        api.reveal_password()


def test_a_user_may_have_a_key_and_no_password(tmp_path: Path) -> None:
    text = '[users.auditor]\nlogin = "a"\napi = { key = { env = "KEY" } }\n'
    account = load(tmp_path, {"acme.toml": SMALLEST.format(id="acme") + text}).tenants[0].users[Role.AUDITOR]
    assert (account.password, str(account.on(Channel.API).key)) == (None, "environment variable KEY")


def test_secrets_that_cannot_be_read_are_told_by_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_ACCOUNTANT", raising=False)
    missing, unsafe = secret_problems(load(tmp_path, {"acme.toml": SMALLEST.format(id="acme")}))
    assert len(missing) == 1
    assert missing[0].startswith("acme: users.accountant: environment variable ACME_ACCOUNTANT is not set")
    assert unsafe == []


def test_tenants_come_in_the_order_of_the_rollout(tmp_path: Path) -> None:
    rings = 'rings = ["first", "second"]\n' + DEFAULTS
    files = {f"{name}.toml": f'id = "{name}"\nring = "{ring}"\n' for name, ring in
             (("a", "second"), ("b", "first"), ("c", "second"), ("d", "first"))}  # fmt: skip
    inventory = load(tmp_path, {"defaults.toml": rings, **files})
    assert [tenant.id for tenant in inventory.tenants] == ["b", "d", "a", "c"]
    assert inventory.rings == ("first", "second")


def test_a_service_level_promises_a_recovery(tmp_path: Path) -> None:
    promises = '[slas.gold]\nrecovery_point = "15 min"\nrecovery_time = "4 h"\n'
    acme = SMALLEST.format(id="acme").replace('id = "acme"', 'id = "acme"\nsla = "gold"', 1)
    tenant = load(tmp_path, {"defaults.toml": DEFAULTS + promises, "acme.toml": acme}).tenants[0]
    assert tenant.recovery == Recovery(timedelta(minutes=15), timedelta(hours=4))
    assert load(tmp_path / "none", {"acme.toml": acme}).tenants[0].recovery is None


def test_where_service_levels_are_stated_every_tenant_has_one_of_them(tmp_path: Path) -> None:
    promises = '[slas.gold]\nrecovery_point = "15 min"\nrecovery_time = "soon"\n'
    with pytest.raises(InventoryError) as told:
        load(tmp_path, {"defaults.toml": DEFAULTS + promises, "acme.toml": SMALLEST.format(id="acme")})
    text = str(told.value)
    assert "tenants/acme.toml: sla: is not one of the slas in " in text
    assert '; there is gold (got "standard")' in text
    assert 'slas.gold.recovery_time: must be a time with its unit (s, min, h, d), such as "30 min" (got "soon")' in text


@pytest.fixture
def four(tmp_path: Path) -> Inventory:
    files = {
        "cohorts/emea.toml": "",
        "cohorts/gold.toml": "",
        "a.toml": 'id = "a"\nring = "canary"\ncohorts = ["emea", "gold"]\nregion = "eu"\n',
        "b.toml": 'id = "b"\nring = "early"\ncohorts = ["gold"]\nregion = "us"\n',
        "c.toml": 'id = "c"\nring = "early"\ncohorts = ["emea"]\nregion = "eu"\n',
        "d.toml": 'id = "d"\nring = "broad"\nregion = "jp"\n',
    }
    return load(tmp_path, files)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "abcd"),
        ({"tenants": ["d", "a"]}, "ad"),
        ({"cohorts": ["emea"]}, "ac"),
        ({"cohorts": ["emea", "gold"]}, "abc"),
        ({"cohorts": ["emea"], "rings": ["early"]}, "c"),
        ({"regions": ["eu", "jp"]}, "acd"),
    ],
)
def test_names_of_one_kind_widen_and_kinds_narrow(four: Inventory, asked: dict[str, list[str]], expected: str) -> None:
    assert "".join(tenant.id for tenant in four.select(**asked)) == expected


def test_all_unknown_names_are_told_at_once_with_what_is_near(four: Inventory) -> None:
    with pytest.raises(SelectionError) as caught:
        four.select(cohorts=["emae"], rings=["erly"])
    assert 'no cohort is called "emae"; did you mean emea?' in str(caught.value)
    assert 'no ring is called "erly"; did you mean early?' in str(caught.value)


def test_an_empty_selection_is_an_error_that_names_what_was_asked(four: Inventory) -> None:
    with pytest.raises(SelectionError, match="no tenant has cohort gold and ring broad, so there is nothing to do"):
        four.select(cohorts=["gold"], rings=["broad"])


def test_a_pause_ends_on_its_day_in_the_tenants_own_time_zone(tmp_path: Path) -> None:
    text = SMALLEST.format(id="acme") + (
        'timezone = "Asia/Tokyo"\npaused_until = 2026-12-01\npaused_reason = "year-end close"\n'
    )
    tenant = load(tmp_path, {"acme.toml": text}).tenants[0]
    assert pause_of(tenant, datetime(2026, 11, 30, 14, 59, tzinfo=UTC)) == "paused until 2026-12-01: year-end close"
    assert pause_of(tenant, datetime(2026, 11, 30, 15, 0, tzinfo=UTC)) == ""


@pytest.mark.parametrize(
    ("addition", "warning"),
    [
        (
            '[features.grid]\non = true\nowner = "team"\nexpires = 2026-11-21\n',
            "features.grid: expired on 2026-11-21: team should remove or renew the flag",
        ),
        ('paused_until = 2026-11-22\npaused_reason = "close"\n', "paused_until: is past (2026-11-22)"),
        ('[endpoints]\napi = "http://erp.example.com/"\n', "endpoints.api: sends passwords in the clear"),
    ],
)
def test_what_stops_nobody_is_a_warning(tmp_path: Path, addition: str, warning: str) -> None:
    inventory = load(tmp_path, {"acme.toml": SMALLEST.format(id="acme") + addition})
    assert len(inventory.warnings) == 1
    assert warning in str(inventory.warnings[0])
    assert str(inventory.warnings[0]).startswith(f"{tmp_path}/tenants/acme.toml: ")


def test_two_tenants_at_one_address_are_a_warning(tmp_path: Path) -> None:
    same = '[endpoints]\napi = "https://erp.example.com/x"\n'
    files = {f"{name}.toml": SMALLEST.format(id=name) + same for name in ("a", "b")}
    assert "a and b have the same address" in str(load(tmp_path, files).warnings[0])


def test_a_folder_as_kubernetes_mounts_it_is_read_like_any_other(tmp_path: Path) -> None:
    folder = write(tmp_path, {"cohorts/emea.toml": ""})
    copies = folder / "..2026_11_22_12_00_00.1"
    (copies / "cohorts").mkdir(parents=True)
    (copies / "acme.toml").write_text(SMALLEST.format(id="acme"))
    (folder / "..data").symlink_to(copies.name)
    (folder / "acme.toml").symlink_to("..data/acme.toml")
    assert [tenant.id for tenant in Inventory.load(folder, today=TODAY).tenants] == ["acme"]
