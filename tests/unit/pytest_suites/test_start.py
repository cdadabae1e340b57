"""A start loads what it uses: each of these packages would add as much again as all of Ringgate's own modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ringgate.cli.init import PROJECT
from ringgate.host import paths
from ringgate.store import Store
from tests.unit.suites.test_suites import DEFAULTS, tenant

SUITE = '''
from ringgate.api import CONSULTANT, READ, SIGN_IN, scenario

@scenario(id="reads", effect=READ, needs={SIGN_IN}, roles={CONSULTANT}, channels={"api"})
def reads(erp, make, run):
    """Makes data, and asks nobody."""
    make.project()
    make.note()
'''
CONFTEST = """
import sys

def pytest_unconfigure(config):
    print("loaded:", *sorted(sys.modules), file=sys.stderr)
"""
UNUSED = (
    *("hypothesis", "faker", "anyio.pytest_plugin", "playwright", "alembic", "mako", "psycopg", "holidays"),
    *("httpx._main", "click", "sqlalchemy", "allure_pytest", "ringgate.fingerprint", "ringgate.execution.twins"),
)


def test_a_run_over_the_api_loads_nothing_that_it_does_not_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("RG_TEST_CONSULTANT", "x" * 12)
    Store(paths.results_url()).close()  # a machine's first run makes it
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for folder in ("suites", "tenants", "scenarios"):
        (tmp_path / folder).mkdir()
    (tmp_path / "suites" / "test_reads.py").write_text(SUITE)
    (tmp_path / "tenants" / "defaults.toml").write_text(DEFAULTS)
    tenant(tmp_path / "tenants", "acme", 'ring = "canary"')
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--channel=api"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert "1 passed" in said, said
    loaded = done.stderr.rpartition("loaded:")[2].split()
    assert {"httpx", "ringgate", "sqlite3"} <= set(loaded)
    assert set(UNUSED) & set(loaded) == set()


def test_allure_is_loaded_by_its_options_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "test_own.py").write_text("def test_nothing(): ...")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--alluredir=out",
        "suites/test_own.py::test_nothing",
    ]
    inventory = tmp_path / "tenants"
    inventory.mkdir()
    (inventory / "defaults.toml").write_text(DEFAULTS)
    tenant(inventory, "acme", 'ring = "canary"')
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "out").glob("*-result.json"))) == 1
