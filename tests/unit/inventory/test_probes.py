"""The keys that say when a tenant is probed: what they come to, where they come from, and what is refused."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from ringgate.domain.schedules import OFF, Dated, ProbeSchedule, Probing, Weekly
from tests.unit.inventory.test_errors import problems
from tests.unit.inventory.test_inventory import DEFAULTS, SMALLEST, load

ACME = SMALLEST.format(id="acme")
LEVEL = '[slas.{}]\nrecovery_point = "1 h"\nrecovery_time = "1 h"\n'
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def probes(folder: Path, text: str = "", defaults: str = DEFAULTS, **files: str) -> Probing:
    others = {f"cohorts/{name}.toml": content for name, content in files.items()}
    return load(folder, {"defaults.toml": defaults, "acme.toml": ACME + text, **others}).tenant("acme").probes


def test_who_says_nothing_is_probed_all_the_same(tmp_path: Path) -> None:
    assert probes(tmp_path) == Probing(ProbeSchedule(5 * MINUTE, 30 * MINUTE, 2 * MINUTE, 5 * MINUTE, ()))


def test_every_key_reaches_the_tenant(tmp_path: Path) -> None:
    text = """
[probes]
api = "1 min"
browser = "off"
api_deadline = "30 s"
browser_deadline = "3 min"
hours = ["Mon-Fri 08:00-18:00", "Sat 09:00-12:00"]
holidays = "DE-NW"
days_off = [2027-02-08]
maintenance = ["Sun 02:00-04:00", "2027-01-31 22:00 to 2027-02-01 04:00"]
[probes.scenarios.time-entry]
api = "1 h"
hours = []
"""
    found = probes(tmp_path, text)
    hours = (Weekly.of("Mon-Fri 08:00-18:00"), Weekly.of("Sat 09:00-12:00"))
    usual = ProbeSchedule(MINUTE, OFF, timedelta(seconds=30), 3 * MINUTE, hours)
    assert found.usual == found.of("sign-in") == usual
    assert found.of("time-entry") == ProbeSchedule(HOUR, OFF, timedelta(seconds=30), 3 * MINUTE, ())
    assert (found.holidays, found.days_off) == ("DE-NW", {date(2027, 2, 8)})
    once = Dated.of("2027-01-31 22:00 to 2027-02-01 04:00")
    assert found.maintenance == (Weekly.of("Sun 02:00-04:00"), once)
    assert (f"{once.start}", f"{once.end}") == ("2027-01-31 22:00:00", "2027-02-01 04:00:00")


def test_a_service_level_lies_between_the_defaults_and_the_cohorts(tmp_path: Path) -> None:
    defaults = (
        'sla = "gold"\n'
        + DEFAULTS
        + '[probes]\napi = "10 min"\nbrowser = "1 h"\napi_deadline = "1 min"\n'
        + LEVEL.format("gold")
        + 'probes = { api = "2 min", browser = "15 min", scenarios.sign-in.api = "1 min" }\n'
        + LEVEL.format("iron")
    )
    cohort = '[probes]\nbrowser = "off"\n'
    files = {
        "defaults.toml": defaults,
        "cohorts/emea.toml": cohort,
        "acme.toml": ACME + 'cohorts = ["emea"]\n',
        "beta.toml": SMALLEST.format(id="beta") + 'sla = "iron"\n',
    }
    inventory = load(tmp_path, files)
    gold, iron = (inventory.tenant(name).probes for name in ("acme", "beta"))
    assert (gold.usual.api, gold.usual.browser, gold.usual.api_deadline) == (2 * MINUTE, OFF, MINUTE)
    assert gold.of("sign-in").api == MINUTE
    assert (iron.usual.api, iron.usual.browser) == (10 * MINUTE, HOUR)
    origins = {x.key: x.origin.removeprefix(f"{tmp_path}/tenants/") for x in inventory.settings("acme")}
    assert {key: origins[f"probes.{key}"] for key in ("api", "browser", "api_deadline", "browser_deadline")} == {
        "api": "defaults.toml [slas.gold]",
        "browser": "cohorts/emea.toml",
        "api_deadline": "defaults.toml",
        "browser_deadline": "built-in default",
    }
    assert origins["probes.scenarios.sign-in.api"] == "defaults.toml [slas.gold]"


def test_what_is_shown_is_what_was_written(tmp_path: Path) -> None:
    text = '[probes]\napi = "off"\nmaintenance = ["Sun 02:00-04:00"]\n'
    shown = {x.key: x.value for x in load(tmp_path, {"acme.toml": ACME + text}).settings("acme")}
    assert (shown["probes.api"], shown["probes.browser"]) == ("off", "30 min")
    assert shown["probes.maintenance"] == "Sun 02:00-04:00"


def test_how_many_sessions_there_are_in_all(tmp_path: Path) -> None:
    assert load(tmp_path, {"acme.toml": ACME}).sessions == 16
    more = load(tmp_path, {"defaults.toml": "sessions_in_all = 40\n" + DEFAULTS, "acme.toml": ACME})
    assert more.sessions == 40


def test_maintenance_that_is_past_is_a_warning(tmp_path: Path) -> None:
    text = '[probes]\nmaintenance = ["2026-01-31 22:00 to 2026-02-01 04:00"]\n'
    (warning,) = load(tmp_path, {"acme.toml": ACME + text}).warnings
    assert (warning.key, warning.rule) == (
        "probes.maintenance",
        '"2026-01-31 22:00 to 2026-02-01 04:00" is past: remove it',
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('api = "often"', 'probes.api: must be a time with its unit (s, min, h, d), such as "30 min" (got "often")'),
        ("api = 5", "probes.api: must be a time with its unit"),
        ('api = "0 s"', 'probes.api: must be at least 1 s, or "off" for never (got "0 s")'),
        ('api_deadline = "off"', "probes.api_deadline: must be a time with its unit"),
        ('api_deadline = "0 s"', "probes.api_deadline: must be at least 1 s"),
        ('brwser = "off"', "probes.brwser: is not a known key; did you mean browser?"),
        ('hours = "Mon-Fri 08:00-18:00"', "probes.hours: must be a list"),
        ('hours = ["weekdays"]', 'probes.hours[0]: must be days and hours, such as "Mon-Fri 08:00-18:00"'),
        ('hours = ["Mon-Fru 08:00-18:00"]', "probes.hours[0]: must be days and hours"),
        ('hours = ["Mon 08:00-24:30"]', "probes.hours[0]: must end at 24:00 at the latest"),
        ('holidays = "Bavaria"', "probes.holidays: must be a country, or a part of one, by its ISO 3166 code"),
        ('days_off = ["soon"]', "probes.days_off[0]: must be a date, such as 2027-01-31"),
        ('maintenance = ["2027-02-30 10:00 to 2027-03-01 10:00"]', "probes.maintenance[0]: must be two times in order"),
        ('maintenance = ["2027-02-02 10:00 to 2027-02-01 10:00"]', "probes.maintenance[0]: must be two times in order"),
        ('maintenance = ["Sunday"]', "probes.maintenance[0]: must be days and hours"),
        ('[probes.scenarios.sign-in]\napi = "x"', "probes.scenarios.sign-in.api: must be a time with its unit"),
        ("[probes.scenarios.sign-in]\nholidays = 'DE'", "probes.scenarios.sign-in.holidays: is not a known key"),
    ],
)
def test_one_mistake_one_message(tmp_path: Path, text: str, expected: str) -> None:
    (found,) = problems(tmp_path, {"acme.toml": f"{ACME}[probes]\n{text}\n"})
    assert found.startswith(f"tenants/acme.toml: {expected}"), found


def test_mistakes_of_a_service_level_are_told_once_and_with_the_others(tmp_path: Path) -> None:
    level = LEVEL.format("gold") + 'probes = { api = "x", hours = ["y"] }\n'
    files = {
        "defaults.toml": 'sla = "gold"\nsessions_in_all = 0\n' + DEFAULTS + level,
        "acme.toml": ACME + '[probes]\nbrowser = "z"\n',
        "beta.toml": SMALLEST.format(id="beta"),
    }
    assert [line.split(": ")[0:2] for line in problems(tmp_path, files)] == [
        ["tenants/defaults.toml", "sessions_in_all"],
        ["tenants/defaults.toml", "slas.gold.probes.api"],
        ["tenants/defaults.toml", "slas.gold.probes.hours[0]"],
        ["tenants/acme.toml", "probes.browser"],
    ]
