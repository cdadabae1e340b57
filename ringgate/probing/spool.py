"""What ran, on disk before it is in the store: a prober that is killed loses no result and counts none twice.

One file for each prober, one JSON object a line, written at once and not flushed (what is written outlives its process,
not its machine). Its lock ends with the process. Whoever comes next stores what a dead prober's file holds and the
store does not; of a run that has no end there, a `broken` result of kind `killed` is made: it is not passed over.

    {"began": {"run_id": "k3v9x2m7q4ta", "tenant": "aldgate", ...}}
    {"ended": {"run_id": "k3v9x2m7q4ta", "outcome": "passed", "steps": [...], "touched": [...], ...}}
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ringgate.domain.events import Event, RunFinished, RunStarted
from ringgate.domain.model import Failure, RunResult
from ringgate.domain.terms import Channel, Outcome, Source
from ringgate.host import owned_files
from ringgate.host.run_locks import Crowded, Occupied
from ringgate.store.rows import result_of, row_of

FULL = 4 * 2**20
"""Bytes from which on a file is written anew, without what is in the store already."""


class Spool:
    """The spool of one prober. A sink, safe for threads; what ended goes on to `then`."""

    def __init__(self, folder: Path, name: str, then: Callable[[RunResult], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path, self._then = folder / f"{name}.jsonl", then
        self._alone = threading.Lock()
        self._last: dict[str, bytes] = {}  # of each run that is not in the store, its last line
        self._handle, self._size = owned_files.make(self._path, b""), 0

    def on(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._write("began", event.run_id, _begun(event))
        elif isinstance(event, RunFinished) and not no_room(event.result):
            self._write("ended", event.result.run_id, _ended(event.result))
            self._then(event.result)

    def _write(self, what: str, run_id: str, value: Mapping[str, Any]) -> None:
        line = json.dumps({what: value}, ensure_ascii=False).encode() + b"\n"
        with self._alone:
            os.write(self._handle, line)
            self._last[run_id] = line
            self._size += len(line)

    def stored(self, results: Iterable[RunResult]) -> None:
        """They are in the store. A file that has grown is written anew without them."""
        with self._alone:
            for result in results:
                self._last.pop(result.run_id, None)
            if self._size > FULL:
                content = b"".join(self._last.values())
                before, self._handle, self._size = self._handle, owned_files.make(self._path, content), len(content)
                os.close(before)

    def close(self) -> None:
        """Let go. The file stays if it holds what is not in the store."""
        with self._alone:
            if not self._last:
                self._path.unlink(missing_ok=True)
            os.close(self._handle)


def no_room(result: RunResult) -> str:
    """The kind of failure if there was no run at all, only no room for one; else ""."""
    kind = result.failure.kind if result.failure else ""
    return kind if kind in (Occupied.kind, Crowded.kind) else ""


def drain(folder: Path, store: Callable[[Sequence[RunResult]], None]) -> list[RunResult]:
    """Stores what dead probers have left, and removes it. `store` passes over what is stored already.

    Returns the runs that were killed."""
    killed: list[RunResult] = []
    owned_files.sweep(folder)
    for path in sorted(folder.glob("*.jsonl")):
        if (handle := owned_files.take(path)) is None:
            continue
        try:
            begun, ended = _read(path)
            cut_off = [_killed(begun[run_id]) for run_id in begun if run_id not in ended]
            store([*ended.values(), *cut_off])
            killed += cut_off
            path.unlink()
        finally:
            os.close(handle)
    return killed


def _read(path: Path) -> tuple[dict[str, Mapping[str, Any]], dict[str, RunResult]]:
    """What began and what ended. A line that was cut short says nothing."""
    begun: dict[str, Mapping[str, Any]] = {}
    ended: dict[str, RunResult] = {}
    for line in path.read_bytes().split(b"\n"):
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if "began" in said:
            begun[said["began"]["run_id"]] = said["began"]
        else:
            ended[said["ended"]["run_id"]] = _result(said["ended"])
    return begun, ended


def _begun(run: RunStarted) -> dict[str, str]:
    return {
        "run_id": run.run_id, "trace_id": run.trace_id, "scenario": run.scenario.id, "tenant": run.tenant.id,
        "ring": run.tenant.ring, "channel": run.channel.value, "started_at": run.started_at.isoformat(),
        "session": run.session, "release": run.release, "source": run.source.value,
    }  # fmt: skip


def _ended(result: RunResult) -> dict[str, Any]:
    return {**row_of(result), "started_at": result.started_at.isoformat(), "touched": sorted(result.touched)}


def _result(said: Mapping[str, Any]) -> RunResult:
    result = result_of({**said, "started_at": datetime.fromisoformat(said["started_at"])})
    return replace(result, touched=frozenset(said["touched"]))


def _killed(begun: Mapping[str, Any]) -> RunResult:
    failure = Failure("killed", "The prober was killed while this ran: what it had written is taken back.")
    return RunResult(
        **{
            **begun,
            "channel": Channel(begun["channel"]),
            "source": Source(begun["source"]),
            "started_at": datetime.fromisoformat(begun["started_at"]),
        },
        outcome=Outcome.BROKEN,
        seconds=0.0,
        failure=failure,
    )
