"""The undo journal: what must be taken back is on disk before it is done.

One file for each run that writes, one JSON object a line, flushed to the disk before the write it speaks of is sent.
The process that runs holds a lock on the file; the lock ends with the process, so that a crashed run is known by a file
nobody holds. A run that left nothing takes its file away; residue keeps its file for `ringgate recover`.

    {"run": "k3v9x2m7q4ta", "tenant": "aldgate", "scenario": "project-to-cash", "channel": "api"}
    {"seq": 1, "verb": "create_project", "role": "project_manager", "marker": "RG-k3v9x2m7q4ta-1", ...}
    {"seq": 1, "ref": "412"}              the ERP did it; {"seq": 1, "answered": true} if it refused
    {"seq": 1, "undone": "deleted"}

Begun work that waits to be finished, by another process if need be, says so and holds what is carried over:

    {"begun": {"label": "tryton-8.0", "carried": {...}}}
    {"follows": {...}}                    a document of it is followed to an integration; its reversal must come there
    {"finishing": true}                   from here on it no longer waits: killed now, it is taken back like any run
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ringgate.domain.reversal import Reversal
from ringgate.host import owned_files

LOOK = 5.0
"""Seconds that somebody who looks at a journal may hold it; it takes a few milliseconds."""


class RunJournal:
    """The reversals of one run. Not for threads; held by one process. A new one has no file until it is written to."""

    def __init__(self, path: Path, handle: int | None, head: dict[str, str]) -> None:
        self.path, self._handle, self._head = path, handle, head
        self.run_id, self.tenant = head["run"], head["tenant"]
        self.scenario, self.channel = head["scenario"], head["channel"]
        self._entries: dict[int, Reversal] = {}
        self._sent: dict[int, float] = {}
        self._answered: set[int] = set()
        self._undone: dict[int, str] = {}
        self._residue: dict[int, str] = {}
        self.follows: list[dict[str, Any]] = []
        self.begun: dict[str, Any] | None = None
        self.finishing = False

    @property
    def waits(self) -> bool:
        """Whether it holds begun work that nobody has gone on with."""
        return self.begun is not None and not self.finishing

    @property
    def label(self) -> str:
        """Under which label the work was begun, "" for an ordinary run."""
        return str(self.begun["label"]) if self.begun else ""

    @property
    def verbs(self) -> tuple[str, ...]:
        """Everything that was written, in its order, by the verb that wrote it."""
        return tuple(each.verb for each in self._entries.values())

    def wait(self, label: str, carried: Any) -> None:
        """Durably note that the work is begun, and what is carried over (JSON-safe). Nobody undoes it now."""
        self.begun = {"label": label, "carried": carried}
        self._append({"begun": self.begun}, durable=True)

    def go_on(self) -> None:
        """Durably note that the second phase begins."""
        self.finishing = True
        self._append({"finishing": True}, durable=True)

    def follow(self, line: Mapping[str, Any]) -> None:
        """Durably note that a document is followed to an integration."""
        self.follows.append(dict(line))
        self._append({"follows": self.follows[-1]}, durable=True)

    def register(self, reversal: Reversal) -> int:
        """Durably note what must be undone. Returns its number. To be called before the write is sent."""
        seq = len(self._entries) + 1
        self._entries[seq], self._sent[seq] = reversal, time.time()
        self._append({"seq": seq, **asdict(reversal), "at": self._sent[seq]}, durable=True)
        return seq

    def resolve(self, seq: int, ref: str) -> None:
        """Note what came of it. Not flushed: after a crash the record is found by its marker instead."""
        self._entries[seq] = replace(self._entries[seq], ref=ref)
        self._append({"seq": seq, "ref": ref})

    def answered(self, seq: int) -> None:
        """Note that the ERP answered, but not by doing it: nothing can come of it any more."""
        self._answered.add(seq)
        self._append({"seq": seq, "answered": True})

    def unsettled(self, seq: int, within: float) -> float:
        """Seconds for which the ERP may still do what it was asked: no answer came, and it was sent less than
        `within` seconds ago. 0.0 if it is settled."""
        if self._entries[seq].ref or seq in self._answered:
            return 0.0
        return max(0.0, self._sent.get(seq, 0.0) + within - time.time())

    def pending(self) -> list[tuple[int, Reversal]]:
        """What is still to be undone, newest first."""
        return [(seq, entry) for seq, entry in sorted(self._entries.items(), reverse=True) if seq not in self._undone]

    def undone(self, seq: int, what: str) -> None:
        self._undone[seq] = what
        self._residue.pop(seq, None)
        self._append({"seq": seq, "undone": what})

    def left(self, seq: int, reason: str) -> None:
        """It could not be undone: this is residue, which the next recovery takes up again."""
        self._residue[seq] = reason
        self._append({"seq": seq, "residue": reason})

    def close(self) -> None:
        """Let go. The file goes too if nothing is left to undo."""
        if self._handle is not None and not self.pending():
            self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Let go, and leave the file as it is for who comes next."""
        if self._handle is not None:
            os.close(self._handle)

    def _append(self, line: dict[str, Any], *, durable: bool = False) -> None:
        text = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        if self._handle is None:
            self._begin(text)
            return
        os.write(self._handle, text)
        if durable:
            os.fdatasync(self._handle)

    def _begin(self, line: bytes) -> None:
        """Makes the file with its first two lines, durably."""
        head = json.dumps(self._head, ensure_ascii=False).encode() + b"\n"
        self._handle = owned_files.make(self.path, head + line, durable=True)

    def _replay(self, line: dict[str, Any]) -> None:
        if "follows" in line:
            self.follows.append(line["follows"])
            return
        if "seq" not in line:
            self.begun = line.get("begun", self.begun)
            self.finishing = self.finishing or "finishing" in line
            return
        seq = int(line["seq"])
        if "verb" in line:
            self._sent[seq] = float(line.get("at", 0.0))
            self._entries[seq] = Reversal(**{key: value for key, value in line.items() if key not in ("seq", "at")})
        elif "answered" in line:
            self._answered.add(seq)
        elif "undone" in line:
            self._undone[seq] = str(line["undone"])
        elif "residue" in line:
            self._residue[seq] = str(line["residue"])
        elif "ref" in line and seq in self._entries:
            self._entries[seq] = replace(self._entries[seq], ref=str(line["ref"]))


class Journal:
    """The folder of all journals of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def begin(self, run_id: str, tenant: str, scenario: str, channel: str) -> RunJournal:
        head = {"run": run_id, "tenant": tenant, "scenario": scenario, "channel": channel}
        return RunJournal(self.folder / f"{run_id}.jsonl", None, head)

    def crashed(self, tenants: frozenset[str] | None = None, *, in_flight: bool = False) -> Iterator[RunJournal]:
        """Each journal that no living process holds, locked for the caller, oldest first.

        Begun work that waits to be finished is no crash, and only given with `in_flight`."""
        for journal in self.free(tenants):
            if journal.waits and not in_flight:
                journal.release()
            else:
                yield journal

    def tenants_hit(self, tenants: frozenset[str]) -> set[str]:
        """Those of them on which runs that no longer live left something. Raises ValueError for a file that is no
        journal."""
        found = set()
        for each in self.free(tenants):
            if not each.waits:
                found.add(each.tenant)
            each.release()
        return found

    def run_ids(self) -> set[str]:
        """Every run that there is a journal of, whoever holds it."""
        return {path.stem for path in self.folder.glob("*.jsonl")}

    def free(self, tenants: frozenset[str] | None = None) -> Iterator[RunJournal]:
        """Each journal that no living process holds, waiting ones too, locked for the caller, oldest first.

        A last line that a crash cut short is passed over: its write was never sent. A file that cannot be read as a
        journal is kept and raises ValueError with its name."""
        owned_files.sweep(self.folder)  # killed before the file had its name: nothing was sent
        for path in sorted(self.folder.glob("*.jsonl"), key=_age):
            if tenants is not None and _tenant_of(path) not in (None, *tenants):
                continue  # it is not even held for a moment, in which those who look for it would miss it
            handle = owned_files.take(path) or _looked_at(path)
            if handle is None:
                continue
            journal = _read(path, handle)
            if journal is None or (tenants is not None and journal.tenant not in tenants):
                os.close(handle)
                continue
            yield journal


def _age(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:  # its run has ended meanwhile
        return 0


def _tenant_of(path: Path) -> str | None:
    """Whose journal it is, by its first line, which never changes; None where that cannot be told."""
    try:
        with path.open("rb") as file:
            return str(json.loads(file.readline())["tenant"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _looked_at(path: Path) -> int | None:
    """A journal of begun work is held by nobody, but for a moment by who looks at it, or goes on with it: it is waited
    for. None for a journal of a living run."""
    until = time.monotonic() + LOOK
    while _holds_begun_work(path) and time.monotonic() < until:
        handle = owned_files.take(path)
        if handle is not None:
            return handle
        time.sleep(0.01)
    return None


def _holds_begun_work(path: Path) -> bool:
    try:
        lines = path.read_bytes().split(b"\n")[1:-1]
        names = {name for line in lines for name in json.loads(line)}
    except (OSError, ValueError):
        return False
    return "begun" in names and "finishing" not in names


def _read(path: Path, handle: int) -> RunJournal | None:
    lines = path.read_bytes().split(b"\n")
    whole, tail = lines[:-1], lines[-1]
    if tail:  # cut short by a crash: end the line, so that what follows is readable
        os.write(handle, b"\n")
    if not whole:  # nothing was ever registered
        path.unlink(missing_ok=True)
        return None
    parsed: list[dict[str, Any]] = []
    for number, line in enumerate(whole):
        try:
            parsed.append(json.loads(line))
        except ValueError:
            if number == 0:
                raise ValueError(f"{path} is not a journal; move it away to go on without it") from None
    journal = RunJournal(path, handle, parsed[0])
    for entry in parsed[1:]:
        journal._replay(entry)
    return journal
