"""Which drivers there are: ours and those of other packages, by entry point `<erp>.<channel>` in `ringgate.drivers`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from operator import attrgetter
from typing import Final, cast

from ringgate.domain.errors import OurSideError
from ringgate.domain.model import Tenant
from ringgate.domain.terms import Capability, Channel
from ringgate.drivers.parts import whole
from ringgate.drivers.protocol import Driver, PartialDriver

GROUP = "ringgate.drivers"


class DriverError(OurSideError):
    """A registered driver cannot be loaded."""

    kind = "driver"


@cache
def _registered() -> tuple[EntryPoint, ...]:
    """Read once: it means a look into every installed package."""
    return tuple(entry_points(group=GROUP))


def exists(erp: str, channel: Channel) -> bool:
    """Whether a driver is registered; it is not loaded."""
    return any(point.name == f"{erp}.{channel.value}" for point in _registered())


def known_erps() -> list[str]:
    """The ERPs that some driver is registered for, sorted; none is loaded."""
    return sorted({point.name.rpartition(".")[0] for point in _registered()})


def installed() -> list[tuple[str, Channel]]:
    """Every ERP and channel that a driver is registered for, sorted. None is loaded."""
    named = [point.name.rpartition(".") for point in _registered()]
    return sorted({(erp, Channel(channel)) for erp, _, channel in named if channel in list(Channel)})


@cache
def driver_class(erp: str, channel: Channel) -> type[PartialDriver] | None:
    """The class registered for an ERP and a channel, or None. Raises DriverError if it cannot be loaded."""
    name = f"{erp}.{channel.value}"
    for point in _registered():
        if point.name != name:
            continue
        try:
            return cast("type[PartialDriver]", point.load())
        except Exception as error:
            raise DriverError(f"the driver {name} ({point.value}) cannot be loaded: {error}") from error
    return None


def capabilities(erp: str, channel: Channel) -> frozenset[Capability] | None:
    """What that driver can do; None where there is no driver. Starts nothing."""
    found = driver_class(erp, channel)
    return found.capabilities if found else None


def why_not(tenant: Tenant, channel: Channel, *needed: Capability) -> str:
    """Why these capabilities are not to be had of a tenant over a channel, in words; "" if all are. Starts nothing.

    What needs one that is lacking is not applicable: a stage of a rollout asks this before it calls its part."""
    return lacking(needed, tenant, channel, capabilities(tenant.erp, channel))


def lacking(needed: Iterable[Capability], tenant: Tenant, channel: Channel, able: frozenset[Capability] | None) -> str:
    """As `why_not`, for a driver that can do what `able` says; None where there is no driver."""
    if able is None:
        return f"there is no {channel} driver for {tenant.erp}"
    needed = frozenset(needed)
    if absent := sorted(needed - able):
        return f"the {channel} driver for {tenant.erp} cannot do {', '.join(absent)}"
    if absent := sorted(needed & tenant.lacks):
        return f"{tenant.id} does not have {', '.join(absent)}"
    unstated = {key: each for each in sorted(needed & STATED.keys()) for key in STATED[each] if not _says(tenant, key)}
    if unstated:
        return (
            f"the inventory does not state {', '.join(unstated)} of {tenant.id}, which {min(unstated.values())} needs"
        )
    return ""


STATED: Final = {
    Capability.SUPPLIER_INVOICES: ("policy.supplier", "policy.accounts.payable", "policy.accounts.expense")
}
"""Keys that a tenant's inventory may leave out, and that a capability cannot do without."""


def _says(tenant: Tenant, key: str) -> bool:
    return bool(attrgetter(key)(tenant))


class Drivers(Mapping[tuple[str, Channel], Driver]):
    """The drivers of one process and thread, each made when it is first used. `close()` ends their sessions."""

    def __init__(self, erps: Collection[str]) -> None:
        self._keys = [(erp, channel) for erp in sorted(set(erps)) for channel in Channel if exists(erp, channel)]
        self._made: dict[tuple[str, Channel], Driver] = {}

    def __getitem__(self, key: tuple[str, Channel]) -> Driver:
        if key not in self._keys:
            raise KeyError(key)
        if key not in self._made:
            found = driver_class(*key)
            assert found is not None
            self._made[key] = whole(found())
        return self._made[key]

    def __iter__(self) -> Iterator[tuple[str, Channel]]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def close(self) -> None:
        """Close every driver that was made, each even if another fails."""
        made, self._made = list(self._made.values()), {}
        failures = []
        for driver in made:
            try:
                driver.close()
            except Exception as error:
                failures.append(error)
        if failures:
            raise DriverError(f"a driver could not be closed: {failures[0]}") from failures[0]
