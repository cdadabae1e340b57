"""The texts of an answer, and which names stand in a text."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterator
from typing import Any


def named_in(text: str, names: Collection[str]) -> tuple[str, ...]:
    """The names that stand in a text as words of their own, whatever their case; sorted."""
    found = (name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE))
    return tuple(sorted(found))


def text_of(answer: Any) -> str:
    """Every text in an answer, however deep; documents that are packed (ODT, XLSX) are unpacked."""
    return "\n".join(_texts(answer))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, (bytes, bytearray)):
        yield from _document(bytes(value))
    elif value is not None:
        yield str(value)


def _document(content: bytes) -> Iterator[str]:
    if not content.startswith(b"PK"):
        yield content.decode("utf-8", "replace")
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in packed.namelist():
                if name.endswith((".xml", ".txt")):
                    yield packed.read(name).decode("utf-8", "replace")
    except zipfile.BadZipFile:
        yield content.decode("utf-8", "replace")
