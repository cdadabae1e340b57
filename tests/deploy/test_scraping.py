"""A real Prometheus scrapes a real `ringgate serve`, and raises the alarm on an outage and on silence, and else not.

The rules are those of deploy/, with every time in them made sixty times shorter.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from ringgate.domain.model import Deployment, Failure, RunResult, SignalSample, Step
from ringgate.domain.terms import Channel, Outcome, Source, StepKind
from ringgate.execution.run_once import new_run_id
from ringgate.store import ProberState, Store
from tests.deploy.serving import Served, served

DEPLOY = Path(__file__).parents[2] / "deploy"
PATIENCE = 60
"""Seconds until a condition that is waited for is given up."""


def queries() -> list[str]:
    """Every query of the dashboard, with its variables filled in."""
    dashboard = json.loads((DEPLOY / "grafana" / "ringgate.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    found += [each["expr"] for each in dashboard["annotations"]["list"]]
    return [re.sub(r"\$(tenant|ring|channel|release)", ".*", each).replace("$__rate_interval", "1m") for each in found]


def shorter(text: str) -> str:
    """Rules with times sixty times shorter: 5m becomes 5s, 1h one minute, and 120 s two."""
    units = {"m": 1, "h": 60, "d": 1440}
    text = re.sub(r"\[(\d+)([mhd])\]", lambda m: f"[{int(m[1]) * units[m[2]]}s]", text)
    text = re.sub(r"for: (\d+)([mhd])", lambda m: f"for: {int(m[1]) * units[m[2]]}s", text)
    return re.sub(r"> (120|300)\b", lambda m: f"> {int(m[1]) // 60 + 3}", text)


@dataclass
class Prometheus:
    """A running Prometheus, asked over its API."""

    address: str
    process: subprocess.Popen[bytes]

    def query(self, query: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.address}/api/v1/query", params={"query": query}, timeout=10).json()
        assert answer["status"] == "success", answer
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def firing(self) -> set[tuple[str, str]]:
        alerts = httpx.get(f"{self.address}/api/v1/alerts", timeout=10).json()["data"]["alerts"]
        return {(a["labels"]["alertname"], a["labels"].get("tenant", "")) for a in alerts if a["state"] == "firing"}


def until(condition: Callable[[], object], what: str) -> None:
    ended = threading.Event()
    timer = threading.Timer(PATIENCE, ended.set)
    timer.start()
    try:
        while not condition():
            assert not ended.wait(0.1), f"waited {PATIENCE} s for {what}"
    finally:
        timer.cancel()


@pytest.fixture
def prometheus(prometheus_programs, tmp_path) -> Iterator[Callable[[str], Prometheus]]:
    """Starts a Prometheus that scrapes an address every second."""
    started: list[subprocess.Popen[bytes]] = []

    def start(target: str) -> Prometheus:
        folder = tmp_path / "prometheus"
        folder.mkdir()
        config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
        del config["alerting"]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        (folder / "ringgate.rules.yml").write_text(shorter((DEPLOY / "prometheus" / "ringgate.rules.yml").read_text()))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", "--log.level=error",
                   f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage"]  # fmt: skip
        log = (folder / "log").open("wb")
        process = subprocess.Popen([str(prometheus_programs["prometheus"]), *options], stdout=log, stderr=log)
        started.append(process)
        address = f"http://127.0.0.1:{port}"

        def ready() -> bool:
            assert process.poll() is None, (folder / "log").read_text()
            try:
                return httpx.get(f"{address}/-/ready", timeout=1).status_code == 200
            except httpx.HTTPError:
                return False

        until(ready, "Prometheus to be ready")
        return Prometheus(address, process)

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


PROBES = """
[probes]
api = "off"
browser = "off"
scenarios.time-entry = { api = "1 s", api_deadline = "2 s" }
[users]
consultant = { login = "synthetic.consultant", password = { env = "CONSULTANT" } }
project_manager = { login = "synthetic.manager", password = { env = "MANAGER" } }
[integrations.payroll]
kind = "csv"
address = "sftp://payroll.example.com/out"
user = "ringgate"
password = { env = "PAYROLL" }
owner = "payroll-team"
within = "15 min"
quiet = "1 min"
receives = ["hours"]
fields = { marker = "note", id = "line", hours = "hours" }
settings = { files = "hours-*.csv", host_key = "ssh-ed25519 AAAA" }
"""
"""Of each tenant one process is due; after five seconds there is silence. What it enters comes to an integration."""


@pytest.fixture
def serve(tmp_path) -> Iterator[Served]:
    tenants = {"acme": "canary", "bond": "early"}
    files = {f"{name}.toml": f'id = "{name}"\nring = "{ring}"\n{PROBES}' for name, ring in tenants.items()}
    with served(tmp_path, files=files) as server:
        yield server


class Running(threading.Thread):
    """Stands in for a prober: leaves a result of each tenant every 0.2 s; those of `failing` fail."""

    def __init__(self, store: Store) -> None:
        super().__init__(daemon=True)
        self.store, self.failing, self.over = store, "", threading.Event()
        self.began = datetime.now(UTC)

    def run(self) -> None:
        while not self.over.wait(0.2):
            now = datetime.now(UTC)
            for tenant, ring in (("acme", "canary"), ("bond", "early")):
                self.store.add(self.result(tenant, ring, now))
            self.store.seen(ProberState("p", self.began, now, detail={"covers": "all"}))
            self.store.sampled([SignalSample(now, "queue", 3.0, "jobs", limit=9.0), SignalSample(now, "queue/up", 1.0)])

    def result(self, tenant: str, ring: str, now: datetime) -> RunResult:
        failed = tenant == self.failing
        outcome = Outcome.FAILED if failed else Outcome.PASSED
        return RunResult(
            run_id=new_run_id(), trace_id=os.urandom(16).hex(), scenario="time-entry", tenant=tenant, ring=ring,
            channel=Channel.API, outcome=outcome, started_at=now, seconds=0.1, release="8.0", source=Source.PROBE,
            steps=(
                Step("enter time", 0.0, 0.1, outcome),
                Step("payroll", 0.1, 0.05, Outcome.PASSED, StepKind.ARRIVAL),
            ),
            failure=Failure("unavailable", "nobody answers", "enter time") if failed else None,
        )  # fmt: skip


@pytest.fixture
def running(serve) -> Iterator[Running]:
    store = Store(serve.results)
    store.deployed(Deployment("d1", datetime.now(UTC), "canary", "8.0"))
    store.count({("late", "acme", "time-entry", "api"): 1})
    thread = Running(store)
    thread.start()
    yield thread
    thread.over.set()
    thread.join()
    store.close()


def test_an_outage_and_silence_are_alarms_and_a_healthy_time_is_none(serve, running, prometheus):
    watch = prometheus(serve.target)
    paging = {"RinggateDown", "RinggateSilence", "RinggateStoreUnreadable", "RinggateProberDown",
              "RinggateBudgetBurnsFast", "RinggateGateBlind", "RinggateObjectiveMissing"}  # fmt: skip
    until(lambda: watch.query('rate(ringgate_runs_total{tenant="acme",outcome="passed"}[5s]) > 0'), "a rate of runs")
    until(lambda: watch.query("ringgate:failed:ratio_rate1h == 0"), "the ratio of failures")
    assert not {name for name, _ in watch.firing()} & paging

    running.failing = "acme"
    until(lambda: ("RinggateBudgetBurnsFast", "acme") in watch.firing(), "the alarm of the outage")
    assert ("RinggateBudgetBurnsFast", "bond") not in watch.firing()
    assert watch.query('ringgate_success{tenant="acme"} == 0')
    span = {"query": "ringgate_runs_total", "start": "0", "end": str(datetime.now(UTC).timestamp() + 60)}
    exemplars = httpx.get(f"{watch.address}/api/v1/query_exemplars", timeout=10, params=span).json()["data"]
    assert len(exemplars[0]["exemplars"][0]["labels"]["trace_id"]) == 32

    running.over.set()
    running.join()
    until(lambda: ("RinggateSilence", "bond") in watch.firing(), "the alarm of silence")
    until(lambda: ("RinggateProberDown", "") in watch.firing(), "the alarm of the prober")
    assert not watch.query("ringgate_success"), "an old result looks fresh"
    assert watch.query('ringgate_last_run_timestamp_seconds{tenant="bond"}')

    serve.kill()
    until(lambda: ("RinggateDown", "") in watch.firing(), "the alarm of the server")
    until(lambda: ("RinggateSilence", "") in watch.firing(), "the alarm that there is nothing at all")


def test_every_panel_of_the_dashboard_shows_something(serve, running, prometheus):
    watch = prometheus(serve.target)
    running.failing = "acme"
    until(lambda: watch.query("ringgate:failed:ratio_rate1h > 0"), "the ratio of failures")
    for query in queries():
        until(partial(watch.query, query.replace("[1m]", "[10s]")), f"an answer to {query}")


def test_counters_do_not_jump_when_the_server_is_killed_and_starts_again(serve, running, prometheus, tmp_path):
    watch = prometheus(serve.target)
    until(lambda: watch.query("sum(ringgate_runs_total) > 10"), "some runs")
    serve.kill()
    running.over.set()
    running.join()
    whole = len(running.store.results())
    serve.start_again()
    total = "sum(ringgate_runs_total)"
    until(lambda: [r for r in watch.query(total) if float(r["value"][1]) == whole], "all runs, each once")
    assert watch.query("sum(resets(ringgate_runs_total[1m]))")[0]["value"][1] == "0"
