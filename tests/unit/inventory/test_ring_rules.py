"""Rings that are derived from rules, and why."""

from __future__ import annotations

import json
from datetime import date

import pytest

from ringgate import cli
from ringgate.inventory import Inventory, InventoryError
from tests.unit.inventory.test_inventory import DEFAULTS, write

RULES = """
[[ring_rules]]
ring = "broad"
because = "a fault there costs most"
risk = ["high"]

[[ring_rules]]
ring = "canary"
because = "simple, and their support is ready"
regions = ["eu-west", "eu-north"]
extensions_at_most = 1
support_ready = true
"""
ELSE = """
[[ring_rules]]
ring = "early"
because = "everybody else"
"""
ACME = """id = "acme"
region = "eu-west"
traits = { support_ready = true }
extensions = { custom-wip-report = "2.3" }
"""


def load(tmp_path, rules: str = RULES + ELSE, **files: str) -> Inventory:
    own = {f"{name}.toml": text for name, text in files.items()}
    write(tmp_path, {"defaults.toml": DEFAULTS + rules, **own})
    return Inventory.load(tmp_path / "tenants", date(2026, 11, 28))


def test_the_first_rule_that_fits_says_the_ring_and_every_earlier_one_why_it_does_not(tmp_path):
    known = load(tmp_path, acme=ACME)
    assert known.tenant("acme").ring == "canary"
    why = known.derived["acme"]
    assert (why.rule, why.because) == (2, "simple, and their support is ready")
    assert why.fits == ("region is eu-west", "1 extensions, at most 1", "support is ready")
    assert why.passed == ("rule 1 (broad): risk is medium, not high",)


@pytest.mark.parametrize(
    ("changed", "ring"),
    [
        (ACME.replace("eu-west", "us-east"), "early"),
        (ACME.replace("true }", 'true, risk = "high" }'), "broad"),
        (ACME.replace("true }", "false }"), "early"),
        (ACME.replace('"2.3" }', '"2.3", grid = "1" }'), "early"),
        (ACME + 'ring = "broad"\n', "broad"),
    ],
    ids=["another region", "a high risk", "support not ready", "one more extension", "set in its file"],
)
def test_each_condition_decides(tmp_path, changed, ring):
    assert load(tmp_path, acme=changed).tenant("acme").ring == ring


def test_a_tenant_that_no_rule_fits_and_a_rule_of_no_ring_are_told_at_once(tmp_path):
    with pytest.raises(InventoryError) as raised:
        load(tmp_path, RULES.replace('ring = "broad"', 'ring = "braod"'), acme=ACME.replace("eu-west", "us-east"))
    told = [(each.key, each.rule) for each in raised.value.problems]
    assert [rule for key, rule in told if key == "ring_rules[0].ring"] == [
        "is not one of the rings; did you mean broad?"
    ]
    assert [rule for key, rule in told if key == "ring"] == [
        "is required, for no rule of ring_rules fits: rule 1 (braod): risk is medium, not high; "
        "rule 2 (canary): region is us-east, not eu-west or eu-north"
    ]


def test_a_wrong_key_of_a_rule_is_told(tmp_path):
    with pytest.raises(InventoryError, match=r"ring_rules\[0\]\.riks"):
        load(tmp_path, RULES.replace('risk = ["high"]', 'riks = ["high"]') + ELSE, acme=ACME)


def test_the_command_says_why(tmp_path, capsys):
    load(tmp_path, acme=ACME, beta='id = "beta"\nring = "broad"\n')
    assert cli.run(["tenants", "ring", "--explain", "-i", str(tmp_path / "tenants")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [" ".join(each.split()) for each in told[:3]] == [
        "acme canary rule 2, simple, and their support is ready",
        "rule 1 (broad): risk is medium, not high",
        "rule 2 (canary): region is eu-west, 1 extensions, at most 1, support is ready",
    ]
    assert told[3].split()[:5] == ["beta", "broad", "set", "in", str(tmp_path / "tenants" / "beta.toml")]
    assert cli.run(["tenants", "ring", "acme", "--json", "-i", str(tmp_path / "tenants")]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["tenant"], row["ring"], row["rule"]) == ("acme", "canary", 2)
