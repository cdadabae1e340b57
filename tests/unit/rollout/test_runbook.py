"""The runbook: this release's own commands, in their order, and what nobody stated named as a gap."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from ringgate.evidence.signing import SigningKey
from ringgate.inventory import Inventory
from ringgate.rollout.release import ReleaseError, load_release
from ringgate.rollout.runbook import Runbook, RunbookPlace, runbook
from ringgate.rollout.runbook_text import as_markdown
from tests.support.rehearsal import release_file
from tests.unit.cli.test_approve import APPROVALS as TEMPLATE
from tests.unit.test_documents import command

ROOT = Path(__file__).parents[3]
APPROVALS = TEMPLATE.format(**{name: SigningKey.new().public.line for name in ("grace", "linus", "ada")})


def book_of(folder: Path, platform: str = "command=hosts.toml", more: str = "", risk: str = "high") -> Runbook:
    file = release_file(folder, risk)
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    release = load_release(file, Inventory.load(ROOT / "tenants"))
    return runbook(release, RunbookPlace(str(file), platform, "tenants", {"aldgate": "the newest backup is b1"}))


def commands_of(book: Runbook) -> list[str]:
    return [line for part in book.parts for step in part.steps for line in step.commands]


@pytest.mark.parametrize("platform", ["", "command=hosts.toml"])
def test_every_command_is_there_with_its_options(tmp_path, platform):
    lines = commands_of(book_of(tmp_path, platform, APPROVALS))
    assert len(lines) > 8
    for line in lines:
        found, rest = command(shlex.split(line)[1:])
        options = {each for option in found.params for each in (*option.opts, *option.secondary_opts)}
        assert {word for word in rest if word.startswith("-")} <= options, line
        required = {each.opts[0] for each in found.params if each.required and each.opts[0].startswith("-")}
        assert required <= set(rest), line


def test_it_is_in_the_order_in_which_things_are_done(tmp_path):
    book = book_of(tmp_path, more=APPROVALS)
    assert [each.name for each in book.parts] == ["database", "integrations", "application"]
    lines = commands_of(book)
    order = ("rollout plan", "fingerprint take", "release check", "rollout start", "approve", "rollout roll-back",
             "evidence pack")  # fmt: skip
    at = [next(i for i, line in enumerate(lines) if line.startswith(f"ringgate {word}")) for word in order]
    assert at == sorted(at)
    rings = [step.title for part in book.parts for step in part.steps if step.title.startswith("Ring ")]
    assert rings == ["Ring canary", "Ring early", "Ring broad"]


def test_decision_points_name_who_decides(tmp_path):
    steps = {step.title: step for part in book_of(tmp_path, more=APPROVALS).parts for step in part.steps}
    assert "grace" in steps["Ring early"].decision
    assert steps["Ring canary"].decision == "Opened without approval."
    assert "release-manager or head-of-finance decides it" in steps["Take everything back"].decision
    assert "fingerprint drift" in steps["Take everything back"].decision


def test_a_rollback_is_decided_by_whom_the_release_names_and_by_their_key(tmp_path):
    more = APPROVALS.replace('wait = "1 min"', 'wait = "1 min"\nroll_back = ["release-manager"]')
    steps = {step.title: step for part in book_of(tmp_path, more=more).parts for step in part.steps}
    back = steps["Take everything back"]
    assert "ada or grace or linus (release-manager, by their own key) decides it" in back.decision
    assert "--key" in back.commands[0]


def test_manual_steps_backups_and_addresses_are_this_releases_own(tmp_path):
    book = book_of(tmp_path)
    text = as_markdown(book)
    assert "ALTER TABLE ir_model RENAME COLUMN name TO string;" in text
    assert "aldgate: recovery point 15 min, recovery time 5 min; the newest backup is b1." in text
    assert ("aldgate", "canary", "api", "http://127.0.0.1:8071/aldgate") in book.addresses
    assert "reached by the on-call phone of database-operations" in text


def test_what_nobody_stated_is_named(tmp_path):
    gaps = book_of(tmp_path).gaps
    assert any("identity-provider for any tenant" in each for each in gaps)
    low = tmp_path / "low"
    low.mkdir()
    file = release_file(low, "low")
    text = file.read_text(encoding="utf-8")
    file.write_text(text.split("[runbook.application]")[0] + text[text.index("[components.application]") :])
    release = load_release(file, Inventory.load(ROOT / "tenants"))
    assert any("who leads the part database" in each for each in runbook(release, RunbookPlace("r.toml")).gaps)


@pytest.mark.parametrize(
    ("risk", "wanted"),
    [
        ("low", set()),
        ("medium", {"notes"}),
        ("high", {"notes", "support_impact", "runbook.application", "runbook.database", "runbook.integrations"}),
    ],
)
def test_what_people_must_be_able_to_read_depends_on_the_risk(tmp_path, risk, wanted):
    file = tmp_path / "release.toml"
    keys = ['id = "r"', 'title = "R"', 'from = "7.0"', 'to = "8.0"', f'risk = "{risk}"', 'approvers = ["x"]']
    file.write_text("\n".join([*keys, "[components.application]", ""]))
    try:
        load_release(file, Inventory.load(ROOT / "tenants"))
        found = set()
    except ReleaseError as error:
        found = {each.key for each in error.problems}
    assert found == wanted


FLAGS = """
[[activation.flags]]
name = "new-invoicing"
owner = "billing"
ends = 2099-03-31
switch = ["sh", "-c", "exit 0", "{tenant}", "{state}"]
ask = ["sh", "-c", "echo off"]
"""


def test_features_that_are_deployed_dark_have_their_steps_after_the_last_ring(tmp_path):
    approved = APPROVALS.replace('rings = ["early"', 'rings = ["early", "activation"')
    book = book_of(tmp_path, more=approved + FLAGS)
    steps = next(part.steps for part in book.parts if part.name == "application")
    titles = [step.title for step in steps]
    assert titles.index("Ring broad") < titles.index("Switch the features on") < titles.index("Switch the features off")
    on = steps[titles.index("Switch the features on")]
    assert "new-invoicing: of billing, until 2099-03-31." in on.text
    assert "--ring activation" in on.commands[0]
    assert "grace" in on.decision
    assert "rollout switch-off" in steps[titles.index("Switch the features off")].commands[0]


def test_a_release_without_features_has_no_steps_for_them(tmp_path):
    titles = [step.title for part in book_of(tmp_path, more=APPROVALS).parts for step in part.steps]
    assert not [each for each in titles if "features" in each]


def test_how_to_begin_again_stands_after_the_way_back(tmp_path):
    steps = [step for part in book_of(tmp_path, more=APPROVALS).parts for step in part.steps]
    titles = [step.title for step in steps]
    again = steps[titles.index("Begin again")]
    assert titles.index("Take everything back") < titles.index("Begin again")
    assert "rollout start" in again.commands[0]
    assert "--anew" in again.commands[0]
