"""What may stand in `[rollout]` of a release definition: how fast, when, and how many may fail."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from ringgate.domain.schedules import window
from ringgate.inventory.kinds import Duration, Name, Slug, StrictTable


def _window(value: str) -> str:
    window(value)
    return value


Stretch = Annotated[str, AfterValidator(_window)]


class CalendarTable(StrictTable):
    """Stretches of time for some tenants; none named: for all. Times are each tenant's own."""

    name: Name = Field(description="What people call it.", examples=["year end"])
    tenants: tuple[Slug, ...] = Field((), description="Only these tenants.", examples=[["kyoto"]])
    regions: tuple[Name, ...] = Field((), description="Only tenants of these regions.", examples=[["eu-west"]])
    times: tuple[Stretch, ...] = Field(
        (), description="Weekly or dated stretches.",
        examples=[["Sat 22:00-04:00", "2026-12-20 00:00 to 2027-01-06 00:00"]],
    )  # fmt: skip
    files: tuple[Name, ...] = Field(
        (), description="iCalendar files beside this one; each event counts.", examples=[["maintenance.ics"]]
    )
    holidays: bool = Field(
        False, strict=True, description="Also the public holidays of each tenant (`probes.holidays`) and its days off.",
        examples=[True],
    )  # fmt: skip


class RunwayTable(StrictTable):
    """How long the parts of one tenant's upgrade take at most: all must fit before a window ends or a freeze begins."""

    upgrade: Duration = Field("10 min", validate_default=True, description="The upgrade.", examples=["20 min"])
    verification: Duration = Field(
        "10 min", validate_default=True, description="What verifies it.", examples=["10 min"]
    )
    rollback: Duration = Field("10 min", validate_default=True, description="The way back.", examples=["15 min"])

    @property
    def whole(self) -> timedelta:
        return self.upgrade + self.verification + self.rollback


class RingPaceTable(StrictTable):
    """One ring; what is left out is as in `[rollout]`."""

    at_once: int | None = Field(None, ge=1, description="Tenants that are upgraded at once.", examples=[8])
    budget: int | None = Field(None, ge=0, description="Tenants that may fail or stay unknown.", examples=[2])


class RolloutTable(StrictTable):
    """How `ringgate rollout` goes through the rings. A rehearsal takes each ring as a whole, at any time."""

    at_once: int = Field(2, ge=1, description="Tenants of a ring that are upgraded at once; halved by each failure.",
                         examples=[4])  # fmt: skip
    at_once_region: int = Field(1_000, ge=1, description="The same of one region.", examples=[2])
    at_once_host: int = Field(1_000, ge=1, description="The same of one host (of the tenants' `endpoints.api`).",
                              examples=[1])  # fmt: skip
    budget: int = Field(
        0, ge=0, description="Tenants of a ring that may fail or stay unknown; each is rolled back by itself, one more "
        "stops the ring.", examples=[1],
    )  # fmt: skip
    bake: str = Field(
        "", description="A policy of the gate beside this file: a ring is promoted when the gate says so [default: "
        "when it is verified].", examples=["gate.toml"],
    )  # fmt: skip
    runway: RunwayTable = Field(RunwayTable(), description="How long one tenant takes.")
    rings: dict[str, RingPaceTable] = Field({}, description="What differs for a ring.")
    windows: tuple[CalendarTable, ...] = Field((), description="When tenants may be upgraded [default: always].")
    freezes: tuple[CalendarTable, ...] = Field((), description="When nothing may begin.")
