"""Controls: what scanners found, how grave it may be, whether a signature holds; a ring is not opened otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from ringgate.evidence import EvidenceChain, EvidenceKind
from ringgate.evidence.signing import SigningKey
from ringgate.evidence.witness import ChainWitness
from ringgate.inventory import Inventory
from ringgate.rollout.control_gate import held_by_controls
from ringgate.rollout.control_tables import ControlTable
from ringgate.rollout.controls import judge_controls
from ringgate.rollout.pace import RolloutHeld
from ringgate.rollout.release import ReleaseError, load_release
from ringgate.store import Store
from tests.support.rehearsal import release_file
from tests.unit.evidence.chains import BY

ROOT = Path(__file__).parents[3]


def sarif(*results: dict) -> dict:
    return {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "scan"}}, "results": list(results)}]}


def cyclonedx(*vulnerabilities: dict) -> dict:
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "vulnerabilities": list(vulnerabilities)}


def found(folder: Path, kind: str, document: object, **more: str):
    (folder / "scan.json").write_text(document if isinstance(document, str) else json.dumps(document))
    table = ControlTable.model_validate({"name": "scan", "kind": kind, "file": "scan.json", **more})
    return judge_controls([table], folder)[0]


ERROR = {"ruleId": "S1", "level": "error", "message": {"text": "a password in a file"}}
GRAVE = {"id": "CVE-1", "ratings": [{"severity": "low"}, {"severity": "critical"}]}


@pytest.mark.parametrize(
    ("kind", "document", "allows", "problem"),
    [
        ("sarif", sarif(), "", ""),
        ("sarif", sarif({"level": "note"}), "", ""),
        ("sarif", sarif({"ruleId": "S2"}), "", "1 findings graver than note: warning: S2"),
        ("sarif", sarif({"ruleId": "S2"}), "warning", ""),
        ("sarif", sarif(ERROR), "warning", "1 findings graver than warning: error: S1 a password in a file"),
        ("sarif", sarif(ERROR | {"suppressions": [{"kind": "external"}]}), "", ""),
        ("cyclonedx", cyclonedx(), "", ""),
        ("cyclonedx", cyclonedx(GRAVE), "high", "1 findings graver than high: critical: CVE-1"),
        ("cyclonedx", cyclonedx(GRAVE | {"analysis": {"state": "not_affected"}}), "", ""),
        ("cyclonedx", cyclonedx({"id": "CVE-2"}), "", "1 findings graver than medium: critical: CVE-2"),
        ("policy", [{"filename": "main.tf", "warnings": [{"msg": "old"}]}], "", ""),
        ("policy", [{"filename": "main.tf", "failures": [{"msg": "open"}]}], "",
         "1 findings graver than warning: failure: main.tf open"),
        ("policy", [], "", "it is not what a policy file is: ValueError"),
        ("sarif", "no json", "", "it is not what a sarif file is: JSONDecodeError"),
        ("sarif", {"runs": []}, "", "it is not what a sarif file is: KeyError"),
        ("cyclonedx", sarif(), "", "it is not what a cyclonedx file is: KeyError"),
    ],
)  # fmt: skip
def test_what_is_too_grave_or_no_such_file_does_not_pass(tmp_path, kind, document, allows, problem):
    assert found(tmp_path, kind, document, allows=allows).problem.startswith(problem or "")
    assert bool(found(tmp_path, kind, document, allows=allows).problem) is bool(problem)


def test_a_signed_file_is_the_very_file_that_was_signed(tmp_path):
    own, other = SigningKey.new(), SigningKey.new()
    text = json.dumps(sarif())

    def signed(by: SigningKey) -> str:
        (tmp_path / "scan.json.dsse.json").write_text(json.dumps(by.sign(sarif())))
        payload = by.public.verify(json.loads((tmp_path / "scan.json.dsse.json").read_text()))
        return found(tmp_path, "sarif", payload.decode(), key=own.public.line).problem

    assert signed(own) == ""
    assert signed(other).startswith("its signature")
    signed(own)
    assert found(tmp_path, "sarif", text + " ", key=own.public.line).problem == "its signature is of another text"
    (tmp_path / "scan.json.dsse.json").unlink()
    assert "cannot be read" in found(tmp_path, "sarif", text, key=own.public.line).problem


def test_no_ring_is_opened_until_every_control_passes_and_all_is_noted(tmp_path):
    url = f"sqlite:///{tmp_path}/results.sqlite"
    table = ControlTable.model_validate({"name": "scan", "kind": "sarif", "file": "scan.json"})
    release = SimpleNamespace(id="r", path=tmp_path / "r.toml", table=SimpleNamespace(controls=(table,)))
    (tmp_path / "scan.json").write_text(json.dumps(sarif(ERROR)))
    with pytest.raises(RolloutHeld, match="control scan: 1 findings graver than note"):
        held_by_controls(release, lambda: Store(url), BY)
    (tmp_path / "scan.json").write_text(json.dumps(sarif()))
    held_by_controls(release, lambda: Store(url), BY)
    held_by_controls(release, lambda: Store(url), BY)
    store = Store(url)
    entries = EvidenceChain(store, BY, witness=ChainWitness("x", tmp_path / "seen")).entries(
        kinds=[EvidenceKind.CONTROL]
    )
    store.close()
    assert [each.body["outcome"] for each in entries] == ["failed", "passed"]
    assert all(len(each.body["digest"]) == 64 for each in entries)


def test_a_control_belongs_to_the_release(tmp_path):
    file = release_file(tmp_path, "low")
    text = file.read_text()
    control = '\n[[controls]]\nname = "scan"\nkind = "sarif"\nfile = "scan.json"\n'
    file.write_text(text + control + 'allows = "error"\n')
    with pytest.raises(ReleaseError) as wrong:
        load_release(file, Inventory.load(ROOT / "tenants"))
    assert {each.key for each in wrong.value.problems} == {"controls[0].file", "controls[0].allows"}
    file.write_text(text + control)
    (tmp_path / "scan.json").write_text("{}")
    before = load_release(file, Inventory.load(ROOT / "tenants")).digest
    (tmp_path / "scan.json").write_text("{ }")
    assert load_release(file, Inventory.load(ROOT / "tenants")).digest != before
