"""What a failing run leaves behind tells what went wrong, and no secret: report, JUnit, Allure, screenshots, traces."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def failed_run(own_tenant, environment, folder, tmp_path) -> subprocess.CompletedProcess[str]:
    """Time entry over both channels on a tenant whose inventory says what is not true: its customer's name."""
    wrong = tmp_path / "inventory"
    wrong.mkdir()
    for path in Path(own_tenant.inventory).rglob("*.toml"):
        target = wrong / path.relative_to(own_tenant.inventory)
        target.parent.mkdir(exist_ok=True)
        text = path.read_text()
        target.write_text(text.replace('language = "en"', 'language = "de"') if path.stem == own_tenant.id else text)
    (ROOT / "reports" / "out").mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pytest", "suites/platform", "--inventory", str(wrong), "--tenant", own_tenant.id,
               f"--junitxml={folder}/junit.xml", f"--alluredir={folder}/allure", f"--report={folder}/report.html",
               "-p", "no:cacheprovider"]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def own_tenant(lease):
    return lease("GBP")


def texts(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{path}!{name}", archive.read(name)) for name in archive.namelist())
        elif path.is_file():
            yield str(path), path.read_bytes()


def test_a_failure_is_told_everywhere_and_no_secret_anywhere(failed_run, own_tenant, folder, environment, tmp_path):
    assert failed_run.returncode == 1, failed_run.stdout + failed_run.stderr
    assert "language: expected de, but it is en" in failed_run.stdout

    cases = {case.get("name"): case for case in ET.parse(folder / "junit.xml").iter("testcase")}
    assert set(cases) == {f"sign-in[{own_tenant.id}-{channel}]" for channel in ("api", "browser")}
    properties = {p.get("name"): p.get("value") for p in cases[f"sign-in[{own_tenant.id}-browser]"].iter("property")}
    assert properties["outcome"] == "failed"
    evidence = ROOT / "reports" / "out" / "evidence" / properties["run"]

    results = [json.loads(path.read_text()) for path in (folder / "allure").glob("*-result.json")]
    browser = next(result for result in results if "browser" in result["name"])
    assert [step["name"] for step in browser["steps"]] == ["sign in"]
    assert {attachment["name"].split()[0] for attachment in browser["attachments"]} >= {"screen", "trace"}
    assert (folder / "report.html").read_text().count("data:image/") >= 1

    told = dict(texts(folder)) | dict(texts(evidence)) | dict(texts(tmp_path / "state"))
    told["output"] = (failed_run.stdout + failed_run.stderr).encode()
    assert any(".trace.zip!" in name for name in told)
    for account in own_tenant.tenant.users.values():
        password = account.password.reveal()
        for form in (password, base64.b64encode(password.encode()).decode()):
            assert [name for name, text in told.items() if form.encode() in text] == []


def test_a_property_that_fails_begins_with_the_business_line_and_shows_no_secret(
    own_tenant, environment, folder, tmp_path
):
    """In pytest's longest style, with the local variables of every frame."""
    wrong = tmp_path / "inventory"
    wrong.mkdir()
    for path in Path(own_tenant.inventory).rglob("*.toml"):
        target = wrong / path.relative_to(own_tenant.inventory)
        target.parent.mkdir(exist_ok=True)
        other = 'currency = "GBP"\ncustomer = "Nobody of that name"'
        text = path.read_text()
        target.write_text(text.replace('currency = "GBP"', other) if path.stem == own_tenant.id else text)
    command = [sys.executable, "-m", "pytest", "suites/properties", "--inventory", str(wrong), "--channel", "api",
               "--tenant", own_tenant.id, "--tb=long", "--showlocals", "--log-level=DEBUG", f"--log-file={folder}/log",
               f"--junitxml={folder}/junit.xml", f"--alluredir={folder}/allure", f"--ctrf={folder}/ctrf.json",
               f"--report={folder}/report.html", "-p", "no:cacheprovider"]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    cases = json.loads((folder / "ctrf.json").read_text())["results"]["tests"]
    assert len(cases) == 2
    for case in cases:
        assert case["message"].startswith("create_project was refused: The ERP has no party.party for"), case
        assert "Traceback" not in case["trace"].splitlines()[1]
    told = dict(texts(folder)) | dict(texts(tmp_path / "state"))
    told["output"] = (done.stdout + done.stderr).encode()
    secrets = [account.password.reveal() for account in own_tenant.tenant.users.values()]
    forms = [form for each in secrets for form in (each, base64.b64encode(each.encode()).decode())]
    assert [name for name, text in told.items() for form in forms if form.encode() in text] == []
    assert [name for name, text in told.items() if re.search(rb"Session [A-Za-z0-9+/]{24,}", text)] == []
