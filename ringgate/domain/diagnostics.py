"""Where more is to be found about a run: in the user's own log and trace tools, and in the log of the ERP.

filled("https://logs.example.com/?q={marker}&from={since_ms}", places(began, ended, run_id=..., ...))
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from ringgate.domain.secrets import Secret

PLACES = (
    "trace_id", "run_id", "marker", "tenant", "ring", "scenario", "channel", "since", "until", "since_ms", "until_ms",
)  # fmt: skip
"""What a template may name in braces."""
AROUND = timedelta(minutes=1)
"""How much earlier and later than a run its tools are asked for."""

_PLACE = re.compile(r"(?<!\$)\{([A-Za-z_]+)\}")


@dataclass(frozen=True, slots=True)
class ErpLog:
    """Where an ERP's log is read, by one of three: a `file`, a `command` that prints lines, a `url` that answers with
    them. `command` and `url` are templates; `token` is the URL's bearer token."""

    file: str = ""
    command: tuple[str, ...] = ()
    url: str = ""
    token: Secret | None = None

    def __bool__(self) -> bool:
        return bool(self.file or self.command or self.url)


def unknown_places(template: str) -> list[str]:
    """What stands in braces there and nobody can fill in."""
    return [name for name in dict.fromkeys(_PLACE.findall(template)) if name not in PLACES]


def places(began: datetime, ended: datetime, **named: str) -> dict[str, str]:
    """The values of `PLACES`: times are aware, `named` are the others. A run's records carry its marker."""
    since, until = began - AROUND, ended + AROUND
    return {
        **named,
        "marker": f"RG-{named['run_id']}",
        "since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "since_ms": str(int(since.timestamp() * 1000)),
        "until_ms": str(int(until.timestamp() * 1000)),
    }


def filled(template: str, values: Mapping[str, str], *, quoted: bool = True) -> str:
    """The template with its places filled in; what nobody knows stays. `quoted`: as parts of a URL."""
    return _PLACE.sub(
        lambda found: (
            found[0] if found[1] not in values
            else quote(values[found[1]], safe="") if quoted else values[found[1]]
        ),
        template,
    )  # fmt: skip
