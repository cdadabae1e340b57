"""A far end that is given mail: a mailbox read over IMAP. Messages stay unread and where they are."""

from __future__ import annotations

import imaplib
import io
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

from imap_tools import AND, BaseMailBox, ImapToolsError, MailBox, MailBoxUnencrypted, MailMessage
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from ringgate.domain.integrations import Arrival, Integration
from ringgate.integrations.rows import ObserverError, Row, arrivals

TIMEOUT = 10.0
MOST = 200


class MailObserver:
    """`address` is `imaps://host:port/folder`, or `imap://` on this machine; `user` and `password` sign in.

    Of each message there are `subject`, `from`, `to`, `date`, `message-id`, `text` (the body, and the text of PDF and
    plain attachments) and `attachments` (their names). A field may be a regular expression on `text` with one group,
    between slashes: `amount = "/Total: ([0-9.,]+)/"`."""

    def __init__(self, integration: Integration, /) -> None:
        self._integration = integration

    def seen(self, marker: str, since: datetime) -> Sequence[Arrival]:
        told, parts = self._integration, urlsplit(self._integration.address)
        kind = MailBox if parts.scheme == "imaps" else MailBoxUnencrypted
        try:
            box = kind(parts.hostname or "", parts.port or (993 if parts.scheme == "imaps" else 143), timeout=TIMEOUT)
            folder = unquote(parts.path.strip("/")) or "INBOX"
            with box.login(told.user, told.password.reveal() if told.password else "", initial_folder=folder) as open_:
                rows = [self._row(each) for each in _recent(open_, since)]
        except (ImapToolsError, OSError, imaplib.IMAP4.error) as error:
            raise ObserverError(f"{told.name}: the mailbox cannot be read: {type(error).__name__} {error}") from None
        return arrivals(told, rows, marker, since)

    def _row(self, message: MailMessage) -> Row:
        text = "\n".join([message.subject, message.text or re.sub(r"<[^>]+>", " ", message.html), *_attached(message)])
        row: dict[str, object] = {
            "subject": message.subject, "from": message.from_, "to": ", ".join(message.to), "date": message.date,
            "message-id": str(message.obj.get("message-id", "")).strip(), "text": text,
            "attachments": ", ".join(each.filename for each in message.attachments),
        }  # fmt: skip
        for pattern in self._integration.fields.values():
            if len(pattern) > 2 and pattern[0] == pattern[-1] == "/":
                found = re.search(pattern[1:-1], text)
                row[pattern] = (found[1] if found.re.groups else found[0]) if found else ""
        return row

    def close(self) -> None:
        """Nothing stays open."""


def _recent(box: BaseMailBox, since: datetime) -> list[MailMessage]:
    # IMAP searches by day, of the server's own time zone.
    day = (since - timedelta(days=1)).date()
    return list(box.fetch(AND(date_gte=day), mark_seen=False, limit=MOST, reverse=True))


def _attached(message: MailMessage) -> list[str]:
    found = []
    for each in message.attachments:
        if each.content_type == "application/pdf":
            found.append(pdf_text(each.payload))
        elif each.content_type.startswith(("text/", "application/xml")):
            found.append(each.payload.decode("utf-8", "replace"))
    return found


def pdf_text(content: bytes) -> str:
    """The text of a PDF, page by page; "" where it is none."""
    try:
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    except (PyPdfError, ValueError):
        return ""
