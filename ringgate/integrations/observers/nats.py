"""A far end that is a stream of a NATS server: its messages since a document was sent are read, and none is taken.

An ordered consumer acknowledges nothing; it is removed after each look.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import nats
import nats.errors
from jsonpath_ng.ext.parser import parse
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy

from ringgate.domain.integrations import Arrival, Integration
from ringgate.integrations.rows import ObserverError, Row, arrivals

TIMEOUT = 10.0
MOST = 10_000
"""Messages of one look."""


class NatsObserver:
    """`address` is `nats://host:port/STREAM`, or `tls://`; `user` and `password`, or a token as `key`, sign in.
    `settings.subject` narrows the stream to what is the tenant's.

    A message is a JSON object. What `fields` names is a key of it or a JSONPath within it, or one of `subject`,
    `sequence`, `time` (when the stream took it) and `message-id` (the header Nats-Msg-Id, else the sequence)."""

    def __init__(self, integration: Integration, /) -> None:
        self._integration = integration
        self._paths = {path: parse(path) for path in {*integration.fields.values()} if path.startswith("$")}

    def seen(self, marker: str, since: datetime) -> Sequence[Arrival]:
        told = self._integration
        try:
            messages = self._fetched(since)
        except TimeoutError:
            raise ObserverError(f"{told.name}: the NATS server did not answer within {TIMEOUT:g} s") from None
        except (nats.errors.Error, OSError) as error:
            why = str(error).removeprefix("nats: ") or type(error).__name__
            raise ObserverError(f"{told.name}: the stream cannot be read: {why}") from None
        # What is no JSON is somebody else's message, unless it carries the marker.
        return arrivals(told, [self._row(each) for each in messages if marker.encode() in each.data], marker, since)

    def _fetched(self, since: datetime) -> list[Msg]:
        """In a thread of its own, for a browser that is driven in this one has a loop of its own there."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(asyncio.wait_for(self._messages(since), TIMEOUT))).result()

    async def _messages(self, since: datetime) -> list[Msg]:
        told, parts = self._integration, urlsplit(self._integration.address)
        signed: dict[str, Any] = {}
        if told.user:
            signed = {"user": told.user, "password": told.password.reveal() if told.password else ""}
        elif told.key is not None:
            signed = {"token": told.key.reveal()}
        last: list[Exception] = []

        async def failed(error: Exception) -> None:
            last.append(error)

        address = f"{parts.scheme}://{parts.hostname}:{parts.port or 4222}"
        try:
            connection = await nats.connect(
                address, connect_timeout=TIMEOUT, allow_reconnect=False, max_reconnect_attempts=1,
                reconnect_time_wait=0, error_cb=failed, **signed,
            )  # fmt: skip
        except nats.errors.NoServersError:
            raise last[-1] if last else ConnectionError("no server answers there") from None
        try:
            return await self._of_stream(connection, unquote(parts.path.strip("/")), since)
        finally:
            await connection.close()

    async def _of_stream(self, connection: Client, name: str, since: datetime) -> list[Msg]:
        subject = self._integration.settings.get("subject") or ">"
        start = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_TIME, opt_start_time=since.astimezone(UTC))
        reader = await connection.jetstream(timeout=TIMEOUT).subscribe(
            subject, stream=name, ordered_consumer=True, config=start
        )
        known = await reader.consumer_info()
        try:
            sent = known.delivered.consumer_seq if known.delivered else 0
            number = (known.num_pending or 0) + sent  # those on their way are pending no more
            if number > MOST:
                raise ObserverError(f"{self._integration.name}: the stream has more than {MOST:,} messages since then")
            return [await reader.next_msg(timeout=TIMEOUT) for _ in range(number)]
        finally:
            await connection.jsm(timeout=TIMEOUT).delete_consumer(name, known.name)

    def _row(self, message: Msg) -> Row:
        told, at = self._integration, message.metadata
        try:
            said = json.loads(message.data)
        except ValueError:
            raise ObserverError(f"{told.name}: message {at.sequence.stream} of the stream is no JSON") from None
        row: dict[str, Any] = dict(said) if isinstance(said, Mapping) else {}
        for path, parsed in self._paths.items():
            matches = [match.value for match in parsed.find(said)]
            row[path] = matches[0] if len(matches) == 1 else json.dumps(matches) if matches else None
        headers = message.headers or {}
        return {
            **row,
            "subject": message.subject,
            "sequence": at.sequence.stream,
            "time": at.timestamp,
            "message-id": headers.get("Nats-Msg-Id") or str(at.sequence.stream),
        }

    def close(self) -> None:
        """Nothing stays open."""
