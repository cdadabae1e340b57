"""docs/examples/ansible is a platform that can be read, and its playbooks call what is there. It is run for real in
tests/erp/test_ansible.py."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from ringgate.rollout.platforms.command import CommandHosts
from ringgate.rollout.platforms.protocol import PlatformRequest

ROOT = Path(__file__).parents[4]
EXAMPLE = ROOT / "docs" / "examples" / "ansible"


@pytest.fixture
def example(tmp_path, monkeypatch):
    folder = tmp_path / "ansible"
    shutil.copytree(EXAMPLE, folder)
    shutil.copytree(ROOT / "tenants", folder / "tenants")
    playbook = tmp_path / "bin" / "ansible-playbook"
    playbook.parent.mkdir()
    playbook.write_text("#!/bin/sh\n")
    playbook.chmod(0o755)
    monkeypatch.setenv("PATH", str(playbook.parent), prepend=":")
    return folder / "hosts.toml"


def test_its_file_is_right(example):
    inventory, series = CommandHosts().foreseen(PlatformRequest(str(example)))
    assert inventory.tenants
    assert series == ("7.0", "8.0")


def test_playbooks_use_what_the_file_gives_them_and_actions_that_the_tool_has():
    hosts, tool = (EXAMPLE / "hosts.toml").read_text(), (EXAMPLE / "host.py").read_text()
    called = set(re.findall(r'"([\w-]+\.yml)"', hosts))
    assert called == {each.name for each in EXAMPLE.glob("*.yml")}
    for name in called:
        (play,) = yaml.safe_load((EXAMPLE / name).read_text())
        assert play["connection"] == "local"
        for action in re.findall(r'\{\{ tool \}\}", ([\w-]+)', (EXAMPLE / name).read_text()):
            assert f'"{action}":' in tool
