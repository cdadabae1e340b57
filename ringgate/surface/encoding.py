"""A surface as text, and back.

path.write_text(dumps(surface))
loads(path.read_text()) == surface

{
"erp": "tryton",
"format": "ringgate surface",
...
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import Final

from pydantic import TypeAdapter, ValidationError

from ringgate.domain.errors import OurSideError
from ringgate.surface.model import Surface

FORMAT: Final = "ringgate surface"
VERSION: Final = 2
"""Of the JSON text. A text of another version is refused, never guessed at."""


class SurfaceUnreadable(OurSideError):
    """A text is not a surface, or one of another version: nothing can be compared with it."""

    kind = "surface"


def dumps(surface: Surface) -> str:
    """JSON in a stable order, one line for each fact, so that `diff` is of use, too. What is by default is left out, or
    ten thousand fields would fill megabytes."""
    told = _adapter().dump_python(surface, exclude_defaults=True)
    return (
        json.dumps(
            {"format": FORMAT, "version": VERSION, **told}, indent=0, sort_keys=True, ensure_ascii=False, default=_plain
        )
        + "\n"
    )


def loads(text: str, where: str = "the text") -> Surface:
    """The surface that `dumps` wrote. `where` names the text in errors. Raises SurfaceUnreadable."""
    try:
        told = json.loads(text)
    except ValueError as error:
        raise SurfaceUnreadable(f"{where} is not JSON: {error}") from None
    if not isinstance(told, dict) or told.pop("format", None) != FORMAT:
        raise SurfaceUnreadable(f"{where} is not a surface: take one with `ringgate surface take`.")
    if (version := told.pop("version", None)) != VERSION:
        raise SurfaceUnreadable(f"{where} is a surface of version {version}, not {VERSION}: take it again.")
    try:
        return _adapter().validate_python(told)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_url=False)]
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise SurfaceUnreadable(f"{where} is a damaged surface ({'; '.join(wrong[:SHOWN])}{more}).") from None


SHOWN: Final = 5
"""Mistakes that one error names."""


@cache
def _adapter() -> TypeAdapter[Surface]:
    return TypeAdapter(Surface)


def _plain(value: object) -> object:
    """What JSON has no word for: sets and moments."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a surface holds no {type(value).__name__}")
