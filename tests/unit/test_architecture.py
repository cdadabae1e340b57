"""The rooms of ARCHITECTURE.md, held: who may import whom, and what stands in no file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEAKERS = {"httpx", "playwright", "requests", "urllib3", "aiohttp"}
LIMIT = 400
LONGER = {
    "tests/unit/fingerprint/test_fingerprint.py": 450,  # these mirror one module each, over one set of samples
    "tests/unit/gate/test_bake.py": 430,
    "tests/unit/probing/test_prober.py": 420,
}
"""Files that may have more lines, how many, and why. This list shrinks; it does not grow."""


def python_files(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file names in an import, at any depth, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "") if not node.level else f".{node.module or ''}", node.lineno


def strangers(path: Path, allowed: set[str]) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{line}: {name}" for name, line in imports(path) if name not in allowed]


def test_imports_point_one_way() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def test_a_scenario_imports_nothing_but_the_api() -> None:
    files = python_files("scenarios")
    assert files
    allowed = {"ringgate.api", "__future__", "decimal", "datetime"}
    assert [line for path in files for line in strangers(path, allowed)] == []


def test_a_scenario_names_no_channel_and_no_erp() -> None:
    named = []
    for path in python_files("scenarios"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            words = [node.id] if isinstance(node, ast.Name) else [node.attr] if isinstance(node, ast.Attribute) else []
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
                words.append(node.value)
            named += [f"{path.name}: {word}" for word in words
                      if word.lower() in {"api", "browser", "channel", "tryton", "odoo", "erpnext"}]  # fmt: skip
    assert named == []


def test_nobody_else_speaks_http_or_drives_a_browser() -> None:
    own = tuple(
        ROOT / "ringgate" / room for room in ("drivers", "estate", "integrations", "signals", "rollout/platforms")
    )
    rooms = [*python_files("ringgate", "scenarios", "suites", "fixtures"), ROOT / "conftest.py"]
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in rooms
        if path.is_file() and not any(folder in path.parents for folder in own)
        for name, line in imports(path)
        if name.split(".")[0] in SPEAKERS
    ]
    assert found == []


ERPS = re.compile(r"tryton|odoo", re.IGNORECASE)
OF_AN_ERP = re.compile(
    r"\b(model|wizard|report)\.[a-z_]+\.[a-z_]+\.|\b(account|sale|purchase)\.(move|invoice|order|requisition)\b"
)
"""Names of an ERP's methods and records."""
NAMED = {
    ("ringgate/estate/registry.py", "tryton"),  # the kind of an estate of which nobody says which ERP it is to be
    ("ringgate/rollout/release_tables.py", 'must be as "call model.party.party.create"'),  # what a wrong `uses` is told
}
"""Where the engine names an ERP today. This list shrinks; it does not grow."""


def words_of(path: Path) -> Iterator[str]:
    """Names and texts of a file; docstrings, descriptions and examples of keys may name an ERP to explain something."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    explained = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in {"examples", "description"}:
            explained |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in explained:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        for field in ("id", "attr", "name", "module", "arg"):
            if isinstance(found := getattr(node, field, None), str):
                yield found


def test_no_erp_is_named_outside_its_own_driver_and_estate() -> None:
    own = [ROOT / "ringgate" / room / erp for room in ("drivers", "estate") for erp in ("tryton", "odoo")]
    found = {
        (path.relative_to(ROOT).as_posix(), word)
        for path in python_files("ringgate")
        if not any(folder in path.parents for folder in own)
        for word in words_of(path)
        if ERPS.search(word) or OF_AN_ERP.search(word)
    }
    known = {(path, word) for path, word in found if any(path == at and word.startswith(text) for at, text in NAMED)}
    assert sorted(found - known) == []
    assert len(known) == len(NAMED), "what is not named any more must leave the list"


def test_the_gate_knows_the_model_alone() -> None:
    """Its arithmetic over columns may use numpy, too."""
    columnar = python_files("ringgate/gate/columnar")
    gate = [path for path in python_files("ringgate/gate") if path not in columnar]
    own = {f"ringgate.gate.{path.stem}" for path in gate}
    own |= {"ringgate.gate.columnar", *(f"ringgate.gate.columnar.{path.stem}" for path in columnar)}
    allowed = {
        "ringgate.domain.model",
        "ringgate.domain.terms",
        "ringgate.domain.money",
        "ringgate.domain.errors",
        "ringgate.domain.integrations",
        "ringgate.domain.waivers",
        *own,
    } | set(sys.stdlib_module_names)
    numbers = {*allowed, "numpy", "ringgate.domain.columns", "ringgate.domain.labels"}
    found = [(path.name, line, name) for path in columnar for name, line in imports(path)]
    assert [each for each in found if each[2] not in numbers and each[2].split(".")[0] not in numbers] == []
    assert len(gate) > 10
    found = [(path.name, line, name) for path in gate for name, line in imports(path)]
    assert [each for each in found if each[2] not in allowed and each[2].split(".")[0] not in allowed] == []


def test_the_gate_asks_nobody_for_the_time() -> None:
    named = [
        f"{path.name}: {node.attr}"
        for path in python_files("ringgate/gate")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today", "monotonic"}
        and isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date", "time"}
    ]  # fmt: skip
    assert named == []


def test_the_bootstrap_needs_the_standard_library_alone() -> None:
    names = {name.split(".")[0] for name, _ in imports(ROOT / "ringgate" / "bootstrap.py")}
    assert names <= set(sys.stdlib_module_names)


def test_conftest_is_an_index() -> None:
    body = ast.parse((ROOT / "conftest.py").read_text(encoding="utf-8")).body
    kinds = (ast.Expr, ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom)
    assert [ast.dump(node)[:80] for node in body if not isinstance(node, kinds)] == []


def test_files_stay_readable() -> None:
    files = [*python_files("ringgate", "scenarios", "suites", "fixtures", "tests"), ROOT / "conftest.py"]
    lines = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n") for path in files}
    assert {name: number for name, number in lines.items() if number > LONGER.get(name, LIMIT)} == {}
    assert [name for name in LONGER if lines.get(name, 0) <= LIMIT] == [], "what is short again leaves the list"


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml", "Makefile", ".ci/run"])
def test_no_file_names_a_package_registry(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "://" in line or "--index-url" in line.split()] == []


def test_every_locked_package_has_its_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = [block for block in text.replace("\\\n", " ").splitlines() if "==" in block]
    assert len(pins) > 40
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_one_class_name_has_one_meaning() -> None:
    """Two ERPs may have a class of one name in the same room, each once: there it means the same."""
    places: dict[str, list[str]] = {}
    for path in python_files("ringgate"):
        whole = path.relative_to(ROOT).as_posix()
        room = re.match(r"ringgate/(drivers|estate)/(tryton|odoo)/", whole)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(room.group() if room else whole)
    twice = {name: where for name, where in places.items() if len(where) > 1}
    of_erps = {name: {re.sub("tryton|odoo", "<erp>", each) for each in where} for name, where in twice.items()}
    assert {
        name: where for name, where in twice.items() if len(set(where)) < len(where) or len(of_erps[name]) > 1
    } == {}
