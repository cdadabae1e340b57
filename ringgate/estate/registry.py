"""Which kinds of estates there are: ours and those of other packages, by entry point in `ringgate.estates`.

[project.entry-points."ringgate.estates"]
"myerp" = "my_package.estate:MyErpEstate"       # a class without arguments, or an instance
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from functools import cache
from importlib.metadata import entry_points
from typing import cast

from ringgate.estate.errors import EstateError
from ringgate.estate.protocol import EstateKind

GROUP = "ringgate.estates"
DEFAULT = "tryton"
"""The kind of an estate of which nobody says which ERP it is to be."""


def names() -> tuple[str, ...]:
    """The names of all kinds, in alphabetical order; nothing is loaded."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


@cache
def estate_kind(name: str) -> EstateKind:
    """The kind of that name. Raises EstateError for one that is not registered or cannot be loaded."""
    for point in entry_points(group=GROUP, name=name):
        try:
            found = point.load()
            return cast("EstateKind", found() if isinstance(found, type) else found)
        except Exception as error:
            raise EstateError(
                f"The estate kind {name} ({point.value}) cannot be loaded ({error}): repair its package."
            ) from error
    if not names():
        raise EstateError(
            "No kind of estate is registered: install Ringgate again, so that its entry points are known."
        )
    near = difflib.get_close_matches(name, names(), n=1)
    hint = f"did you mean {near[0]}" if near else f"choose one of {', '.join(names())}"
    raise EstateError(f'There is no estate kind "{name}": {hint}.')


def series_of(erps: Collection[str]) -> tuple[str, ...]:
    """The series of these ERPs that can run here, each ERP's in their order; none if one of them has no kind."""
    if not set(erps) <= set(names()):
        return ()
    return tuple(series for erp in sorted(set(erps)) for series in estate_kind(erp).series)
