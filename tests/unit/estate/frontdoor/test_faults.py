"""Which rule fits which request, and how often."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from ringgate.estate.frontdoor.dialect import ProxiedRequest
from ringgate.estate.frontdoor.faults import FaultControl, FaultFile, Injector, NetworkFault, fits, look, replaced

LOGIN = {"id": 1, "method": "common.db.login", "params": ["synthetic.accountant", {"password": "wrong"}, "en"]}
CALL = ProxiedRequest("aldgate", "POST", "/aldgate/", LOGIN, "common.db.login")


def pick_all(tmp_path: Path, rule: NetworkFault, times: int = 5) -> list[bool]:
    injector = Injector(tmp_path / "faults.jsonl")
    file = FaultFile(generation="a", rules=(rule,))
    return [injector.pick(file, CALL) is not None for _ in range(times)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (NetworkFault(delay=1), True),
        (NetworkFault(delay=1, tenant="aldgate"), True),
        (NetworkFault(delay=1, tenant="kyoto"), False),
        (NetworkFault(delay=1, method="^POST$", path="^/aldgate/$"), True),
        (NetworkFault(delay=1, method="GET"), False),
        (NetworkFault(delay=1, rpc=r"db\.login$"), True),
        (NetworkFault(delay=1, rpc="invoice"), False),
        (NetworkFault(delay=1, where={"params.0": "accountant"}), True),
        (NetworkFault(delay=1, where={"params.0": "auditor"}), False),
        (NetworkFault(delay=1, where={"params.7": "anything"}), False),
    ],
)
def test_a_rule_speaks_of_a_request(rule: NetworkFault, expected: bool) -> None:
    assert fits(rule, CALL) is expected


def test_a_request_without_a_procedure_fits_no_rule_on_procedures() -> None:
    assert not fits(NetworkFault(delay=1, rpc="."), ProxiedRequest("aldgate", "GET", "/", None))


def test_a_rule_can_be_limited_and_begin_late(tmp_path: Path) -> None:
    assert pick_all(tmp_path, NetworkFault(status=500, times=2)) == [True, True, False, False, False]
    assert pick_all(tmp_path, NetworkFault(status=500, skip=3)) == [False, False, False, True, True]
    assert pick_all(tmp_path, NetworkFault(status=500, skip=1, times=1)) == [False, True, False, False, False]


def test_new_rules_are_counted_anew(tmp_path: Path) -> None:
    injector = Injector(tmp_path / "faults.jsonl")
    once = NetworkFault(status=500, times=1)
    assert injector.pick(FaultFile(generation="a", rules=(once,)), CALL) is once
    assert injector.pick(FaultFile(generation="a", rules=(once,)), CALL) is None
    assert injector.pick(FaultFile(generation="b", rules=(once,)), CALL) is once


def test_the_first_rule_that_fits_wins(tmp_path: Path) -> None:
    first, second = NetworkFault(status=500, rpc="login"), NetworkFault(status=501)
    file = FaultFile(generation="a", rules=(first, second))
    assert Injector(tmp_path / "faults.jsonl").pick(file, CALL) is first


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"status": 500, "garbage": True},
        {"status": 200},
        {"status": 600},
        {"rpc": "(", "status": 500},
        {"probability": 0, "status": 500},
        {"unknown": 1, "status": 500},
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NetworkFault.model_validate(values)


def test_values_are_looked_up_and_replaced_at_dotted_places() -> None:
    assert look(LOGIN, "params.1.password") == "wrong"
    assert look(LOGIN, "params.1.absent") == ""
    changed = replaced(LOGIN, {"params.1.password": "right", "params.9": "ignored", "absent.place": "ignored"})
    assert changed["params"] == ["synthetic.accountant", {"password": "right"}, "en"]
    assert look(LOGIN, "params.1.password") == "wrong"


def test_rules_are_set_lifted_and_their_hits_read_back(tmp_path: Path) -> None:
    control = FaultControl(tmp_path, tmp_path)
    assert control.hits() == []
    with control.during(NetworkFault(status=503, tenant="aldgate")):
        file = tmp_path / "faults.json"
        assert file.stat().st_mode & 0o777 == 0o600
        rules = FaultFile.model_validate_json(file.read_text())
        Injector(tmp_path / "faults.jsonl").pick(rules, CALL)
        hit = {"tenant": "aldgate", "rpc": "common.db.login", "path": "/aldgate/", "action": "status", "rule": 0}
        assert control.hits() == [hit]
    assert FaultFile.model_validate_json(file.read_text()).rules == ()
    assert control.hits() == []
