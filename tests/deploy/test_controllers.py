"""Rollout controllers ask a real `ringgate serve` exactly as they do in a cluster, by the files of deploy/.

One server, one store and one inventory, in which each ring is another story: a good bake, and what must stop a rollout.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
import yaml
from jsonpath_ng.ext import parse

from ringgate.domain.model import Deployment, Failure, RunResult, Step
from ringgate.domain.terms import Basis, Channel, Outcome, Source
from ringgate.execution.run_once import new_run_id
from ringgate.store import Store
from tests.deploy.serving import Served
from tests.unit.inventory.test_inventory import DEFAULTS, SMALLEST

DEPLOY = Path(__file__).parents[2] / "deploy"
TOKEN = "token-of-the-controllers-7f3a"
RELEASE = "8.0.12"
RINGS = ("good", "bad", "silent", "stale", "partial", "blind", "empty")
EVERY = timedelta(minutes=4)

STOPS = {
    "empty": "No run of",
    "silent": "No run of",
    "stale": "Old results say nothing of today",
    "partial": "partial-b: no run has passed or failed there",
    "blind": "was not caught",
}
"""What each bake that proves nothing lacks, in the words of the verdict."""


def story(ring: str, now: datetime) -> Iterator[RunResult]:
    """The results of a ring's two tenants: a day before the deployment, 15 hours since, up to a minute ago."""
    deployed = now - timedelta(hours=15)
    until = now - timedelta(minutes=50 if ring == "stale" else 1)
    for tenant in (f"{ring}-a", f"{ring}-b"):
        at = now - timedelta(hours=39)
        number = 0
        while at < until:
            release = RELEASE if at >= deployed else "8.0.11"
            here = at < deployed or not (ring == "silent" or (ring == "partial" and tenant.endswith("b")))
            failed = number % 300 == 7 or (ring == "bad" and at > now - timedelta(hours=1))
            if here:
                yield run(tenant, ring, at, release, failed)
            at, number = at + EVERY, number + 1
    for hour in range(9):
        planted = now - timedelta(hours=hour, minutes=20)
        caught = ring != "blind"
        yield run(f"{ring}-a", ring, planted, RELEASE, caught, Source.SELF_TEST)


def run(
    tenant: str, ring: str, at: datetime, release: str, failed: bool, source: Source = Source.PROBE
) -> RunResult:  # fmt: skip
    outcome = Outcome.FAILED if failed else Outcome.PASSED
    return RunResult(
        run_id=new_run_id(), trace_id=os.urandom(16).hex(), scenario="time-entry", tenant=tenant, ring=ring,
        channel=Channel.API, outcome=outcome, started_at=at, seconds=1.0 + at.minute % 7 / 10, release=release,
        source=source, steps=(Step("enter time", 0.0, 1.0, outcome),),
        failure=Failure("expectation", "hours: expected 7.5, but it is 7", "enter time", basis=Basis.PROCESS)
        if failed else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("controllers")
    tenants = {
        f"{ring}-{letter}.toml": SMALLEST.format(id=f"{ring}-{letter}").replace("canary", ring)
        for ring in RINGS
        for letter in "ab"
    }
    files = {"defaults.toml": f"rings = {list(RINGS)}\n{DEFAULTS}", **tenants}
    now = datetime.now(UTC)
    (folder / "state").mkdir()
    store = Store(f"sqlite:///{folder}/state/results.sqlite", clock=lambda: now - timedelta(minutes=1))
    for ring in RINGS:
        store.deployed(Deployment(new_run_id(), now - timedelta(hours=15), ring, RELEASE))
        for result in story(ring, now) if ring != "empty" else ():
            store.add(result)
    store.close()
    policy = folder / "gate.toml"
    # With silence, the stories would grow old while they are told; they are of one process.
    policy.write_text('[signals]\nsilence = false\n[evidence]\nmust = ["time-entry"]\n')
    options = ("--token-env", "GATE_TOKEN", "--policy", str(policy))
    served = Served(folder, *options, environment={"GATE_TOKEN": TOKEN}, files=files)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    judged = "ringgate_gate_judged_timestamp_seconds{"
    while httpx.get(f"{served.address}/metrics", headers=headers, timeout=30).text.count(judged) < len(RINGS):
        assert served.process.poll() is None, served.log.read_text()
    yield served
    served.kill()


# --- Argo Rollouts ----------------------------------------------------------------------------------------------------


class Argo:
    """One measurement of an AnalysisTemplate's web metric, as the controller makes it."""

    def __init__(self, template: str, target: str, **arguments: str) -> None:
        documents = yaml.safe_load_all((DEPLOY / "argo-rollouts" / "analysis-web.yaml").read_text())
        found = next(each for each in documents if each["metadata"]["name"] == template)
        (self.metric,) = found["spec"]["metrics"]
        assert {each["name"] for each in found["spec"]["args"]} == {*arguments}
        self.web, self.target, self.arguments = self.metric["provider"]["web"], target, arguments

    def filled(self, text: str) -> str:
        return re.sub(r"{{\s*args\.(\w+)\s*}}", lambda found: self.arguments[found[1]], text)

    def measure(self) -> tuple[str, str]:
        """The phase of the measurement, and its value."""
        url = urlsplit(self.filled(self.web["url"]))._replace(netloc=self.target)
        headers = {each["key"]: self.filled(each["value"]) for each in self.web["headers"]}
        try:
            answer = httpx.request(
                self.web.get("method", "GET"), urlunsplit(url), headers=headers, timeout=self.web["timeoutSeconds"]
            )
        except httpx.HTTPError as error:
            return "Error", str(error)
        if not 200 <= answer.status_code < 300:
            return "Error", f"received non 2xx response code: {answer.status_code}"
        try:
            (found,) = parse(self.web["jsonPath"].strip("{}")).find(answer.json())
        except ValueError as error:
            return "Error", str(error)
        if self.holds(self.metric["failureCondition"], found.value):
            return "Failed", found.value
        return (
            "Successful" if self.holds(self.metric["successCondition"], found.value) else "Inconclusive"
        ), found.value

    @staticmethod
    def holds(condition: str, result: str) -> bool:
        wanted = re.fullmatch(r'result == "(\w+)"', condition)
        assert wanted, condition
        return result == wanted[1]


def gate(server: Served, ring: str, template: str = "ringgate-gate", token: str = TOKEN) -> tuple[str, str]:
    return Argo(template, server.target, ring=ring, release=RELEASE, token=token).measure()


def test_argo_goes_on_after_a_good_bake(server):
    assert gate(server, "good") == ("Successful", "pass")


@pytest.mark.parametrize("ring", STOPS)
def test_argo_pauses_where_nothing_is_proven(server, ring):
    assert gate(server, ring) == ("Inconclusive", "inconclusive")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = httpx.get(f"{server.address}/api/v1/verdict?ring={ring}", headers=headers, timeout=10).json()
    assert any(STOPS[ring] in reason["sentence"] for reason in answer["reasons"]), answer["reasons"]


def test_argo_aborts_a_bad_release(server):
    assert gate(server, "bad") == ("Failed", "fail")
    assert gate(server, "bad", "ringgate-watch") == ("Failed", "fail")


def test_argo_goes_nowhere_without_the_token(server):
    assert gate(server, "good", token="another")[0] == "Error"


# --- Flagger ----------------------------------------------------------------------------------------------------------


def flagger(server: Served, kind: str, ring: str, token: str = TOKEN) -> bool:
    """Whether a webhook of the Canary lets on, by Flagger's own rule: it POSTs, and takes no status above 202."""
    canary: dict[str, Any] = yaml.safe_load((DEPLOY / "flagger" / "canary.yaml").read_text())
    (hook,) = (each for each in canary["spec"]["analysis"]["webhooks"] if each["type"] == kind)
    url = urlsplit(hook["url"].replace("${RINGGATE_TOKEN}", token))
    there = url._replace(netloc=f"{url.username}:{url.password}@{server.target}")
    body = {
        "name": canary["metadata"]["name"],
        "namespace": canary["metadata"]["namespace"],
        "phase": "Progressing",
        "checksum": "1234",
        "metadata": {**hook["metadata"], "ring": ring, "release": RELEASE},
    }
    try:
        answer = httpx.post(urlunsplit(there), json=body, timeout=float(hook["timeout"].removesuffix("s")))
    except httpx.HTTPError:
        return False
    return answer.status_code <= 202


def test_flagger_goes_on_after_a_good_bake_and_rolls_back_nothing(server):
    assert flagger(server, "confirm-promotion", "good")
    assert not flagger(server, "rollback", "good")


@pytest.mark.parametrize("ring", STOPS)
def test_flagger_waits_where_nothing_is_proven_and_rolls_back_nothing(server, ring):
    assert not flagger(server, "confirm-promotion", ring)
    assert not flagger(server, "rollback", ring)


def test_flagger_rolls_back_a_bad_release(server):
    assert not flagger(server, "confirm-promotion", "bad")
    assert flagger(server, "rollback", "bad")


def test_flagger_goes_nowhere_without_the_token(server):
    assert not flagger(server, "confirm-promotion", "good", token="another")


# --- the same, by exit code and after the store was lost --------------------------------------------------------------


def test_the_command_and_the_server_say_the_same(server):
    command = [sys.executable, "-m", "ringgate.cli", "gate", "--ring", "partial", "--release", RELEASE]
    done = subprocess.run(command, env=server.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr


def test_a_store_that_is_lost_stops_both(server, tmp_path):
    assert gate(server, "good") == ("Successful", "pass")
    path = server.folder / "state" / "results.sqlite"
    for file in path.parent.glob("results.sqlite*"):
        file.unlink()
    path.write_bytes(b"no database any more " * 10_000)
    headers = {"Authorization": f"Bearer {TOKEN}"}

    def readable() -> bool:
        return "ringgate_store_readable 1.0" in httpx.get(f"{server.address}/metrics", headers=headers).text

    while readable():
        pass
    assert gate(server, "good") == ("Inconclusive", "inconclusive")
    assert not flagger(server, "confirm-promotion", "good")
    assert not flagger(server, "rollback", "bad")
    assert httpx.get(f"{server.address}/readyz").status_code == 503
    assert TOKEN not in server.log.read_text()
