"""Commands as a platform: run for real, with a small program as the host."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from contextlib import nullcontext

import pytest
from rich.console import Console

from ringgate.rollout.platforms.command import CommandHosts
from ringgate.rollout.platforms.hosted import ActionRefused, HostAction
from ringgate.rollout.platforms.protocol import PlatformRequest, UpgradeRefused
from ringgate.rollout.platforms.registry import PlatformError
from tests.support.samples import tenant

HOST = """\
    #!{python} -SE
    import json, os, sys, time
    action, name, *rest = sys.argv[1:]
    state = json.load(open("state.json"))
    def say(value): print(json.dumps(value))
    if action == "status": say({{"series": state["series"]}})
    if action == "backup":
        state["backups"].append({{"name": f"b{{len(state['backups'])}}", "taken_at": "2999-01-01T00:00:00Z"}})
        say(state["backups"][-1])
    if action == "backups": say(state["backups"])
    if action == "beside": say({{"api": "http://127.0.0.1:9/copy"}})
    if action == "upgrade":
        state["series"] = rest[0]
        state["steps"] = json.load(open(rest[1]))
        state["told"] = {{k: v for k, v in os.environ.items() if k.startswith("RINGGATE_") or k == "HOST_TOKEN"}}
        print("it is done, says the host")
    if action == "roll-back": state["series"] = "7.0"
    if action == "fail": sys.stderr.write("the disk is full, and the token is " + os.environ["HOST_TOKEN"]); sys.exit(int(rest[0]))
    if action == "sleep": time.sleep(60)
    json.dump(state, open("state.json", "w"))
"""  # noqa: E501
FILE = """\
    name = "eu"
    inventory = "tenants"
    series = ["7.0", "8.0"]
    [env]
    HOST_TOKEN = { env = "RINGGATE_TEST_HOST" }
    [status]
    run = ["./host.py", "status", "{tenant}"]
    [backup]
    run = ["./host.py", "backup", "{tenant}"]
    [backups]
    run = ["./host.py", "backups", "{tenant}"]
    [restore_beside]
    run = ["./host.py", "beside", "{tenant}", "{backup}", "{copy}"]
    [remove_beside]
    run = ["./host.py", "gone", "{tenant}", "{copy}"]
    [upgrade]
    run = ["./host.py", "upgrade", "{tenant}", "{to}", "{steps}"]
    [roll_back]
    run = ["./host.py", "roll-back", "{tenant}"]
"""


@pytest.fixture
def hosts(tmp_path, monkeypatch):
    """The file of a platform, with a program beside it that keeps its state in a file."""
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("RINGGATE_TEST_HOST", "correct-horse")
    host = tmp_path / "host.py"
    host.write_text(textwrap.dedent(HOST).format(python=os.path.realpath(sys.executable)))
    host.chmod(0o755)
    (tmp_path / "state.json").write_text('{"series": "7.0", "backups": []}')
    (tmp_path / "tenants").mkdir()
    file = tmp_path / "hosts.toml"
    file.write_text(textwrap.dedent(FILE))
    return file


@pytest.fixture
def platform(hosts, monkeypatch):
    from types import SimpleNamespace

    from ringgate.rollout.platforms import hosts_file

    monkeypatch.setattr(hosts_file.Inventory, "load", lambda _: SimpleNamespace(tenants=(tenant(),)))
    return lambda: CommandHosts().open(PlatformRequest(str(hosts)), (), Console()).platform


def test_a_tenant_goes_there_and_back(platform, hosts):
    from ringgate.rollout.release_tables import ManualStepTable

    step = ManualStepTable(name="7.6: a column", sql="SELECT 1;")
    backup = platform().upgrade("aldgate", "8.0", [step], lambda _: nullcontext())
    assert platform().series("aldgate") == "8.0"
    state = json.loads((hosts.parent / "state.json").read_text())
    assert [each["text"] for each in state["steps"]] == ["SELECT 1;"]
    assert state["told"]["RINGGATE_TENANT"] == "aldgate"
    assert state["told"]["HOST_TOKEN"] == "correct-horse"
    assert len(state["told"]["RINGGATE_IDEMPOTENCY_KEY"]) == 32
    with platform().beside("aldgate", backup.name) as copy:
        assert copy.api == "http://127.0.0.1:9/copy"
    platform().roll_back("aldgate", backup.name)
    assert platform().series("aldgate") == "7.0"
    assert [each.name for each in platform().backups("aldgate")] == ["b0"]


def changed(hosts, old: str, new: str) -> None:
    text = hosts.read_text()
    assert old in text
    hosts.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (1, ActionRefused, "ended with 1: the disk is full, and the token is ***"),
        (75, PlatformError, "ended with 75: nobody can tell what came of it"),
        (4, PlatformError, "ended with 4: nobody can tell what came of it"),
    ],
)
def test_an_exit_code_says_no_or_that_nobody_can_tell(platform, hosts, code, kind, says):
    changed(hosts, '"roll-back", "{tenant}"]', f'"fail", "{{tenant}}", "{code}"]\nunknown = [4]')
    with pytest.raises(kind) as raised:
        platform().roll_back("aldgate", "b0")
    assert says in str(raised.value)
    assert "correct-horse" not in str(raised.value)


@pytest.mark.parametrize(
    ("said", "doubtful"), [('{"doubtful": true}', True), ('{"doubtful": 1}', False), ("no", False)]
)
def test_a_refusal_may_say_that_something_was_only_waited_for_in_vain(platform, hosts, said, doubtful):
    words = f'["/bin/sh", "-c", "echo \'{said}\' > {{answer}}; exit 2"]'.replace('"doubtful"', '\\"doubtful\\"')
    changed(hosts, '["./host.py", "upgrade", "{tenant}", "{to}", "{steps}"]', words)
    with pytest.raises(UpgradeRefused) as raised:
        platform().upgrade("aldgate", "8.0", [], lambda _: nullcontext())
    assert raised.value.doubtful is doubtful


def test_a_command_that_does_not_end_is_ended_and_nobody_can_tell(platform, hosts):
    changed(hosts, '"roll-back", "{tenant}"]', '"sleep", "{tenant}"]\ntimeout = "0 s"')
    with pytest.raises(PlatformError, match="did not end in 0 s and was ended: nobody can tell"):
        platform().roll_back("aldgate", "b0")


def test_no_shell_looks_at_what_is_filled_in(platform, hosts, tmp_path):
    channel = platform()._channel
    name = "x; touch pwned $(touch pwned)"
    answer = channel.call(HostAction("restore_beside", tenant(), "k", "a", {"backup": name, "copy": "{tenant}"}))
    assert answer.value == {"api": "http://127.0.0.1:9/copy"}
    assert not (tmp_path / "pwned").exists()


def test_while_a_command_of_a_killed_process_runs_no_other_one_touches_the_tenant(platform, hosts):
    channel = platform()._channel
    changed(hosts, '"upgrade", "{tenant}", "{to}", "{steps}"]', '"status", "{tenant}"]\ntimeout = "0 s"')
    again = platform()._channel
    with channel._alone("aldgate", 1.0):
        with pytest.raises(PlatformError, match="an earlier command of ours has not ended in 0 s"):
            again.settle(tenant())
        with pytest.raises(PlatformError, match="an earlier command of ours has not ended"):
            again.call(HostAction("upgrade", tenant()))
        assert again.call(HostAction("status", tenant())).value == {"series": "7.0"}
        again.settle(tenant("kyoto"))
    again.settle(tenant())


def test_all_that_is_wrong_with_a_file_is_told_at_once(hosts):
    changed(hosts, '"./host.py", "status", "{tenant}"', '"./hosting.py", "status", "{tennant}"')
    changed(hosts, 'name = "eu"', 'nam = "eu"')
    changed(hosts, '"./host.py", "backup", "{tenant}"', '"no-such-program-anywhere"')
    changed(hosts, 'inventory = "tenants"', 'inventory = "tenant"')
    with pytest.raises(PlatformError) as raised:
        CommandHosts().foreseen(PlatformRequest(str(hosts)))
    assert str(raised.value).replace(str(hosts), "F").splitlines() == [
        "F: name: is required",
        "F: nam: is not a known key; did you mean name?",
        'F: inventory: there is no such folder beside this file (got "tenant")',
        'F: status.run[0]: there is no such program beside this file (got "./hosting.py")',
        "F: status.run[2]: {tennant} is nothing that status fills in; did you mean tenant?",
        'F: backup.run[0]: there is no such program on the PATH (got "no-such-program-anywhere")',
    ]


def test_a_file_that_is_not_named_or_not_there_is_told_in_a_sentence(tmp_path):
    with pytest.raises(PlatformError, match=r"name its file, such as command=hosts\.toml"):
        CommandHosts().foreseen(PlatformRequest())
    with pytest.raises(PlatformError, match=r"hosts\.toml: cannot be read"):
        CommandHosts().foreseen(PlatformRequest(str(tmp_path / "hosts.toml")))


def test_what_a_command_said_on_both_outputs_is_told(platform, hosts):
    playbook = hosts.parent / "host.py"
    playbook.write_text("#!/bin/sh\necho 'fatal: no module account'\necho 'a warning of no interest' >&2\nexit 2\n")
    channel = platform()._channel
    with pytest.raises(ActionRefused) as refused:
        channel.call(HostAction("upgrade", tenant("aldgate"), values={"to": "8.0"}))
    assert "fatal: no module account" in str(refused.value)
    assert "a warning of no interest" in str(refused.value)
