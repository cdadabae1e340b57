"""Screenshots for a page that stands alone: embedded as data URIs, scaled down where they are large.

Only the standard library: a report must not need an imaging package. A PNG that is large is averaged down by a whole
factor; a picture that cannot be made small enough is linked instead.
"""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

SMALL = 250_000
"""Bytes up to which a picture is embedded as it is."""
LARGE = 600_000
"""Bytes above which a picture is linked, not embedded, even after scaling."""
WIDE = 1_400
"""Pixels: a wider picture is scaled down if it is not small."""
MOST_PIXELS = 6_000_000
"""Above this, scaling in pure Python would take longer than the picture is worth."""
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Picture:
    """An image for the page. `width` and `height` are pixels, 0 where they are not known."""

    uri: str
    width: int = 0
    height: int = 0


def embed(file: Path, room: int) -> Picture | None:
    """The picture as a data URI of at most `room` bytes, or None if it is no PNG, JPEG or WebP, or is too large."""
    try:
        data = file.read_bytes()
    except OSError:
        return None
    kind = media_type(data)
    if kind == "image/png" and len(data) > SMALL:
        data = shrink(data)
    width, height = size(data)
    uri = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return Picture(uri, width, height) if kind and len(data) <= LARGE and len(uri) <= room else None


def media_type(data: bytes) -> str:
    """By the first bytes, never by the name; "" for anything else than a picture that browsers show inertly."""
    if data.startswith(_PNG):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


def size(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG in pixels, (0, 0) for others."""
    if data.startswith(_PNG) and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return int(width), int(height)
    return 0, 0


def shrink(data: bytes) -> bytes:
    """The PNG at a half or a third of its width, or unchanged if that is not possible or brings nothing."""
    try:
        width, height, channels, rows = _decode(data)
    except (ValueError, IndexError, struct.error, zlib.error):
        return data
    factor = 3 if width > 2 * WIDE else 2
    smaller = _encode(width // factor, height // factor, channels, _average(rows, width, channels, factor))
    return smaller if len(smaller) < len(data) else data


def _decode(data: bytes) -> tuple[int, int, int, list[bytearray]]:
    """Width, height, bytes a pixel and the rows of an 8-bit RGB or RGBA picture; ValueError for other kinds."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    channels = {2: 3, 6: 4}.get(colour, 0)
    if depth != 8 or not channels or interlaced or not 0 < width * height <= MOST_PIXELS:
        raise ValueError("not a picture that is scaled here")
    packed, at = [], 8
    while at + 8 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed.append(data[at + 8 : at + 8 + length])
        at += length + 12
    stride = width * channels
    raw = zlib.decompressobj().decompress(b"".join(packed), (stride + 1) * height)
    if len(raw) < (stride + 1) * height:
        raise ValueError("cut off")
    rows, above = [], bytearray(stride)
    for y in range(height):
        start = y * (stride + 1)
        above = _unfilter(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), above, channels)
        rows.append(above)
    return width, height, channels, rows


def _unfilter(kind: int, row: bytearray, above: bytearray, step: int) -> bytearray:
    """Undo one row's filter, as the PNG specification defines it."""
    if kind == 2:
        return bytearray([(x + up) & 255 for x, up in zip(row, above, strict=True)])
    if kind in (1, 3, 4):
        for i in range(len(row)):
            left = row[i - step] if i >= step else 0
            if kind == 1:
                guess = left
            elif kind == 3:
                guess = (left + above[i]) // 2
            else:
                guess = _paeth(left, above[i], above[i - step] if i >= step else 0)
            row[i] = (row[i] + guess) & 255
    elif kind:
        raise ValueError(f"no such filter: {kind}")
    return row


def _paeth(left: int, up: int, corner: int) -> int:
    by_left, by_up, by_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if by_left <= by_up and by_left <= by_corner:
        return left
    return up if by_up <= by_corner else corner


def _average(rows: list[bytearray], width: int, channels: int, factor: int) -> list[bytes]:
    """Each pixel of the new rows is the mean of a square of `factor` by `factor` old ones."""
    area, columns = factor * factor, width // factor
    made = []
    for y in range(0, len(rows) - factor + 1, factor):
        band = rows[y : y + factor]
        sums = [sum(column) for column in zip(*band, strict=True)]
        row = bytearray(columns * channels)
        for channel in range(channels):
            plane = sums[channel::channels]
            parts = [plane[i : columns * factor : factor] for i in range(factor)]
            row[channel::channels] = bytes(sum(pixel) // area for pixel in zip(*parts, strict=True))
        made.append(bytes(row))
    return made


def _encode(width: int, height: int, channels: int, rows: list[bytes]) -> bytes:
    """A PNG of these rows. Each is filtered against the one above, which suits pictures of screens."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    filtered, above = bytearray(), bytes(width * channels)
    for row in rows:
        filtered.append(2)
        filtered += bytes([(x - up) & 255 for x, up in zip(row, above, strict=True)])
        above = row
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 6, 0, 0, 0)
    return _PNG + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(filtered), 9)) + chunk(b"IEND", b"")
