"""A far end that is given files of comma-separated values: in a folder here, or on an SFTP server."""

from __future__ import annotations

import asyncio
import csv
import fnmatch
import io
import posixpath
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncssh

from ringgate.domain.integrations import Arrival, Integration
from ringgate.integrations.rows import ObserverError, Row, arrivals

TIMEOUT = 10.0
LARGEST = 20_000_000
"""Bytes of one file."""
AT_ONCE = 32
"""Files that are read at the same time."""
FILE, LINE = "(file)", "(line)"
"""Columns that every row has besides its own: the file's name, and the line within it, from 1 for the first row."""


class CsvObserver:
    """`address` is `file:///folder` or `sftp://host:port/folder`; `files` a pattern of names. On SFTP `user` signs in
    with `password`, or with the private key that `key` holds; `host_key` is the server's, as in known_hosts."""

    def __init__(self, integration: Integration, /) -> None:
        self._integration = integration
        self._read_before: dict[tuple[str, float, int], bytes] = {}

    def seen(self, marker: str, since: datetime) -> Sequence[Arrival]:
        rows = [row for name, content in self._files(since) for row in self._rows(name, content)]
        return arrivals(self._integration, rows, marker, since)

    def _files(self, since: datetime) -> list[tuple[str, bytes]]:
        """Names and contents of those that were changed since."""
        return self._local(since) if urlsplit(self._integration.address).scheme == "file" else self._fetched(since)

    def _rows(self, name: str, content: bytes) -> Iterator[Row]:
        settings = self._integration.settings
        try:
            text = content.decode(settings.get("encoding", "utf-8-sig"))
        except (UnicodeDecodeError, LookupError) as error:
            raise ObserverError(f"{self._integration.name}: {name} cannot be read as text: {error}") from None
        for number, row in enumerate(csv.DictReader(io.StringIO(text), delimiter=settings.get("delimiter", ",")), 1):
            yield {**{k: v for k, v in row.items() if k is not None}, FILE: name, LINE: number}

    def _fits(self, name: str, changed: float, size: int, since: datetime) -> bool:
        if (
            not fnmatch.fnmatch(name, self._integration.settings.get("files", "*.csv"))
            or changed < since.timestamp() - 1
        ):
            return False
        if size > LARGEST:
            raise ObserverError(f"{self._integration.name}: {name} is larger than {LARGEST:,} bytes")
        return True

    def _local(self, since: datetime) -> list[tuple[str, bytes]]:
        folder = Path(unquote(urlsplit(self._integration.address).path))
        try:
            found = [(each, each.stat()) for each in sorted(folder.iterdir()) if each.is_file()]
            chosen = [each for each, s in found if self._fits(each.name, s.st_mtime, s.st_size, since)]
            return [(each.name, each.read_bytes()) for each in chosen]
        except OSError as error:
            raise ObserverError(f"{self._integration.name}: {folder} cannot be read: {error.strerror}") from None

    def _fetched(self, since: datetime) -> list[tuple[str, bytes]]:
        """In a thread of its own, for a browser that is driven in this one has a loop of its own there."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(self._remote(since))).result()

    async def _remote(self, since: datetime) -> list[tuple[str, bytes]]:
        try:
            async with asyncio.timeout(TIMEOUT):
                connection = await self._connect()
                try:
                    async with connection.start_sftp_client() as client:
                        found = await self._read(client, since)
                finally:
                    connection.close()
        except (asyncssh.Error, OSError, ValueError) as error:
            what = getattr(error, "reason", "") or str(error) or type(error).__name__
            raise ObserverError(f"{self._integration.name}: the SFTP server cannot be read: {what}") from None
        return found

    async def _connect(self) -> asyncssh.SSHClientConnection:
        told, parts = self._integration, urlsplit(self._integration.address)
        known = told.settings.get("host_key", "")
        return await asyncssh.connect(
            parts.hostname or "", parts.port or 22, username=told.user,
            password=told.password.reveal() if told.password else None,
            client_keys=[asyncssh.import_private_key(told.key.reveal())] if told.key else [],
            known_hosts=([asyncssh.import_public_key(known)], [], []) if known else (), config=None, agent_path=None,
        )  # fmt: skip

    async def _read(self, client: asyncssh.SFTPClient, since: datetime) -> list[tuple[str, bytes]]:
        folder = unquote(urlsplit(self._integration.address).path) or "."
        wanted = []
        for entry in sorted(await client.readdir(folder), key=lambda each: str(each.filename)):
            name, attributes = str(entry.filename), entry.attrs
            changed = float(attributes.mtime if attributes.mtime is not None else datetime.now(UTC).timestamp())
            if not name.startswith(".") and self._fits(name, changed, attributes.size or 0, since):
                wanted.append((name, changed, attributes.size or 0))
        room = asyncio.Semaphore(AT_ONCE)

        async def read(known: tuple[str, float, int]) -> None:
            """A file that was read before and has not changed since is not read again."""
            async with room, client.open(posixpath.join(folder, known[0]), "rb") as file:
                content = await file.read()
                self._read_before[known] = content if isinstance(content, bytes) else content.encode()

        await asyncio.gather(*(read(each) for each in wanted if each not in self._read_before))
        return [(each[0], self._read_before[each]) for each in wanted]

    def close(self) -> None:
        """Nothing stays open."""
