"""The wheel by itself: installed where no source tree is, it brings a project of one's own to a first verdict."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.estate import Leased

ROOT = Path(__file__).parents[2]
ROLES = ("consultant", "project_manager", "approver", "accountant", "auditor")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel and the locked packages, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = [sys.executable, "-m", "uv"]
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    if "PIP_INDEX_URL" in environment and "UV_INDEX_URL" not in environment:
        environment.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])

    def do(*arguments: str) -> None:
        done = subprocess.run([*uv, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    do("build", "--wheel", "--quiet", "--out-dir", str(folder / "dist"))
    (wheel,) = (folder / "dist").glob("*.whl")
    do("venv", "--quiet", str(folder / "venv"))
    python = str(folder / "venv" / "bin" / "python")
    do("pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", "requirements.lock")
    do("pip", "install", "--quiet", "--python", python, "--no-deps", str(wheel))
    return folder / "venv" / "bin"


def test_from_an_empty_folder_to_a_first_verdict(installed: Path, own_tenant: Leased, tmp_path: Path) -> None:
    tenant = own_tenant.tenant
    project = tmp_path / "acme"
    passwords = {
        f"ACME_{account_role.upper()}_PASSWORD": tenant.users[role].password.reveal()
        for role in tenant.users
        if (account_role := role.value) in ROLES
    }

    def run(*command: str, env: Mapping[str, str] = passwords) -> subprocess.CompletedProcess[str]:
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "RINGGATE_INVENTORY")},
            **env, "RINGGATE_STATE": str(tmp_path / "state"),
        }  # fmt: skip
        program, *arguments = command
        there = project if project.is_dir() else tmp_path
        return subprocess.run(
            [str(installed / program), *arguments], cwd=there, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    where = run("python", "-c", "import ringgate; print(ringgate.__file__)").stdout
    assert str(installed.parent) in where, "the source tree must not be found"
    made = run(
        "ringgate", "init", str(project), "--tenant", "acme", "--erp", tenant.erp, "--api", tenant.api, "--web",
        tenant.web, "--currency", "XXX", "--timezone", tenant.timezone, "--language", tenant.language,
    )  # fmt: skip
    assert made.returncode == 3
    assert "policy.currency: must be" in made.stderr
    made = run(
        "ringgate", "init", str(project), "--tenant", "acme", "--erp", tenant.erp, "--api", tenant.api, "--web",
        tenant.web, "--currency", "CHF", "--timezone", tenant.timezone, "--language", tenant.language,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr

    told = run("ringgate", "tenants", "doctor", env={})
    assert told.returncode == 2
    assert "ACME_AUDITOR_PASSWORD is not set" in told.stdout

    told = run("ringgate", "tenants", "doctor")
    assert told.returncode == 1, told.stdout + told.stderr
    assert f"name: the inventory says Acme, the ERP calls the company {tenant.name}." in told.stdout
    assert f"policy.currency: the inventory says CHF, the ERP {tenant.policy.currency.code}." in told.stdout
    assert not [secret for secret in passwords.values() if secret in told.stdout + told.stderr]

    # What the doctor said is put right: the tenant's own rules, as its inventory entry in the estate states them.
    entry = (Path(own_tenant.inventory) / f"{tenant.id}.toml").read_text(encoding="utf-8")
    policy = "".join(re.findall(r"^\[+policy.*?(?=^\[+(?!policy))", entry, re.DOTALL | re.MULTILINE))
    file = project / "tenants" / "acme.toml"
    mine = file.read_text(encoding="utf-8")
    mine = mine.replace('name = "Acme"', f'name = "{tenant.name}"', 1)
    file.write_text(mine.partition("[policy]")[0] + policy + mine[mine.index("[users.") :], encoding="utf-8")
    assert run("ringgate", "tenants", "check").returncode == 0
    told = run("ringgate", "tenants", "doctor")
    assert told.returncode == 0, told.stdout + told.stderr

    verdict = run(
        "pytest", "suites", "--channel", "api", "--scenario", "sign-in", "--scenario", "time-entry", "--scenario",
        "invoicing-from-time",
    )  # fmt: skip
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert "3 passed" in verdict.stdout
    assert (project / "reports" / "out" / "report.html").is_file()
