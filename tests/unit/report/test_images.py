"""Pictures are embedded by what they are, not by what they are called, and made small without an imaging package."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from ringgate.report.images import LARGE, embed, shrink, size
from tests.unit.report.sample import png

ROOM = 10_000_000


def picture(width: int, height: int, channels: int, kind: int, body: bytes) -> bytes:
    """A PNG whose rows are all filtered by `kind`; `body` holds the filtered rows."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    stride = width * channels
    rows = b"".join(bytes([kind]) + body[y * stride : (y + 1) * stride] for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


def pixels(data: bytes) -> bytes:
    """The unfiltered bytes of a PNG that is filtered by the row above, which is how ours are written."""
    width, height = size(data)
    start = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[start - 4 : start])
    raw = zlib.decompress(data[start + 4 : start + 4 + length])
    stride = (len(raw) // height) - 1
    rows, above = [], bytes(stride)
    for y in range(height):
        assert raw[y * (stride + 1)] == 2
        line = raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)]
        above = bytes((x + up) & 255 for x, up in zip(line, above, strict=True))
        rows.append(above)
    assert width
    return b"".join(rows)


def test_a_small_picture_is_embedded_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(640, 400))
    found = embed(tmp_path / "a.png", ROOM)
    assert found is not None
    assert found.uri.startswith("data:image/png;base64,")
    assert (found.width, found.height) == (640, 400)


def test_a_large_picture_is_scaled_down(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(700, 440, noise=True))
    found = embed(tmp_path / "a.png", ROOM)
    assert found is not None
    assert (found.width, found.height) == (350, 220)
    assert len(found.uri) < LARGE * 4 / 3


def test_a_picture_that_stays_too_large_is_not_embedded(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff" + bytes(LARGE))
    assert embed(tmp_path / "a.jpg", ROOM) is None


def test_a_picture_beyond_the_pages_room_is_not_embedded(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(640, 400))
    assert embed(tmp_path / "a.png", 100) is None


@pytest.mark.parametrize("data", [b"", b"<svg onload=alert(1)>", b"GIF89a", b"\x89PNG", b"<html>"])
def test_what_is_no_picture_is_not_embedded(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.png").write_bytes(data)
    assert embed(tmp_path / "a.png", ROOM) is None
    assert embed(tmp_path / "none.png", ROOM) is None


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("channels", [3, 4])
def test_every_filter_is_undone_as_the_specification_says(kind: int, channels: int) -> None:
    # All zero but the first byte: what the filters make of it can be worked out by hand.
    width, height = 8, 8
    body = bytes([200]) + bytes(width * height * channels - 1)
    red = {
        0: lambda x, y: 200 if x == y == 0 else 0,
        1: lambda x, y: 200 if y == 0 else 0,
        2: lambda x, y: 200 if x == 0 else 0,
        4: lambda x, y: 200,
    }
    small = shrink(picture(width, height, channels, kind, body) + bytes(500))
    assert size(small) == (4, 4)
    seen = pixels(small)[::channels]
    if kind in red:
        expected = [
            sum(red[kind](2 * x + i, 2 * y + j) for i in (0, 1) for j in (0, 1)) // 4
            for y in range(4)
            for x in range(4)
        ]
        assert list(seen) == expected
    else:
        assert seen[0] == (200 + 100 + 100 + 100) // 4


@pytest.mark.parametrize("data", [b"", png(64, 64)[:60], png(64, 64)[:-30], b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_a_damaged_picture_is_left_alone(data: bytes) -> None:
    assert shrink(data) == data
