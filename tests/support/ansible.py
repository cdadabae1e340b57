"""Ansible, in an environment of its own beside the other tools: it is talked to as a program, and no dependency."""

from __future__ import annotations

from pathlib import Path

from ringgate.estate.progress import Progress
from ringgate.estate.tools import Tools, key, python_environment, python_tag

PACKAGE = "ansible-core~=2.19"


def ansible_bin(progress: Progress | None = None) -> Path:
    """The folder with ansible-playbook, installed if it is not there."""
    tools = Tools(progress=progress)
    folder = tools.root / f"ansible-{key(1, PACKAGE, python_tag())}"
    found = tools.once("Ansible", folder, lambda new, _: python_environment(new, [PACKAGE]), "bin/ansible-playbook")
    return found / "bin"
