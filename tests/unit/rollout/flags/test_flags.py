"""Features in a flag file, asked of flagd's own provider, and features that commands switch: both for real."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from ringgate.rollout.activation_tables import ActivationTable, FlagTable
from ringgate.rollout.flags.flagd import FlagdFlag
from ringgate.rollout.flags.known import flags_of
from ringgate.rollout.flags.protocol import FlagRefused, FlagUnknown, switched
from tests.support.samples import tenant

ENDS = date(2999, 12, 31)
OTHER = {"state": "ENABLED", "variants": {"red": "#f00"}, "defaultVariant": "red"}
PROGRAM = """#!{python} -SE
import pathlib, sys
tenant, flag, *state = sys.argv[1:]
file = pathlib.Path(f"{{tenant}}-{{flag}}")
if not state: print(file.read_text() if file.exists() else "off")
elif tenant == "stuck": pass
elif tenant == "denied": sys.exit("not licensed")
else: file.write_text(state[0])
"""


def flag_of(name: str = "new-invoicing", **more) -> FlagTable:
    return FlagTable(name=name, owner="billing", ends=ENDS, **more)


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    found = tmp_path / "flags.json"
    ours = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
    found.write_text(json.dumps({"$schema": "https://flagd.dev/schema/v0/flags.json",
                                 "flags": {"new-invoicing": ours, "colour": OTHER}}))  # fmt: skip
    return found


@pytest.fixture
def commands(tmp_path):
    program = tmp_path / "feature.py"
    program.write_text(PROGRAM.format(python=os.path.realpath(sys.executable)))
    program.chmod(0o755)
    words = ("./feature.py", "{tenant}", "{flag}")
    (found,) = flags_of(ActivationTable(flags=(flag_of(switch=(*words, "{state}"), ask=words),)), tmp_path)
    return found


def test_a_flag_of_a_file_is_on_for_whom_it_was_switched_on_and_for_nobody_else(file):
    flag, one, other = FlagdFlag(file, flag_of(file="flags.json")), tenant(id="aldgate"), tenant(id="kyoto")
    assert (flag.state(one), switched(flag, one, True), flag.state(one), flag.state(other)) == (
        False,
        True,
        True,
        False,
    )
    assert not switched(flag, one, True), "there is nothing to do a second time"
    assert switched(flag, one, False)
    assert not flag.state(one)
    assert json.loads(file.read_text())["flags"]["colour"] == OTHER


def test_tenants_that_are_switched_at_the_same_time_do_not_lose_each_other(file):
    flag, all_of_them = FlagdFlag(file, flag_of(file="flags.json")), [tenant(id=f"t{n}") for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda each: switched(flag, each, True), all_of_them))
    assert all(flag.state(each) for each in all_of_them)


@pytest.mark.parametrize("text", ["", "{", '{"flags": {}}'])
def test_a_file_that_cannot_be_evaluated_says_neither_on_nor_off(file, text):
    file.write_text(text)
    with pytest.raises(FlagUnknown):
        FlagdFlag(file, flag_of(file="flags.json")).state(tenant())


def test_a_targeting_of_somebody_elses_is_not_written_over(file):
    whole = json.loads(file.read_text())
    whole["flags"]["new-invoicing"]["targeting"] = {"if": [{"==": [{"var": "country"}, "JP"]}, "on", "off"]}
    file.write_text(before := json.dumps(whole))
    with pytest.raises(FlagUnknown, match="targeting of new-invoicing that is not ours"):
        FlagdFlag(file, flag_of(file="flags.json")).switch(tenant(), True)
    assert file.read_text() == before


def test_commands_switch_and_say_what_is(commands):
    one = tenant(id="aldgate")
    assert (switched(commands, one, True), commands.state(one)) == (True, True)
    assert (switched(commands, one, False), commands.state(one)) == (True, False)


@pytest.mark.parametrize(("name", "why"), [("stuck", "is not on after it was"), ("denied", "not licensed")])
def test_what_a_command_says_is_believed_only_when_it_was_asked_afterwards(commands, name, why):
    with pytest.raises(FlagRefused, match=why):
        switched(commands, tenant(id=name), True)


def test_a_command_that_says_something_else_leaves_it_unknown(commands, tmp_path):
    (tmp_path / "aldgate-new-invoicing").write_text("perhaps")
    with pytest.raises(FlagUnknown, match='said "perhaps", and neither on nor off'):
        switched(commands, tenant(id="aldgate"), True)
