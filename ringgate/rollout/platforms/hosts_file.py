"""What the files of platforms on hosts have in common, and how one is read: all that is wrong is told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import Field

from ringgate.host import paths
from ringgate.inventory import Inventory
from ringgate.inventory.files import Problem, checked, dotted, nearest, read_layer
from ringgate.inventory.kinds import Duration, Name, Slug, StrictTable
from ringgate.rollout.platforms.attempts import AttemptBook
from ringgate.rollout.platforms.hosted import REQUIRED, ActionChannel, HostedPlatform
from ringgate.rollout.platforms.protocol import PlatformRequest, PlatformSite
from ringgate.rollout.platforms.registry import PlatformError

ACTIONS = (*REQUIRED, "repair")
_COMMON = ("tenant", "region", "timezone", "ring", "key", "attempt", "lease")
PLACEHOLDERS: Mapping[str, tuple[str, ...]] = {
    "status": _COMMON,
    "backup": _COMMON,
    "backups": _COMMON,
    "restore_beside": (*_COMMON, "backup", "copy"),
    "remove_beside": (*_COMMON, "backup", "copy"),
    "upgrade": (*_COMMON, "from", "to", "backup"),
    "roll_back": (*_COMMON, "backup", "to"),
    "repair": (*_COMMON, "backup", "to"),
}
"""What may stand in braces in each action, and is filled in."""

_BRACES = re.compile(r"\{(\w+)\}")
T = TypeVar("T", bound="HostsTable")


class HostsTable(StrictTable):
    """The keys that every such file has."""

    name: Slug = Field(description="Tells the rollouts of this platform from others'.", examples=["eu"])
    inventory: str = Field(
        "tenants", min_length=1, description="The inventory's folder, beside this file.", examples=["tenants"]
    )
    series: tuple[Name, ...] = Field(
        (), description="The series that the hosts can run, in their order; none: not checked.",
        examples=[["7.0", "8.0"]],
    )  # fmt: skip
    poll: Duration = Field(
        "5 s", validate_default=True, description="How often a tenant is looked at on which something is under way.",
        examples=["5 s"],
    )  # fmt: skip


@dataclass(frozen=True)
class HostsFile(Generic[T]):
    """A file that is right, and where it lies."""

    path: Path
    table: T


class PlatformFileError(PlatformError):
    """The file of a platform is wrong; `problems` holds every reason, and the text lists them, one to a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def read_hosts(where: str, kind: type[T], check: Callable[[Path, Mapping[str, object]], list[Problem]]) -> HostsFile[T]:
    """Reads the file that stands after the platform's name. `check` says what else is wrong with its raw values.

    Raises PlatformFileError."""
    if not where:
        raise PlatformFileError([Problem("--platform", "", "name its file, such as command=hosts.toml")])
    path = Path(where)
    layer = read_layer(path)
    if isinstance(layer, Problem):
        raise PlatformFileError([layer])
    table, wrong = checked(kind, layer.data)
    problems = [Problem(layer.file, dotted(at), rule, got) for at, rule, got, _ in wrong]
    folder = layer.data.get("inventory", "tenants")
    if isinstance(folder, str) and folder and not (path.parent / folder).is_dir():
        problems.append(Problem(layer.file, "inventory", "there is no such folder beside this file", f'"{folder}"'))
    problems += check(path, layer.data)
    if problems or table is None:
        raise PlatformFileError(dict.fromkeys(problems))
    return HostsFile(path, table)


def unknown_placeholders(file: str, key: str, action: str, text: str, more: Iterable[str] = ()) -> list[Problem]:
    """Words in braces that this action does not fill in."""
    known = (*PLACEHOLDERS[action], *more)
    return [
        Problem(file, key, f"{{{word}}} is nothing that {action} fills in{nearest(word, known)}")
        for word in words_in_braces(text)
        if word not in known
    ]


def words_in_braces(text: str) -> list[str]:
    return _BRACES.findall(text)


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """`{tenant}` and the like replaced, each by itself: a value is never looked through for further ones."""
    return _BRACES.sub(lambda found: values.get(found[1], found[0]), text)


def inventory_of(file: HostsFile[T], request: PlatformRequest) -> Inventory:
    return Inventory.load(request.inventory or file.path.parent / file.table.inventory)


def site_of(file: HostsFile[T], kind: str, channel: ActionChannel, request: PlatformRequest) -> PlatformSite:
    """The platform that this file describes, ready."""
    inventory = inventory_of(file, request)
    folder = paths.state() / "platforms" / f"{kind}-{file.table.name}"
    platform = HostedPlatform(channel, inventory.tenants, AttemptBook(folder), poll=file.table.poll.total_seconds())
    return PlatformSite(file.table.name, platform, inventory, file.table.series, led_by=platform.led_by)
