"""How the report says things: text that is safe to show, durations, moments, lists and places, in words for people."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from ringgate.domain.model import Approval, Failure, Policy
from ringgate.domain.terms import Channel, Outcome
from ringgate.host.secrets import redact

LONG = 1_500
"""Characters of a message, an expectation or a reason that the page shows; the store keeps all of it."""
TRACEBACK = 12_000
DASH, TIMES = "\u2013", "\u00d7"
CHANNEL_WORDS = {Channel.API: "API", Channel.BROWSER: "Browser"}

# Terminal colours, control characters, and the marks with which a text can change the direction of what follows it.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)

_FAULTS = {
    "expectation": "The ERP is wrong: it did something else than the tenant's own rules say.",
    "refused": "The ERP is wrong: it refused what this role must be able to do.",
    "unavailable": "The ERP is wrong: it could not be reached, or answered with a server error.",
    "integration": "What left the ERP did not arrive as it should: the ERP, or what connects it.",
    "integration-late": "What left the ERP did not arrive in time: the ERP, what connects it, or this machine.",
    "timed-out": "No answer came in time: the ERP was too slow, or the way there, or this machine.",
    "protocol": "The ERP is wrong: its answer was cut off, or cannot be understood.",
    "sign-in": "The ERP is wrong: it did not accept the sign-in of the inventory.",
    "misbehaved": "The ERP is wrong: its answer contradicts its own contract.",
    "our-side": "Our side is at fault: this says nothing about the ERP.",
    "secret": "Our side is at fault: a secret is missing. This says nothing about the ERP.",
    "no-route": "Our side is at fault: there is no way to the host. This says nothing about the ERP.",
    "throttled": "Our side is at fault: it asked too often. This says nothing about the ERP.",
    "browser": "Our side is at fault: the browser would not start, or crashed. This says nothing about the ERP.",
}


def clean(text: object, limit: int = LONG) -> str:
    """`text` without secrets and unprintable characters, at most about `limit` characters: its head and its tail."""
    shown = _UNPRINTABLE.sub("", _ESCAPES.sub("", redact(str(text)))).strip()
    if len(shown) <= limit:
        return shown
    head, tail = limit * 2 // 3, limit // 3
    return f"{shown[:head]} […{len(shown) - head - tail:,} characters left out…] {shown[-tail:]}"


def humanise(identifier: str) -> str:
    """`project-to-cash` -> `Project to cash`."""
    words = clean(identifier, 120).replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def fault(outcome: Outcome, failure: Failure | None) -> str:
    """Whose fault a failure is, in plain words. The outcome decides; the kind only makes it more exact."""
    known = _FAULTS.get(failure.kind, "") if failure else ""
    side = "The ERP is wrong" if outcome is Outcome.FAILED else "Our side is at fault"
    if known.startswith(side):
        return known
    return f"{side}." if outcome is Outcome.FAILED else f"{side}: this says nothing about the ERP."


def seconds(value: float) -> str:
    """`0.24 s`, `12.3 s`, `3 min 12 s`, `1 h 4 min`."""
    if value < 0.005:
        return "0.00 s" if value <= 0 else "<0.01 s"
    if value < 9.995:
        return f"{value:.2f} s"
    if value < 99.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def moment(at: datetime) -> str:
    """`22 November 2026, 23:02 UTC`."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def clock(at: datetime) -> str:
    """`2026-11-22 23:02:27`, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def count(number: int, one: str, many: str = "") -> str:
    """`1 tenant`, `4 tenants`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Iterable[str], most: int = 0) -> str:
    """`a, b and c`; with `most`, `a, b and 5 more`."""
    items = list(words)
    if most and len(items) > most + 1:
        items = [*items[:most], f"{len(items) - most} more"]
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + " and " + items[-1]


def tax_words(policy: Policy) -> str:
    """`VAT 20%`, `none`: the names of the rules, each with its rate unless the name already states it."""
    stated = []
    for rule in policy.taxes:
        percent = f"{(rule.rate * 100).normalize():f}%"
        stated.append(rule.name if percent in rule.name.replace(" ", "") else f"{rule.name} ({percent})")
    return clean(listed(stated), 200) or "none"


def approval_words(approval: Approval, currency: str) -> str:
    """`none`, `1 approver, always`, `1 approver above GBP 500.00`."""
    if approval.steps == 0:
        return "none"
    approvers = count(approval.steps, "approver")
    return f"{approvers} above {currency} {approval.threshold:,f}" if approval.threshold else f"{approvers}, always"


def host(url: str) -> str:
    """The host of an address, without the port and without anything that could be a credential."""
    try:
        return clean(urlsplit(url).hostname or "", 120)
    except ValueError:
        return ""


def inside(root: Path, path: str) -> Path | None:
    """The file at `path` below `root`, or None where the path leads out of it or nowhere."""
    try:
        found = (root / path).resolve()
        return found if found.is_relative_to(root.resolve()) and found.is_file() else None
    except (OSError, ValueError):
        return None


def relative(file: Path, page: Path) -> str:
    """The path from the page's folder to `file`, with forward slashes."""
    return Path(os.path.relpath(file, page.resolve().parent)).as_posix()


def link(path: str) -> str:
    """A relative path as a link's address. The leading `./` keeps a colon in a name from looking like a scheme."""
    address = quote(path)
    return address if address.startswith(".") else f"./{address}"


def unique(values: Iterable[str]) -> Sequence[str]:
    """Without empty ones and repetitions, in the order of their first appearance."""
    return list(dict.fromkeys(value for value in values if value))
