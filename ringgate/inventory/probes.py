"""The keys that say when a tenant is probed, and what they come to.

    [probes]
    api = "5 min"
    browser = "off"
    holidays = "DE-NW"
    maintenance = ["Sun 02:00-04:00", "2027-01-31 22:00 to 2027-02-01 04:00"]
    [probes.scenarios.financial-posting]
    api = "15 min"
    hours = ["Mon-Fri 08:00-18:00"]

They stand in defaults.toml, below a service level there ([slas.gold.probes]), in a cohort's or a tenant's file.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from ringgate.domain.schedules import OFF, Dated, ProbeSchedule, Probing, Weekly, window
from ringgate.inventory.kinds import Slug, StrictTable, duration

_USUAL = ProbeSchedule()


def _every(value: Any) -> Any:
    if value != "off" and duration(value) < timedelta(seconds=1):
        raise ValueError('must be at least 1 s, or "off" for never')
    return value


def _limit(value: Any) -> Any:
    if duration(value) < timedelta(seconds=1):
        raise ValueError("must be at least 1 s")
    return value


def _hours(value: str) -> str:
    Weekly.of(value)
    return value


def _window(value: str) -> str:
    window(value)
    return value


def _holidays(value: str) -> str:
    if value and not re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", value):
        raise ValueError("must be a country, or a part of one, by its ISO 3166 code, such as GB or DE-NW")
    return value


Every = Annotated[str, BeforeValidator(_every)]
Limit = Annotated[str, BeforeValidator(_limit)]
Hours = tuple[Annotated[str, AfterValidator(_hours)], ...]


class ScenarioProbesTable(StrictTable):
    """What holds for one scenario; what it does not say is as [probes] has it."""

    api: Every | None = Field(None, description="Instead of probes.api.", examples=["15 min"])
    browser: Every | None = Field(None, description="Instead of probes.browser.", examples=["off"])
    api_deadline: Limit | None = Field(None, description="Instead of probes.api_deadline.", examples=["1 min"])
    browser_deadline: Limit | None = Field(None, description="Instead of probes.browser_deadline.", examples=["3 min"])
    hours: Hours | None = Field(None, description="Instead of probes.hours.", examples=[["Mon-Fri 08:00-18:00"]])


class ProbesTable(StrictTable):
    api: Every = Field(
        "5 min", description="How often each scenario runs over the API; off for never.", examples=["1 min"]
    )
    browser: Every = Field("30 min", description="How often over the browser.", examples=["off"])
    api_deadline: Limit = Field("2 min", description="A run over the API that takes longer fails.", examples=["1 min"])
    browser_deadline: Limit = Field(
        "5 min", description="A run over the browser that takes longer fails.", examples=["3 min"]
    )
    hours: Hours = Field(
        (), description="Only then, by the tenant's clock; none for always.", examples=[["Mon-Fri 08:00-18:00"]]
    )
    holidays: Annotated[str, AfterValidator(_holidays)] = Field(
        "", description="Whose public holidays are no business days: hours do not hold on them.", examples=["DE-NW"]
    )
    days_off: tuple[date, ...] = Field(
        (), description="Further days that are no business days.", examples=[["2027-05-03"]]
    )
    maintenance: tuple[Annotated[str, AfterValidator(_window)], ...] = Field(
        (),
        description="When nothing is probed: every week, or once.",
        examples=[["Sun 02:00-04:00", "2027-01-31 22:00 to 2027-02-01 04:00"]],
    )
    scenarios: dict[Slug, ScenarioProbesTable] = Field({}, description="What differs for a scenario, by its id.")


def probing(table: ProbesTable) -> Probing:
    """What the keys come to."""
    usual = _schedule(table, _USUAL)
    return Probing(
        usual=usual,
        scenarios={name: _schedule(each, usual) for name, each in table.scenarios.items()},
        holidays=table.holidays,
        days_off=frozenset(table.days_off),
        maintenance=tuple(map(window, table.maintenance)),
    )


def _schedule(table: ProbesTable | ScenarioProbesTable, usual: ProbeSchedule) -> ProbeSchedule:
    def span(said: str | None, otherwise: timedelta) -> timedelta:
        return otherwise if said is None else OFF if said == "off" else duration(said)

    return ProbeSchedule(
        api=span(table.api, usual.api),
        browser=span(table.browser, usual.browser),
        api_deadline=span(table.api_deadline, usual.api_deadline),
        browser_deadline=span(table.browser_deadline, usual.browser_deadline),
        hours=usual.hours if table.hours is None else tuple(map(Weekly.of, table.hours)),
    )


def past(table: ProbesTable, today: date) -> list[str]:
    """The windows of maintenance that will never come again."""
    dated = (each for each in map(window, table.maintenance) if isinstance(each, Dated))
    return [each.text for each in dated if each.end.date() < today]
