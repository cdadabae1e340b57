"""The text of a printed document that Tryton keeps: plain text, HTML or OpenDocument, line by line.

printed(b"Invoice 12\\n...", "txt")      # PrintedText("Invoice 12\\n...")
"""

from __future__ import annotations

import io
import zipfile
from html.parser import HTMLParser
from typing import Any, Final

from ringgate.twins.records import PrintedText, RecordValue

MOST: Final = 4_000_000
"""Bytes of a document's text. More is no document that somebody reads."""

_BLOCKS: Final = frozenset({"text:p", "text:h", "p", "h1", "h2", "h3", "td", "th", "tr", "div", "li", "br"})
_MARKUP: Final = frozenset({"html", "htm", "xhtml"})


def printed(content: Any, kind: Any) -> RecordValue:
    """Its text; of other forms only which it is. None where there is no document."""
    if not isinstance(content, bytes):
        return None
    try:
        if content[:2] == b"PK":
            return PrintedText(_Text.of(_content_of(content)))
        text = content[:MOST].decode()
        return PrintedText(_Text.of(text) if kind in _MARKUP else text)
    except (KeyError, UnicodeDecodeError, zipfile.BadZipFile):
        return f"(a printed document of the form {kind or 'that is not said'})"


def _content_of(packed: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(packed)) as document, document.open("content.xml") as content:
        return content.read(MOST).decode()


class _Text(HTMLParser):
    """Text of markup, a line for each block. It resolves no entities but those of characters."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = [""]

    @classmethod
    def of(cls, markup: str) -> str:
        parser = cls()
        parser.feed(markup)
        parser.close()
        return "\n".join(line for each in parser.lines if (line := " ".join(each.split())))

    def handle_data(self, data: str) -> None:
        self.lines[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.lines.append("")
