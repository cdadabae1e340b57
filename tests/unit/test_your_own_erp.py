"""docs/your-own-erp.md tells what is there: its code is the example's, its words are capabilities and contracts."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from ringgate.api import TwoPhaseScenario
from ringgate.conformance import CONTRACTS
from ringgate.conformance.suite import DriverContracts
from ringgate.domain import errors
from ringgate.domain.terms import Capability
from ringgate.scenario.discovery import load_scenarios

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "your-own-erp.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "docs" / "examples" / "tryton_over_xml"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_quoted_code_stands_in_the_example() -> None:
    source = (EXAMPLE / "tryton_over_xml.py").read_text(encoding="utf-8")
    quoted = [block for block in blocks("python") if DriverContracts.__name__ not in block]
    assert len(quoted) == 3
    for block in quoted:
        assert block.rstrip() in source


def test_its_entry_point_is_that_of_the_example() -> None:
    (told,) = (tomllib.loads(block) for block in blocks("toml"))
    there = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))
    group = "ringgate.drivers"
    assert told["project"]["entry-points"][group] == there["project"]["entry-points"][group]


def test_every_capability_has_a_row() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    told = {word for line in rows for word in re.findall(r"`([a-z-]+)`", line.split("|")[1])}
    assert told == {each.value for each in Capability}


def test_its_scenarios_contracts_and_errors_are_there() -> None:
    known = load_scenarios(ROOT / "scenarios")
    last = [line.split("|")[3].strip() for line in PAGE.splitlines() if line.startswith("| `")]
    named = {name for cell in last for name in re.split(r", ", cell) if name in known}
    whole = {name for name, each in known.items() if not isinstance(each, TwoPhaseScenario)}
    assert named == whole
    (console,) = blocks("console")
    assert {line.split()[0] for line in console.splitlines()[2:]} <= set(CONTRACTS)
    for name in re.findall(r"`([A-Z]\w+)(?:\([^)]*\))?`", PAGE.split("Whose fault")[1].split("##")[0]):
        assert hasattr(errors, name), name
