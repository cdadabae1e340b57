"""What a tenant keeps to itself, who tries to see it, and what an attempt came to. Pure: nothing here calls an ERP.

Two kinds of people try. To who comes to a tenant with another tenant's session, or with none, every call must be
refused (`barred`). Who asks his own tenant for a record of ours is answered, since ids coincide between databases:
there the content decides, and no text that only our records carry may be in it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ringgate.domain.documents import Ref


class Way(StrEnum):
    """How somebody may get at a record."""

    READ = "read"
    SEARCH = "search"
    EXPORT = "export"
    REPORT = "report"
    WRITE = "write"


class Came(StrEnum):
    """What came of an attempt. The last three are leaks; `nothing` is one for who is barred."""

    REFUSED = "was refused"
    NOTHING = "told nothing of it"
    ACCEPTED = "was answered"
    DISCLOSED = "disclosed"
    CHANGED = "was carried out"


LEAKS = frozenset({Came.ACCEPTED, Came.DISCLOSED, Came.CHANGED})


@dataclass(frozen=True, slots=True)
class Thing:
    """A record that a tenant keeps to itself. `tells` are texts that stand on it and on no other tenant's
    records, the one of its own first: a marker, or the company's name.

    `made` says that this run made it, so that an attempt to change it does no harm: it is taken back with the run.
    """

    ref: Ref
    tells: tuple[str, ...]
    made: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt on one or several records of a kind. `by` is who refused (401, 404, an error of the ERP);
    `shown` the text that should not have been, `told` all that was answered, for people with a right to it."""

    way: Way
    things: tuple[Thing, ...]
    came: Came
    by: str = ""
    shown: str = ""
    told: str = ""

    @property
    def leaks(self) -> bool:
        return self.came in LEAKS

    def __str__(self) -> str:
        which = ", ".join(thing.ref.id for thing in self.things)
        what = f'{self.came} "{self.shown}"' if self.shown else str(self.came)
        return f"{self.way} of {self.things[0].ref.kind} {which} {what}"


def judged(
    way: Way, things: Sequence[Thing], *, barred: bool, refused_by: str = "", error: str = "", answer: str = ""
) -> Attempt:
    """What came of an attempt. The driver says which of three things the ERP did:

    - it turned the caller away, whatever they asked for: `refused_by` says who did (`401`, `session expired`);
    - it knew the caller, and answered with an `error` of its own about what was asked;
    - it answered, with the texts of its `answer`.

    An outage is none of them, and must not be asked here."""
    if refused_by:
        return Attempt(way, tuple(things), Came.REFUSED, by=refused_by)
    shown = next((tell for thing in things for tell in thing.tells if tell in (answer or error)), "")
    if shown:
        return Attempt(way, tuple(things), Came.DISCLOSED, shown=shown, told=answer)
    if error:
        came = Came.ACCEPTED if barred else Came.REFUSED
        return Attempt(way, tuple(things), came, by=error)
    if way is Way.WRITE:
        return Attempt(way, tuple(things), Came.CHANGED, told=answer)
    return Attempt(way, tuple(things), Came.ACCEPTED if barred else Came.NOTHING, told=answer)


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
