"""Reads and checks what `[rollout]` of a release says: calendars, files beside it, rings, tenants and regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from ringgate.domain.model import Tenant
from ringgate.domain.schedules import window
from ringgate.inventory import Inventory
from ringgate.inventory.files import Problem, nearest
from ringgate.probing.calendars import holiday
from ringgate.rollout.calendars import CalendarRule, CalendarUnreadable, ICalendar, RolloutCalendar
from ringgate.rollout.rollout_tables import CalendarTable, RolloutTable

_KINDS = ("windows", "freezes")


def files_of(table: RolloutTable) -> tuple[str, ...]:
    """The files beside a release that its `[rollout]` names."""
    names = [name for each in (*table.windows, *table.freezes) for name in each.files]
    return tuple(dict.fromkeys([*names, *([table.bake] if table.bake else [])]))


def check_rollout(
    path: Path, data: Mapping[str, object], inventory: Inventory, led: Sequence[Tenant]
) -> tuple[RolloutCalendar, list[Problem]]:
    """The calendars, and all that is wrong that no single key can see. `led` are the tenants of the release."""
    raw = data.get("rollout")
    try:
        table = RolloutTable.model_validate(raw if isinstance(raw, dict) else {})
    except ValidationError:  # told key by key elsewhere
        return RolloutCalendar(), []
    file = str(path)
    found = [
        Problem(file, f"rollout.rings.{name}", f"is not a ring{nearest(name, inventory.rings)}")
        for name in table.rings if name not in inventory.rings
    ]  # fmt: skip
    if table.bake and not (path.parent / table.bake).is_file():
        found.append(Problem(file, "rollout.bake", "there is no such file beside this one", f'"{table.bake}"'))
    rules: dict[str, list[CalendarRule]] = {kind: [] for kind in _KINDS}
    for kind in _KINDS:
        listed: tuple[CalendarTable, ...] = getattr(table, kind)
        names = [each.name for each in listed]
        for index, each in enumerate(listed):
            rule, wrong = _rule(path, f"rollout.{kind}[{index}]", each, inventory)
            if kind == "freezes" and names.count(each.name) > 1:
                wrong.append(
                    Problem(file, f"rollout.{kind}[{index}].name", "is the name of another one, too", each.name)
                )
            rules[kind].append(rule)
            found += wrong
    calendar = RolloutCalendar(tuple(rules["windows"]), tuple(rules["freezes"]))
    return calendar, found or _never(file, calendar, table, led)


def _rule(path: Path, key: str, table: CalendarTable, inventory: Inventory) -> tuple[CalendarRule, list[Problem]]:
    file, found = str(path), list[Problem]()
    known = [tenant.id for tenant in inventory.tenants]
    regions = sorted({tenant.region for tenant in inventory.tenants})
    for name in table.tenants:
        if name not in known:
            found.append(Problem(file, f"{key}.tenants", f"is not in the inventory{nearest(name, known)}", name))
    for name in table.regions:
        if name not in regions:
            found.append(Problem(file, f"{key}.regions", f"no tenant is there{nearest(name, regions)}", name))
    events = []
    for name in table.files:
        try:
            events.append(ICalendar(path.parent / name))
        except CalendarUnreadable as error:
            found.append(Problem(file, f"{key}.files", str(error), f'"{name}"'))
    if not (table.times or table.files or table.holidays):
        found.append(Problem(file, key, "says nothing: give times, files or holidays"))
    rule = CalendarRule(
        table.name, frozenset(table.tenants), frozenset(table.regions), tuple(window(each) for each in table.times),
        tuple(events), _day_off if table.holidays else None,
    )  # fmt: skip
    return rule, found


def _day_off(tenant: Tenant, day: date) -> str:
    probes = tenant.probes
    return "a day off" if day in probes.days_off else holiday(probes.holidays, day)


def _never(file: str, calendar: RolloutCalendar, table: RolloutTable, led: Sequence[Tenant]) -> list[Problem]:
    """Tenants whose time never comes. Where all of a kind have the same windows, one is enough to say so."""
    each, found, told = table.runway, list[Problem](), set[tuple[str, ...]]()
    runway = each.upgrade + each.verification + each.rollback
    now = datetime.now(UTC)
    if not (calendar.windows or calendar.freezes):
        return []
    for tenant in led:
        concerns = tuple(rule.name for rule in (*calendar.windows, *calendar.freezes) if rule.concerns(tenant))
        if (tenant.timezone, *concerns) in told:
            continue
        told.add((tenant.timezone, *concerns))
        if calendar.opening(tenant, now, runway) is None:
            why = f"no moment within a year has {_minutes(runway)} for {tenant.id} ({', '.join(concerns)})"
            found.append(Problem(file, "rollout", why))
    return found


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} min"
