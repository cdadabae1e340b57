"""Rights that a release is given for a time: granted when work on it begins, taken back when that ends or their time is
over, and looked at afterwards. Each of these steps is evidence.

record = with_rights(elevations_of(release, ledger, open_store, by), ledger, controller.run)

What is granted stands on disk before it is asked for. A process that is killed takes nothing back: the next start does,
first of all, and so does `ringgate rollout revoke`.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from ringgate.domain.errors import OurSideError
from ringgate.evidence import EvidenceActor, EvidenceChain, EvidenceKind, NewEvidence
from ringgate.host.atomic_files import write_atomically
from ringgate.host.secrets import redact
from ringgate.rollout.elevation_tables import ElevationTable
from ringgate.rollout.record import RecordKeeper, RehearsalRecord
from ringgate.rollout.release import Release
from ringgate.store import Store

Note = Callable[[ElevationTable, str, str], None]
"""Keeps as evidence what was done with a right: `granted`, `revoked` or `still granted`, and why."""


class ElevationError(OurSideError):
    """A right could not be granted, or could not be seen to be taken back."""

    kind = "elevation"


class Elevations:
    """The rights of one release. `folder` is where its commands run, `place` the file that says what is granted."""

    def __init__(self, tables: Sequence[ElevationTable], folder: Path, place: Path, note: Note) -> None:
        self._tables, self._folder, self._place, self._note = tables, folder.absolute(), place, note
        self._timers: list[threading.Timer] = []
        self._guard = threading.Lock()
        self._late: list[str] = []

    def __enter__(self) -> Elevations:
        """Raises ElevationError; then nothing is granted that is not told in it."""
        self.revoke("left by a process that was ended")
        try:
            for table in self._tables:
                self._grant(table)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises ElevationError for what could not be taken back, unless something else went wrong, too."""
        for timer in self._timers:
            timer.cancel()
        try:
            self.revoke("the work is over")
            if self._late:
                raise ElevationError("; ".join(self._late))
        except ElevationError:
            if error is None:
                raise

    def granted(self) -> frozenset[str]:
        """The names of those that are not known to be taken back."""
        try:
            return frozenset(json.loads(self._place.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return frozenset()
        except (OSError, ValueError) as error:
            raise ElevationError(f"{self._place} cannot be read: which rights are granted is not known") from error

    def revoke(self, why: str) -> list[str]:
        """Takes back what is granted, each even if another fails. Returns their names; raises ElevationError."""
        names, failed = self.granted(), []
        known = {table.name: table for table in self._tables}
        for name in sorted(names - known.keys()):
            failed.append(f"{name} was granted, and the release does not name it any more: take it back by hand")
        for name in sorted(names & known.keys()):
            try:
                self._take_back(known[name], why)
            except ElevationError as error:
                failed.append(str(error))
        if failed:
            raise ElevationError("; ".join(failed))
        return sorted(names)

    def _grant(self, table: ElevationTable) -> None:
        self._keep(self.granted() | {table.name})
        self._note(table, "granted", table.reason)
        self._run(table, table.grant, "granted")
        if self._look(table) != "granted":
            raise ElevationError(f"{table.name} was granted, and its check says that it is not")
        timer = threading.Timer(table.ends.total_seconds(), self._over, [table])
        timer.daemon = True
        timer.start()
        self._timers.append(timer)

    def _over(self, table: ElevationTable) -> None:
        try:
            self._take_back(table, "its time is over")
        except Exception as error:  # a thread has nobody to raise it to; the end of the work tells it
            self._late.append(str(error))

    def _take_back(self, table: ElevationTable, why: str) -> None:
        with self._guard:
            if table.name not in self.granted():
                return
            try:
                self._run(table, table.revoke, "taken back")
                if self._look(table) != "revoked":
                    raise ElevationError(f"{table.name} was taken back, and its check says that it is still granted")
            except ElevationError as error:
                self._note(table, "still granted", str(error))
                raise ElevationError(f"{error}; {table.owner} must take it back") from error
            self._note(table, "revoked", why)
            self._keep(self.granted() - {table.name})

    def _keep(self, names: frozenset[str]) -> None:
        try:
            write_atomically(self._place, json.dumps(sorted(names)))
        except OSError as error:
            raise ElevationError(f"{self._place} cannot be written: {error.strerror}") from error

    def _look(self, table: ElevationTable) -> str:
        said = self._run(table, table.check, "looked at")
        if said not in ("granted", "revoked"):
            raise ElevationError(f'{table.name}: its check said "{said[:80]}", and neither granted nor revoked')
        return said

    def _run(self, table: ElevationTable, words: Sequence[str], what: str) -> str:
        program = str(self._folder / words[0]) if "/" in words[0] else words[0]
        limit = table.timeout.total_seconds()
        try:
            done = subprocess.run(
                [program, *words[1:]], cwd=self._folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                check=False, timeout=limit,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ElevationError(f"{table.name} could not be {what}: {words[0]} did not end in {limit:.0f} s") from None
        except OSError as error:
            raise ElevationError(f"{table.name} could not be {what}: {words[0]}: {error.strerror}") from error
        if done.returncode:
            told = redact(" ".join((done.stderr or done.stdout).split()))[-500:] or "it said nothing"
            raise ElevationError(f"{table.name} could not be {what}: {words[0]} ended with {done.returncode}: {told}")
        return done.stdout.strip()


def place_of(folder: Path) -> Path:
    """The file that says what is granted, by the folder of the record."""
    return folder.with_name(f"{folder.name}.elevations.json")


def elevations_of(
    release: Release, ledger: RecordKeeper, open_store: Callable[[], Store], by: EvidenceActor
) -> Elevations:
    """Those of a release. What is granted stands beside the folder of its record, which may be forgotten."""
    noted = itertools.count()

    def note(table: ElevationTable, action: str, why: str) -> None:
        key = f"elevation/{ledger.record.session}/{ledger.record.starts}/{next(noted)}/{table.name}/{action}"
        store = open_store()
        try:
            body = body_of(table, action, redact(why))
            EvidenceChain(store, by).append(NewEvidence(EvidenceKind.ELEVATION, key, release.id, body=body))
        finally:
            store.close()

    return Elevations(release.table.elevations, release.path.parent, place_of(ledger.folder), note)


def with_rights(rights: Elevations, ledger: RecordKeeper, work: Callable[[], RehearsalRecord]) -> RehearsalRecord:
    """Does the work with the rights, and says in its record which of them are still granted: then it is no clean end.

    Raises ElevationError where they could not be granted."""
    record = None
    try:
        with rights:
            record = work()
    except ElevationError as error:
        if record is None:
            raise
        record.left.append(f"{error}.")
        ledger.write()
    return record


def body_of(table: ElevationTable, action: str, why: str) -> Mapping[str, object]:
    """What is kept as evidence; no command stands in it."""
    return {"name": table.name, "owner": table.owner, "reason": table.reason, "ends": table.ends, "action": action,
            "why": why}  # fmt: skip
