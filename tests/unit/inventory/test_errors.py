"""An inventory that is wrong: every mistake is told at once, with file, key and rule, and without a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringgate.inventory import Inventory, InventoryError
from tests.unit.inventory.test_inventory import DEFAULTS, SMALLEST, TODAY, write

ACME = SMALLEST.format(id="acme")


def problems(folder: Path, files: dict[str, str]) -> list[str]:
    """What is wrong with these files, with paths that start at `tenants/`."""
    with pytest.raises(InventoryError) as caught:
        Inventory.load(write(folder, files), today=TODAY)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('colour = "red"', "colour: is not a known key"),
        ('timezon = "UTC"', "timezon: is not a known key; did you mean timezone?"),
        ("[policy]\ntax_ruonding = 1", "policy.tax_ruonding: is not a known key; did you mean tax_rounding?"),
        ('[features.grid]\nowne = "x"', "features.grid.owne: is not a known key; did you mean owner?"),
        ('sessions = "4"', 'sessions: must be a whole number (got "4")'),
        ("sessions = 0", "sessions: must be at least 1 (got 0)"),
        ("name = 4", "name: must be text in quotes (got 4)"),
        ('name = ""', 'name: must not be empty (got "")'),
        ('cohorts = "emea"', 'cohorts: must be a list (got "emea")'),
        ('policy = "x"', 'policy: must be a table (got "x")'),
        ('region = "EU West"', "region: must be lower-case letters"),
        ('timezone = "Mars/Base"', "timezone: must be a time zone of the IANA database"),
        ('timezone = "../etc"', "timezone: must be a time zone of the IANA database"),
        ('language = "english!"', "language: must be a language code"),
        ('lacks = ["approval"]', "lacks[0]: must be one of sign-in, projects"),
        ('paused_until = "soon"\npaused_reason = "x"', "paused_until: must be a date, such as 2027-01-31"),
        ("paused_until = 2027-01-31", "paused_reason: is required with paused_until"),
        ('paused_reason = "close"', "paused_until: is required with paused_reason"),
        (
            '[policy]\ncurrency = "EURO"',
            'policy.currency: must be a currency by its ISO 4217 code, such as EUR (got "EU',
        ),
        ('[policy]\neffects = "all"', 'policy.effects: must be one of read, reversible, permanent (got "all")'),
        ('[policy]\ninvoice_method = "fixed"', "policy.invoice_method: must be one of timesheet, effort"),
        ('[policy]\ntax = { name = "V", rate = 0.2 }', 'policy.tax.rate: must be in quotes, as "0.2"'),
        ('[policy]\ntax = { name = "V", rate = "20" }', 'policy.tax.rate: must be below 1 (got "20")'),
        ('[policy]\ntax = { name = "V", rate = "-0.1" }', "policy.tax.rate: must be at least 0"),
        ('[policy]\ntax = { name = "V", rate = "NaN" }', "policy.tax.rate: "),
        ('[policy]\ntax = { name = "V", rate = "much" }', "policy.tax.rate: must be a number as text"),
        ('[policy]\ntax = { name = "V" }', "policy.tax.rate: is required"),
        (
            '[[policy.tax]]\nname = "V"\nrate = "0.2"\n[[policy.tax]]\nname = "W"\nrate = "7"',
            "policy.tax[1].rate: must",
        ),
        ('[[policy.tax]]\nname = "V"\nrate = "0.2"\n[[policy.tax]]\nname = "V"\nrate = "0.1"', "policy.tax: two rates"),
        ("[policy]\napproval = { steps = -1 }", "policy.approval.steps: must be at least 0"),
        ('[policy]\npayment_term = { days = "30" }', "policy.payment_term.days: must be a whole number"),
        ('[policy]\npayment_term = { name = "x" }', "policy.payment_term: must have exactly one of days, due and"),
        ('[policy]\npayment_term = { name = "x", days = 3, due = [] }', "policy.payment_term: must have exactly one"),
        (
            '[policy]\npayment_term = { name = "x", due = ["1 week"] }',
            'policy.payment_term.due: must be steps such as "30',
        ),
        (
            '[policy]\npayment_term = { name = "x", due = ["day 32"] }',
            "policy.payment_term.due: day must be from 1 to 31",
        ),
        ('[policy]\npayment_term = { name = "x", due = "30 days" }', "policy.payment_term.due: must be steps such as"),
        (
            '[policy]\npayment_term = { name = "x", due = ["99 months"] }',
            "policy.payment_term.due: must be at most 24 mon",
        ),
        (
            '[policy]\npayment_term = { name = "x", instalments = [{ share = "0.5", due = [] }] }',
            "policy.payment_term.instalments: each but the last must have a share, and the last none",
        ),
        (
            '[policy]\npayment_term = { name = "x", instalments = [{ share = "1.5", due = [] }, { due = [] }] }',
            "policy.payment_term.instalments[0].share: must be below 1",
        ),
        (
            '[policy.payment_term]\nname = "x"\n'
            'instalments = [{ share = "0.5", due = [] }, { share = "0.5", due = [] }, { due = [] }]',
            "policy.payment_term.instalments: the shares must add up to less than 1",
        ),
        (
            '[policy.payment_term]\nname = "x"\ndays = 30\ndiscount = { rate = "0", days = 10 }',
            "policy.payment_term.discount.rate: must be above 0",
        ),
        ("[policy.accounts]\nrevenue = []", "policy.accounts.revenue: must be a name, or a list of different names"),
        ('[policy.accounts]\nrevenue = ["1", "1"]', "policy.accounts.revenue: must be a name, or a list of different"),
        ("[policy.approval]\nsteps = 2", "policy.approval.approvers: is required with steps = 2"),
        (
            '[policy.approval]\nsteps = 2\napprovers = ["accountant"]',
            "policy.approval.approvers: must name one role for each of the 2 steps",
        ),
        (
            '[policy.approval]\nsteps = 2\napprovers = ["accountant", "accountant"]',
            "policy.approval.approvers[1]: is named twice: nobody approves the same request twice",
        ),
        (
            '[policy.approval]\nsteps = 1\napprovers = ["consultant"]',
            "policy.approval.approvers[0]: asks for purchases: nobody approves their own request",
        ),
        (
            '[policy.approval]\nsteps = 1\napprovers = ["approver"]',
            "policy.approval.approvers[0]: has no user: add [users.approver]",
        ),
        (
            '[users.accountant.api]\nkey = { env = "A" }\npassword = { env = "B" }',
            "users.accountant.api: must have a password or a key, not both",
        ),
        ('[users.accountant.api]\nkey = "hunter22"', "users.accountant.api.key: must be a reference"),
        (
            '[users.accountant.browser]\none_time_code = { env = "A" }',
            "users.accountant.browser.one_time_code: is not a k",
        ),
        ('[endpoints]\napi = "ftp://x"', "endpoints.api: must be a URL with http or https and a host, such as https"),
        ('[endpoints]\napi = "http://x:y/"', "endpoints.api: must be a URL"),
        ('[features.grid]\non = "yes"\nowner = "a"\nexpires = 2027-01-31', "features.grid.on: must be true or false"),
        ("[features.grid]\non = true", "features.grid.owner: is required"),
        ("[features.grid]\non = true", "features.grid.expires: is required"),
        ("[extensions]\nwip = 2.3", "extensions.wip: must be text in quotes (got 2.3)"),
        ('[users.cashier]\nlogin = "x"', "users.cashier: must be one of consultant, project_manager, approver"),
        ('[users.approver]\nlogin = "x"', "users.approver.password: is required"),
        ('[users.approver]\nlogin = ""\npassword = { env = "X" }', "users.approver.login: must not be empty"),
        ('erp = "trytn"', 'erp: no driver is installed for it; did you mean tryton? (got "trytn")'),
        ('cohorts = ["emae"]', "cohorts[0]: there is no tenants/cohorts/emae.toml; did you mean emea?"),
        ('rings = ["x"]', "rings: is not a known key"),
    ],
)
def test_one_mistake_one_message(tmp_path: Path, text: str, expected: str) -> None:
    found = problems(tmp_path, {"acme.toml": ACME + text, "cohorts/emea.toml": ""})
    assert any(line.startswith(f"tenants/acme.toml: {expected}") for line in found), found


def test_an_unknown_ring_names_the_rings(tmp_path: Path) -> None:
    found = problems(tmp_path, {"acme.toml": 'id = "acme"\nring = "canray"\n'})
    assert found == [
        'tenants/acme.toml: ring: is not one of the rings in tenants/defaults.toml; did you mean canary? (got "canray")'
    ]


def test_the_id_is_the_name_of_the_file(tmp_path: Path) -> None:
    found = problems(tmp_path, {"acme.toml": SMALLEST.format(id="acne")})
    assert found == [
        "tenants/acme.toml: id: must be the file's name: "
        'rename the file to acne.toml or write id = "acme" (got "acne")'
    ]


def test_an_id_that_two_files_claim_is_told(tmp_path: Path) -> None:
    found = problems(tmp_path, {"acme.toml": ACME, "beta.toml": ACME})
    assert 'tenants/beta.toml: id: is that of tenants/acme.toml too (got "acme")' in found


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        {
            "defaults.toml": DEFAULTS.replace("Europe/London", "Europe/Lodnon"),
            "cohorts/emea.toml": "id = 'x'\nregion = 7\n",
            "cohorts/unused.toml": "colour = 1\n",
            "acme.toml": ACME + 'cohorts = ["emea"]\nsessions = "2"\n',
            "beta.toml": 'id = "beta"\ncohorts = ["emea", "none-such"]\npaused_until = 2027-01-01\n',
            "gamma.toml": 'id = "gamma"\nring =\n',
        },
    )
    assert [line.split(": ")[0:2] for line in found] == [
        ["tenants/defaults.toml", "timezone"],
        ["tenants/cohorts/emea.toml", "id"],
        ["tenants/cohorts/emea.toml", "region"],
        ["tenants/cohorts/unused.toml", "colour"],
        ["tenants/acme.toml", "sessions"],
        ["tenants/beta.toml", "cohorts[1]"],
        ["tenants/beta.toml", "paused_reason"],
        ["tenants/gamma.toml", "is not valid TOML"],
    ]


def test_a_mistake_in_the_defaults_is_told_once_and_not_for_each_tenant(tmp_path: Path) -> None:
    files = {f"{name}.toml": SMALLEST.format(id=name) for name in "abc"}
    found = problems(tmp_path, {"defaults.toml": DEFAULTS.replace('"GBP"', '"POUND"'), **files})
    assert len(found) == 1
    assert found[0].startswith("tenants/defaults.toml: policy.currency: ")


def test_what_is_missing_everywhere_is_told_for_the_tenant(tmp_path: Path) -> None:
    found = problems(tmp_path, {"defaults.toml": 'erp = "tryton"\n', "acme.toml": 'id = "acme"\n[policy]\ntax = []\n'})
    assert {line.split(": ")[1] for line in found if line.startswith("tenants/acme.toml: ")} == {
        "ring", "endpoints", "users", "policy.currency", "policy.payment_term", "policy.accounts", "policy.product",
        "policy.customer",
    }  # fmt: skip


SECRETS = [
    '[users.accountant]\nlogin = "a"\npassword = "hunter22"',
    'users = { accountant = "hunter22" }',
    '[users.accountant]\nlogin = "a"\npasword = "hunter22"',
    '[users.accountant]\nlogin = "a"\npassword = { env = "hunter22 !" }',
    '[users.accountant]\nlogin = "a"\npassword = { vault = "hunter22" }',
    '[users.accountant]\nlogin = "a"\npassword = ["hunter22"]',
    '[users.hunters]\nlogin = "a"\npassword = "hunter22"',
    'password = "hunter22"',
    '[endpoints]\napi = "https://me:hunter22@erp.example.com/"',
    '[policy]\napi_key = "hunter22"',
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_literal_secret_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    lines = problems(tmp_path, {"acme.toml": (ACME + text) if text.startswith("[") else f"{text}\n{ACME}"})
    assert lines
    assert "hunter22" not in "\n".join(lines)


def test_a_literal_password_is_answered_with_how_to_refer_to_it(tmp_path: Path) -> None:
    assert problems(tmp_path, {"acme.toml": ACME + SECRETS[0]}) == [
        "tenants/acme.toml: users.accountant.password: must be a reference, "
        '{ env = "NAME" } or { file = "PATH" }, never the secret itself'
    ]


def test_a_reference_has_exactly_one_way(tmp_path: Path) -> None:
    both = '[users.accountant]\nlogin = "a"\npassword = { env = "A", file = "b" }'
    assert problems(tmp_path, {"acme.toml": ACME + both}) == [
        "tenants/acme.toml: users.accountant.password: must have exactly one of env and file"
    ]


@pytest.mark.parametrize("key", ["id", "cohorts"])
def test_a_cohort_cannot_say_who_a_tenant_is(tmp_path: Path, key: str) -> None:
    text = f'{key} = "x"\n' if key == "id" else f'{key} = ["x"]\n'
    found = problems(tmp_path, {"acme.toml": ACME, "cohorts/emea.toml": text})
    assert found == [f"tenants/cohorts/emea.toml: {key}: may stand in a tenant's own file only"]


def test_a_tenant_in_a_folder_that_is_not_read_is_told(tmp_path: Path) -> None:
    found = problems(tmp_path, {"acme.toml": ACME, "emea/beta.toml": SMALLEST.format(id="beta")})
    assert found == ["tenants/emea/beta.toml: stands in a folder that is not read; move it into tenants/"]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"id = 'a'\nid = 'b'\n", "is not valid TOML: Cannot overwrite a value (at line 2, column 9)"),
        (b"id = '\xff'\n", "is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes, rule: str) -> None:
    folder = write(tmp_path, {"acme.toml": ACME})
    (folder / "beta.toml").write_bytes(content)
    assert problems(tmp_path, {}) == [f"tenants/beta.toml: {rule}"]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    folder = write(tmp_path, {"acme.toml": ""})
    (folder / "acme.toml").write_bytes(b"\xef\xbb\xbf" + ACME.encode())
    assert Inventory.load(folder).tenants[0].id == "acme"


def test_a_folder_without_tenants_is_told(tmp_path: Path) -> None:
    assert problems(tmp_path, {}) == ["tenants: holds no tenant: add one <tenant>.toml"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="is not a folder: name the inventory's with --inventory"):
        Inventory.load(tmp_path / "nowhere")
