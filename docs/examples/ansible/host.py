#!/usr/bin/env python3
"""The hosts' own tool, as playbooks call it: here it drives the tenants of an estate of this machine.

host.py status TENANT                     {"tenant": "aldgate", "series": "7.0", "artefacts": {...}, ...}
host.py build SERIES                      {"erp": "sha256:..."}: what is installed of a series, as a release names it
host.py backup|backups TENANT             {"name": ..., "taken_at": ..., "size": ..., "seconds": ...}, or a list of such
host.py upgrade TENANT TO STEPS           {"backup": {...}, "address": "http://127.0.0.1:..."}
host.py roll-back TENANT BACKUP           nothing
host.py restore TENANT BACKUP COPY        {"api": "http://127.0.0.1:..."}; the copy is served until it is removed
host.py remove TENANT COPY                nothing

The variable ESTATE names the estate. Ends with 0; with 1 and a sentence if the tenant is as it was, and then answers
{"doubtful": true} if something was only waited for in vain; with 75 if nobody can tell. On hosts of your own this file
is what your firm has already: `ssh`, an operator's script, a control panel.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ringgate.domain.errors import RinggateError
from ringgate.estate import Estate
from ringgate.estate.backups import BackupFile
from ringgate.estate.upgrading import ManualStep, UpgradeFailed

WAITS = ("close", "serve", "verify")
"""Parts of an upgrade that wait for requests to end, or for a server: too slow is not wrong."""

SERVED = 120.0
"""Seconds within which a restored copy must be served."""


def main(action: str, tenant: str, *rest: str) -> int:
    estate = Estate.at(os.environ.get("ESTATE", "demo"))
    try:
        answer = ACTIONS[action](estate, tenant, *rest)
    except UpgradeFailed as failed:
        if failed.at in WAITS:
            print(json.dumps({"doubtful": True}))
        return _says(f"{failed.at}: {failed.reason}", 1)
    except RinggateError as problem:
        return _says(str(problem), 75)
    if answer is not None:
        print(json.dumps(answer))
    return 0


def status(estate: Estate, tenant: str) -> dict[str, Any]:
    """An upgrade that was cut off is not under way: its tenant is told to be repaired."""
    place = estate.place(tenant)
    series = f"{place.series}, half migrated" if place.upgrade else place.series
    return {
        "tenant": tenant, "series": series, "busy": False, "observed_at": f"{datetime.now(UTC).isoformat()}",
        "artefacts": build(estate, place.series),
    }  # fmt: skip


def build(estate: Estate, series: str) -> dict[str, str]:
    """What is installed: each package's list of its files with digests. Empty for an ERP that has no such."""
    environment = getattr(estate.serving.server(series), "environment", None)
    records = sorted(Path(environment).glob("lib/*/site-packages/*.dist-info/RECORD")) if environment else []
    if not records:
        return {}
    digest = hashlib.sha256()
    for record in records:
        digest.update(f"{record.parent.name}\n".encode() + record.read_bytes())
    return {"erp": f"sha256:{digest.hexdigest()}"}


def backup(estate: Estate, tenant: str) -> dict[str, Any]:
    return _told(estate.backup(tenant))


def backups(estate: Estate, tenant: str) -> list[dict[str, Any]]:
    return [_told(each) for each in estate.backups.of(tenant)]


def upgrade(estate: Estate, tenant: str, to: str, steps: str) -> dict[str, Any]:
    listed = json.loads(Path(steps).read_text(encoding="utf-8"))
    chosen = [ManualStep(each["name"], each["sql"], tuple(each["command"]), each["tool"]) for each in listed]
    taken = estate.upgrade(tenant, to, chosen)
    return {"backup": _told(taken), "address": estate.front_door(tenant)}


def roll_back(estate: Estate, tenant: str, name: str) -> None:
    estate.roll_back(tenant, estate.backups.find(tenant, name))


def restore(estate: Estate, tenant: str, name: str, copy: str) -> dict[str, Any]:
    """Another process serves the copy; this one waits until it does."""
    note = _note(estate, copy)
    if not note.is_file():
        words = [sys.executable, str(Path(__file__).resolve()), "hold", tenant, name, copy]
        log = note.with_suffix(".log")
        with log.open("wb") as errors:
            held = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True
            )
        until = time.monotonic() + SERVED
        while not note.is_file() and held.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        if not note.is_file():
            held.terminate()
            raise RinggateError(f"{copy} is not served: {log.read_text(encoding='utf-8')[-500:]}")
    return {"api": json.loads(note.read_text(encoding="utf-8"))["api"]}


def hold(estate: Estate, tenant: str, name: str, copy: str) -> None:
    """Serves a copy until it is told to end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    note = _note(estate, copy)
    try:
        with estate.beside(estate.backups.find(tenant, name)) as served:
            new = note.with_suffix(".new")
            new.write_text(json.dumps({"api": served.api, "process": os.getpid()}), encoding="utf-8")
            new.rename(note)
            while True:
                signal.pause()
    finally:
        note.unlink(missing_ok=True)


def remove(estate: Estate, tenant: str, copy: str) -> None:
    note = _note(estate, copy)
    until = time.monotonic() + SERVED
    while note.is_file():
        try:
            os.kill(json.loads(note.read_text(encoding="utf-8"))["process"], signal.SIGTERM)
        except (ProcessLookupError, FileNotFoundError):
            note.unlink(missing_ok=True)
        if time.monotonic() > until:
            raise RinggateError(f"{copy} is still served")
        time.sleep(0.2)


def _note(estate: Estate, copy: str) -> Path:
    folder = estate.run / "copies"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{copy}.json"


def _told(taken: BackupFile) -> dict[str, Any]:
    return taken.model_dump(mode="json", include={"name", "taken_at", "size", "seconds"})


def _says(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code


ACTIONS: dict[str, Callable[..., Any]] = {
    "status": status, "backup": backup, "backups": backups, "upgrade": upgrade, "roll-back": roll_back,
    "restore": restore, "remove": remove, "hold": hold, "build": build,
}  # fmt: skip

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ACTIONS:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
