"""One side of the front door: a connection that speaks HTTP/1.1, parsed and framed by h11."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Protocol

import h11

LARGEST_HEAD = 256 * 1024
"""Bytes of a message's first line and headers."""

BLOCK = 256 * 1024
"""Bytes that are read from a connection at a time."""

OF_ONE_CONNECTION = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade"})
"""Headers that concern the connection they come by, and are not passed on."""

Headers = list[tuple[bytes, bytes]]


class Gone(Exception):
    """The connection is at an end: nothing more can be said on it."""


class Wire(Protocol):
    """Bytes to and from the other side."""

    async def read(self) -> bytes: ...  # at most BLOCK; b"" at the end
    async def write(self, content: bytes) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Streams:
    """A connection that somebody opened to us, by TCP or TLS."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def read(self) -> bytes:
        return await self.reader.read(BLOCK)

    async def write(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    def close(self) -> None:
        self.writer.close()


class Plain:
    """A connection that we open. It has no buffer of its own, for h11 has one: that halves what a request costs."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket()
        self._socket.setblocking(False)

    async def open(self, address: tuple[str, int]) -> None:
        await self._loop.sock_connect(self._socket, address)

    async def read(self) -> bytes:
        return await self._loop.sock_recv(self._socket, BLOCK)

    async def write(self, content: bytes) -> None:
        await self._loop.sock_sendall(self._socket, content)

    def close(self) -> None:
        self._socket.close()


class Peer:
    """A client of the front door (`role` is ours: h11.SERVER) or the ERP's server (h11.CLIENT)."""

    def __init__(self, role: type[h11.SERVER | h11.CLIENT], wire: Wire) -> None:
        self.http = h11.Connection(role, max_incomplete_event_size=LARGEST_HEAD)
        self.wire = wire

    async def receive(self) -> h11.Event:
        """What comes next. Raises h11.RemoteProtocolError for what is not HTTP or ends too early."""
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                self.http.receive_data(await self.wire.read())
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                raise Gone
            else:
                assert isinstance(event, h11.Event)
                return event

    async def send(self, *events: h11.Event) -> None:
        """Writes messages, or parts of them, together."""
        content = b"".join([self.http.send(event) or b"" for event in events])
        if content:
            await self.wire.write(content)

    def close(self) -> None:
        self.wire.close()


async def connect(address: tuple[str, int]) -> Peer:
    """A new connection to a server. Raises OSError."""
    wire = Plain()
    try:
        await wire.open(address)
    except BaseException:
        wire.close()
        raise
    return Peer(h11.CLIENT, wire)


def passed_on(headers: h11._headers.Headers) -> Headers:
    """Headers without those of one connection; names are in lower case."""
    return [pair for pair in headers if pair[0] not in OF_ONE_CONNECTION]


def value_of(headers: Headers, name: bytes) -> bytes:
    """A header's value, b"" if there is none; `name` is in lower case."""
    return next((value for key, value in headers if key == name), b"")


def without(headers: Headers, *names: bytes) -> Headers:
    return [pair for pair in headers if pair[0] not in names]


async def tunnel(client: Peer, server: Peer) -> None:
    """After a change of protocol (WebSocket) bytes go both ways until one side closes."""

    async def pipe(source: Peer, target: Peer) -> None:
        block = source.http.trailing_data[0] or await source.wire.read()
        while block:
            await target.wire.write(block)
            block = await source.wire.read()

    ways = [asyncio.create_task(pipe(client, server)), asyncio.create_task(pipe(server, client))]
    _, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in left:
        way.cancel()
    await asyncio.gather(*ways, return_exceptions=True)
