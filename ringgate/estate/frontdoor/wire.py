"""HTTP/1.1 as far as a proxy must understand it: heads, and where a body ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus

LARGEST_HEAD = 256 * 1024
BLOCK = 64 * 1024
HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"})


class BadMessage(Exception):
    """What came is not HTTP/1.x."""


@dataclass(slots=True)
class Head:
    """The first line's three words and the headers, names in lower case, in the order they came."""

    first: tuple[str, str, str]
    headers: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def parse(cls, raw: bytes) -> Head:
        lines = raw.decode("latin-1").split("\r\n")
        words = lines[0].split(" ", 2)
        if len(words) < 2 or not (words[0].startswith("HTTP/1.") or words[-1].startswith("HTTP/1.")):
            raise BadMessage(lines[0][:100])
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                headers.append((name.strip().lower(), value.strip()))
        return cls((words[0], words[1], words[2] if len(words) > 2 else ""), headers)

    def get(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def keeps_alive(self) -> bool:
        """Whether its sender is ready for another message on the same connection."""
        version = self.first[0] if self.first[0].startswith("HTTP/") else self.first[2]
        wish = self.get("connection").lower()
        return "close" not in wish if version == "HTTP/1.1" else "keep-alive" in wish

    @property
    def length(self) -> int | None:
        """The body's length as stated, None if it is not."""
        stated = self.get("content-length")
        return int(stated) if stated.isdigit() else None

    @property
    def chunked(self) -> bool:
        return "chunked" in self.get("transfer-encoding").lower()

    def encode(self, *more: tuple[str, str]) -> bytes:
        """The head as it goes to the other side: without what concerns this connection alone."""
        kept = [(name, value) for name, value in self.headers if name not in HOP_BY_HOP]
        lines = [" ".join(self.first).rstrip(), *(f"{name}: {value}" for name, value in (*kept, *more))]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next message's head, or None if the other side has closed. Raises BadMessage."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        raise BadMessage("the head is too large") from None
    return Head.parse(raw[:-4])


async def body(reader: asyncio.StreamReader, head: Head, to_the_end: bool) -> AsyncIterator[bytes]:
    """The body's blocks as they stand on the wire (with the chunks' frames). `to_the_end`: it ends with the connection.

    Raises asyncio.IncompleteReadError if the other side closes too early.
    """
    if head.chunked:
        while True:
            line = await reader.readuntil(b"\r\n")
            yield line
            size = int(line.split(b";")[0], 16)
            if not size:
                break
            async for block in _exactly(reader, size + 2):
                yield block
        while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
            yield line
        yield b"\r\n"
    elif head.length is not None:
        async for block in _exactly(reader, head.length):
            yield block
    elif to_the_end:
        while block := await reader.read(BLOCK):
            yield block


async def _exactly(reader: asyncio.StreamReader, size: int) -> AsyncIterator[bytes]:
    while size:
        block = await reader.read(min(size, BLOCK))
        if not block:
            raise asyncio.IncompleteReadError(b"", size)
        size -= len(block)
        yield block


def answer(status: int, text: bytes, content_type: str = "text/plain; charset=utf-8", *more: str) -> bytes:
    """A whole answer of the front door's own."""
    reason = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Fault"
    lines = [f"HTTP/1.1 {status} {reason}", f"content-type: {content_type}", f"content-length: {len(text)}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + text
