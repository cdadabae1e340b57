"""The undo journal where every machine of a region finds it: the lines of `host.undo_journal`, each a row.

A write is registered by a transaction that is committed, and synced, before the write is sent. It is refused once
another process has taken the journal up: a process that was taken for dead writes nothing more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from ringgate.host.undo_journal import Journal, RunJournal
from ringgate.shared.database import ALIVE, LeaseLost, SharedError, SharedMember

_RUN_IDS = "SELECT run_id FROM ringgate_journals"


class SharedRunJournal(RunJournal):
    """The reversals of one run. A new one has no row until it is written to."""

    def __init__(self, member: SharedMember, head: dict[str, str], lines: int | None = None) -> None:
        """`lines`: how many there are of one that was taken up; None for a new one."""
        super().__init__(Path(head["run"]), None, head)
        self._member, self._lines = member, lines

    def _append(self, line: dict[str, Any], *, durable: bool = False) -> None:
        number, new = (self._lines or 0) + 1, self._lines is None
        text = json.dumps(line, ensure_ascii=False)

        def write(connection: psycopg.Connection[Any]) -> None:
            if new:
                head = json.dumps(self._head, ensure_ascii=False)
                connection.execute(
                    "INSERT INTO ringgate_journals (run_id, tenant, head, member) VALUES (%s, %s, %s, %s) "
                    "ON CONFLICT (run_id) DO NOTHING",
                    [self.run_id, self.tenant, head, self._member.id],
                )
            self._ours(connection)
            connection.execute(
                "INSERT INTO ringgate_journal_lines VALUES (%s, %s, %s) ON CONFLICT (run_id, number) DO NOTHING",
                [self.run_id, number, text],
            )
            if "seq" not in line:
                connection.execute(
                    "UPDATE ringgate_journals SET waits = %s WHERE run_id = %s", [self.waits, self.run_id]
                )

        if durable:
            self._member.database.do(write)
        else:
            with suppress(SharedError):  # without it, the record is found by its marker
                self._member.database.do(write, durable=False)
        self._lines = number

    def _ours(self, connection: psycopg.Connection[Any]) -> None:
        held = connection.execute(
            "SELECT 1 FROM ringgate_journals WHERE run_id = %s AND member = %s FOR SHARE",
            [self.run_id, self._member.id],
        ).fetchone()
        if held is None or self._member.lost.is_set():
            raise LeaseLost(f"the journal of run {self.run_id} was taken up by another process: nothing is written")

    def close(self) -> None:
        if self._lines is not None and not self.pending():
            self._end(self._delete)
        else:
            self.release()

    def release(self) -> None:
        if self._lines is not None:
            self._end(self._let_go)

    def _end(self, work: Callable[[psycopg.Connection[Any]], None]) -> None:
        with suppress(SharedError):  # it is taken up when this process has ended, and found to be empty
            self._member.database.do(work, durable=False)

    def _delete(self, connection: psycopg.Connection[Any]) -> None:
        gone = connection.execute(
            "DELETE FROM ringgate_journals WHERE run_id = %s AND member = %s", [self.run_id, self._member.id]
        )
        if gone.rowcount:
            connection.execute("DELETE FROM ringgate_journal_lines WHERE run_id = %s", [self.run_id])

    def _let_go(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(
            "UPDATE ringgate_journals SET member = NULL, tried_at = clock_timestamp() "
            "WHERE run_id = %s AND member = %s",
            [self.run_id, self._member.id],
        )


class SharedJournal(Journal):
    """All journals of a region."""

    def __init__(self, member: SharedMember) -> None:
        self._member = member

    def begin(self, run_id: str, tenant: str, scenario: str, channel: str) -> RunJournal:
        head = {"run": run_id, "tenant": tenant, "scenario": scenario, "channel": channel}
        return SharedRunJournal(self._member, head)

    def tenants_hit(self, tenants: frozenset[str]) -> set[str]:
        def found(connection: psycopg.Connection[Any]) -> set[str]:
            rows = connection.execute(
                f"SELECT DISTINCT tenant FROM ringgate_journals WHERE (member IS NULL OR member NOT IN {ALIVE}) "  # noqa: S608
                "AND NOT waits AND tenant = ANY(%s)",
                [sorted(tenants)],
            )
            return {tenant for (tenant,) in rows}

        return self._member.database.do(found)

    def run_ids(self) -> set[str]:
        return {run for (run,) in self._member.database.do(lambda each: each.execute(_RUN_IDS).fetchall())}

    def free(self, tenants: frozenset[str] | None = None) -> Iterator[RunJournal]:
        """Each journal that no living process holds, ours from now on, oldest first."""
        for run_id, head in self._member.database.do(lambda each: self._found(each, tenants)):
            if self._member.database.do(lambda each, run_id=run_id: self._claim(each, run_id)):  # type: ignore[misc]
                lines = self._member.database.do(lambda each, run_id=run_id: self._read(each, run_id))  # type: ignore[misc]
                journal = SharedRunJournal(self._member, json.loads(head), max((n for n, _ in lines), default=0))
                for _, line in lines:
                    journal._replay(json.loads(line))
                yield journal

    @staticmethod
    def _found(connection: psycopg.Connection[Any], tenants: frozenset[str] | None) -> list[tuple[str, str]]:
        return connection.execute(
            f"SELECT run_id, head FROM ringgate_journals WHERE (member IS NULL OR member NOT IN {ALIVE}) "  # noqa: S608
            "AND (%(tenants)s::text[] IS NULL OR tenant = ANY(%(tenants)s::text[])) ORDER BY begun_at, run_id",
            {"tenants": None if tenants is None else sorted(tenants)},
        ).fetchall()

    def _claim(self, connection: psycopg.Connection[Any], run_id: str) -> bool:
        """One UPDATE that must hit one row."""
        return bool(
            connection.execute(
                f"UPDATE ringgate_journals SET member = %s WHERE run_id = %s "  # noqa: S608
                f"AND (member IS NULL OR member NOT IN {ALIVE})",
                [self._member.id, run_id],
            ).rowcount
        )

    @staticmethod
    def _read(connection: psycopg.Connection[Any], run_id: str) -> list[tuple[int, str]]:
        return connection.execute(
            "SELECT number, line FROM ringgate_journal_lines WHERE run_id = %s ORDER BY number", [run_id]
        ).fetchall()
