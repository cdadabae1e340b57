"""Which ports an estate takes: the base is its first ERP server's, the tenants' follow it, then further servers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import psutil

import ringgate
from ringgate.estate.errors import EstateError
from ringgate.estate.processes import listener, port_is_free, stop_tree
from ringgate.estate.record import EstateRecord
from ringgate.host import paths

DEMO_BASE = 8070
STEP = 100
SECURE = 50
"""A tenant's port for TLS lies this far above its ordinary one."""
PORTS = 75
"""Ports of one estate: those of 24 tenants, of a server for each series, and of the tenants for TLS."""


def server(base: int, index: int) -> int:
    """The port of the estate's ERP server of the series that is number `index`, counted from 0."""
    return base if index == 0 else base + 24 + index


def choose(name: str) -> int:
    """The base for a new estate: 8070 for the demo, for others the first hundred above it that nobody uses."""
    if name == "demo":
        return DEMO_BASE
    known = [EstateRecord.read(folder) for folder in paths.estate(name).parent.glob("*/")]
    taken = {record.port_base for record in known if record}
    for base in range(DEMO_BASE + STEP, 30000, STEP):
        if base not in taken and all(port_is_free(port) for port in range(base, base + PORTS)):
            return base
    raise EstateError("No hundred free ports were found: choose one with --port-base N.")


def check(wanted: Sequence[int], folder: Path, base: int) -> None:
    """Makes sure the ports can be taken; a server of this very estate that lost its pid file is stopped for it."""
    for port in wanted:
        if port_is_free(port):
            continue
        owner = listener(port)
        if owner is not None and _belongs_to(owner, folder):
            stop_tree(owner, patience=10)
            if port_is_free(port):
                continue
        who = f" by {owner.name()} (process {owner.pid})" if owner else ""
        name = "" if folder.name == "demo" else f" --name {folder.name}"
        raise EstateError(
            f"Port {port} is taken{who}: stop that program, or start the estate on other ports with "
            f"`ringgate estate up{name} --port-base {_other(base)}`."
        )


def environment() -> dict[str, str]:
    """The environment for a process of our own, in which this very package is found."""
    root = str(Path(ringgate.__file__).resolve().parents[1])
    found = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(found), "PYTHONUNBUFFERED": "1"}


def _belongs_to(process: psutil.Process, folder: Path) -> bool:
    try:
        return any(str(folder) + os.sep in word for word in process.cmdline())
    except psutil.Error:
        return False


def _other(base: int) -> int:
    for candidate in range(base + 1000, 30000, 1000):
        if all(port_is_free(port) for port in range(candidate, candidate + PORTS)):
            return candidate
    return base + 1000
