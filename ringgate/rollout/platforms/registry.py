"""Which kinds of platforms there are: ours and those of other packages, by entry point in `ringgate.platforms`.

[project.entry-points."ringgate.platforms"]
hosting = "my_package.platform:Hosting"        # `ringgate rehearse release.toml --platform hosting=eu.toml`
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import cast

from ringgate.domain.errors import OurSideError
from ringgate.inventory.files import nearest
from ringgate.rollout.platforms.protocol import PlatformKind, PlatformRequest

GROUP = "ringgate.platforms"
DEFAULT = "estate"
"""The kind of a platform that nobody named."""


class PlatformError(OurSideError):
    """There is no such kind of platform, it cannot be loaded, or it cannot do what was asked."""

    kind = "platform"


def names() -> tuple[str, ...]:
    """The names of all kinds, in alphabetical order; nothing is loaded."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


@cache
def platform_kind(name: str) -> PlatformKind:
    """The kind of that name. Raises PlatformError for one that is not registered or cannot be loaded."""
    for point in entry_points(group=GROUP, name=name):
        try:
            return cast("PlatformKind", point.load()())
        except Exception as error:
            raise PlatformError(f"The platform {name} ({point.value}) cannot be loaded: {error}") from error
    raise PlatformError(f'There is no platform "{name}"{nearest(name, names())}')


def split(text: str) -> tuple[str, str]:
    """`estate=demo` as the kind's name and what it is told."""
    name, _, where = text.partition("=")
    return name, where


def series_on(text: str) -> tuple[str, ...]:
    """The series that a platform can run, given as on the command line; none where it does not say."""
    name, where = split(text)
    return platform_kind(name).foreseen(PlatformRequest(where))[1]
