"""The rollout demo's release is right, its rings are as it says, and its verdict is that of all its findings."""

from __future__ import annotations

import json
import shutil
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import tomli_w

from ringgate.evidence.signing import SigningKey
from ringgate.inventory import Inventory
from ringgate.judging import load_policy
from ringgate.rollout.release import load_release
from ringgate.scenario.discovery import known_scenarios
from tests.evaluation.findings import Findings
from tests.evaluation.rollout_demo.files import FLAG, GATE, PROCESSES, release_of, rings_of, window_of
from tests.evaluation.rollout_demo.people import PEOPLE

ROOT = Path(__file__).parents[3]
BUILD = {"erp": "sha256:" + "0" * 64}


@pytest.fixture
def firm(tmp_path):
    shutil.copytree(ROOT / "tenants", tmp_path / "tenants")
    for tenant, ring in rings_of(Inventory.load(ROOT / "tenants").tenants).items():
        file = tmp_path / "tenants" / f"{tenant}.toml"
        file.write_text(tomli_w.dumps({**tomllib.loads(file.read_text()), "ring": ring}))
    (tmp_path / "gate.toml").write_text(GATE)
    dark = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
    (tmp_path / "flags.json").write_text(json.dumps({"flags": {FLAG: dark}}))
    program = tmp_path / "rights.py"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return tmp_path


def test_its_release_and_policy_are_right(firm):
    inventory = Inventory.load(firm / "tenants")
    keys = {name: SigningKey.new() for name in PEOPLE}
    (firm / "release.toml").write_text(tomli_w.dumps(release_of(inventory.tenants, keys, BUILD)))
    release = load_release(firm / "release.toml", inventory, ["7.0", "8.0"])
    assert [ring for ring, _ in release.rings] == ["canary", "early", "broad"]
    assert release.table.approvals
    assert release.table.approvals.rings == ("early", "activation")
    assert release.table.components.artefacts == BUILD
    assert len({each.tenants for each in release.table.rollout.windows}) == 4
    policy = load_policy(firm / "gate.toml", inventory, known_scenarios())
    assert policy.must == PROCESSES


def test_every_tenant_is_in_a_ring_and_only_one_is_the_canary():
    tenants = Inventory.load(ROOT / "tenants").tenants
    more = [replace(tenants[0], id="barbican"), replace(tenants[1], id="chelsea")]
    rings = rings_of([*tenants, *more])
    assert rings == {"bleecker": "canary", "aldgate": "early", "barbican": "early", "chelsea": "broad",
                     "cologne": "broad", "kyoto": "broad"}  # fmt: skip


def test_a_window_is_in_the_clocks_of_its_place():
    noon = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)
    assert window_of("Asia/Tokyo", noon) == "2026-11-28 20:30 to 2026-11-29 03:30"
    assert window_of("America/New_York", noon) == "2026-11-28 06:30 to 2026-11-28 13:30"


def test_one_thing_that_did_not_come_out_fails_the_demo(capsys):
    found = Findings()
    with found.step("a step"):
        found.that("the sun rose", True)
    assert found.conclude() == 0
    found.that("it rained", False, "a dry day")
    assert found.conclude() == 1
    said = capsys.readouterr().out
    assert "NO   it rained: a dry day" in said
    assert "1 of 2 things came out as they must." in said
