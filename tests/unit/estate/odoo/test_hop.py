"""The hop from 14.0 to 19.0: what its log says of it, and how its addon runs steps. The hop itself is run in
tests/erp/odoo."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

import pytest

from ringgate.estate.odoo import hop


@pytest.fixture(scope="module")
def guards() -> ModuleType:
    """The one part of the addon that needs no Odoo."""
    spec = importlib.util.spec_from_file_location("hop_guard", hop.source() / "guard.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Cursor:
    """Remembers its statements, as a cursor of the ERP that knows its database."""

    dbname = "hudson"

    def __init__(self) -> None:
        self.said = list[str]()

    def execute(self, statement: str) -> None:
        self.said.append(statement)

    def clear(self) -> None:
        self.said.append("clear")


def test_a_step_that_fails_leaves_nothing_and_the_others_go_on(guards, caplog):
    guard, cursor = guards.Guard(), Cursor()
    guard.enter("/x/openupgrade_scripts/scripts/sale/16.0.1.2/post-migration.py")

    def breaks(cr):
        cr.execute("UPDATE nothing")
        raise KeyError("field_of_16")

    assert guard.wrapped(breaks, "fill_in")(cursor) is None
    assert guard.wrapped(lambda cr: "done", "other")(cursor) == "done"
    rolled_back = ["SAVEPOINT hop_step", "UPDATE nothing", "clear", "ROLLBACK TO SAVEPOINT hop_step"]
    assert cursor.said == [*rolled_back, "SAVEPOINT hop_step", "RELEASE SAVEPOINT hop_step"]
    assert "HOP FAILED sale/16.0.1.2/post-migration.py fill_in: KeyError: 'field_of_16'" in caplog.text


def test_a_step_that_is_known_not_to_run_is_told_apart(guards, caplog):
    guard = guards.Guard(frozenset({"? fill_in"}))

    def breaks(cr):
        raise KeyError("field_of_16")

    guard.wrapped(breaks, "fill_in")(Cursor())
    assert "HOP KNOWN ? fill_in" in caplog.text
    assert "FAILED" not in caplog.text


def test_only_the_outermost_step_is_guarded(guards):
    guard, cursor = guards.Guard(), Cursor()
    inner = guard.wrapped(lambda cr: cr.execute("UPDATE inner"), "inner")
    guard.wrapped(lambda cr: [inner(cr)], "outer")(cursor)
    assert cursor.said == ["SAVEPOINT hop_step", "UPDATE inner", "RELEASE SAVEPOINT hop_step"]


@pytest.mark.parametrize(
    ("path", "series"),
    [
        ("/t/openupgrade_scripts/scripts/account/15.0.1.2/pre-migration.py", 15),
        ("/t/openupgrade_scripts/scripts/base/19.0.1.3/post-migration.py", 19),
        ("/t/account/upgrades/17.0.1.2/post.py", 99),
    ],
)
def test_a_script_belongs_to_the_series_of_its_folder(guards, path, series):
    assert guards.series_of(path) == series


def test_steps_that_are_known_not_to_run_are_read_from_a_file(guards, tmp_path):
    file = tmp_path / "known.txt"
    file.write_text("# why\nsale/16.0.1.2/pre-migration.py fill_in  # 14.0 has no such table\n\n")
    assert guards.read_known(file) == {"sale/16.0.1.2/pre-migration.py fill_in"}


def test_those_that_come_with_the_hop_name_a_script_and_a_step(guards):
    known = guards.read_known(hop.source() / "known_steps.txt")
    assert [step for step in known if not re.fullmatch(r"\w+/1[5-9]\.0\.[\d.]+/\S+\.py \S+( \S+)?", step)] == []


DONE = "INFO hudson ringgate_hop: HOP DONE 208 scripts and 4100 steps; 40 steps did not run\n"
BROKEN_OFF = "12:00 INFO loading\n12:01 CRITICAL odoo.service.server: Failed to initialize database.\n12:02 INFO end\n"
FAILED = "WARNING hudson ringgate_hop: HOP FAILED sale/16.0.1.2/pre-migration.py rename: KeyError: 'x'\n"


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (DONE, ""),
        (FAILED + DONE, "the step sale/16.0.1.2/pre-migration.py rename: KeyError: 'x'"),
        (FAILED + FAILED + DONE, "(and 1 more)"),
        (BROKEN_OFF, "Failed to initialize database"),
        ("", "it said nothing"),
    ],
    ids=["done", "a step failed", "two did", "it broke off", "no log"],
)  # fmt: skip
def test_a_hop_is_done_only_if_its_log_says_so(log, why):
    told = hop.why_unfinished(log)
    assert why in told
    assert bool(told) == bool(why)


def test_what_a_hop_is_made_of_is_pinned_by_digest():
    wheels = [*hop.SCRIPTS.values(), *hop.AROUND]
    assert all(re.fullmatch(r"[\w-]+==[\d.]+ --hash=sha256:[0-9a-f]{64}\n", wheel.line) for wheel in wheels)
    assert [series for series, wheel in hop.SCRIPTS.items() if not wheel.version.startswith(f"{series}.0.")] == []
