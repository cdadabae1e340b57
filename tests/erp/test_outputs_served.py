"""No seeded secret in anything that comes out: reports, evidence, store, traces, metrics, pages, verdicts, logs.

The seeds: users' passwords, the server's token, a database's password, a bearer token and a collector's key.
"""

from __future__ import annotations

import base64
import html
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.deploy.serving import Served
from tests.erp.test_outputs import ROOT, texts
from tests.unit.sinks.test_opentelemetry import Receiver

TOKEN = "seeded/token+of=the-server"
DATABASE = "seeded-database-pass#word"
BEARER = "seeded&bearer<token>"
COLLECTOR = "seeded-collector-key"


@pytest.fixture
def own_tenant(lease):
    return lease("GBP")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def wrong_inventory(own_tenant, tmp_path) -> Path:
    """The estate's, but for one thing that is not true of the tenant: so that runs fail and leave evidence."""
    wrong = tmp_path / "tenants"
    for path in Path(own_tenant.inventory).rglob("*.toml"):
        target = wrong / path.relative_to(own_tenant.inventory)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text()
        target.write_text(text.replace('language = "en"', 'language = "de"') if path.stem == own_tenant.id else text)
    return wrong


@pytest.fixture
def environment(environment, estate, wrong_inventory, receiver) -> dict[str, str]:
    socket = quote(str(estate.database.sockets), safe="")
    host = f"postgres:{quote(DATABASE, safe='')}@/{{}}?host={socket}"
    return {
        **environment,
        "RINGGATE_INVENTORY": str(wrong_inventory),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.server.server_port}",
        "OTEL_EXPORTER_OTLP_HEADERS": f"x-key={COLLECTOR}",
        "SERVE_TOKEN": TOKEN,
        "GOOD_DATABASE": f"postgresql+psycopg://{host.format('${TENANT}')}",
        "NO_DATABASE": f"postgresql+psycopg://{host.format('there-is-none')}",
        "BEARER": BEARER,
    }


def signals(tenant: str, address: str) -> str:
    sources = {
        "queue": f'kind = "sql"\neach = "tenant"\ntenants = ["{tenant}"]\nurl = {{ env = "GOOD_DATABASE" }}\n'
        'query = "SELECT count(*) FROM ir_queue"',
        "nowhere": 'kind = "sql"\nurl = { env = "NO_DATABASE" }\nquery = "SELECT 1"',
        "refused": f'kind = "http-json"\naddress = "{address}/refused"\npath = "$.x"\ntoken = {{ env = "BEARER" }}',
    }
    return "\n".join(f'[[sources]]\nname = "{name}"\n{text}' for name, text in sources.items())


def ringgate(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "ringgate.cli", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


def asked(server: Served) -> Iterator[tuple[str, bytes]]:
    """Everything that the server answers, with its token and without."""
    hooks = ("/api/v1/verdict?ring=canary", "/flagger/gate?ring=canary")
    paths = ("/", "/parts", "/metrics", *hooks, "/nowhere", "/readyz")
    openmetrics = "application/openmetrics-text; version=1.0.0"
    for path in paths:
        for accept in ("*/*", openmetrics) if path == "/metrics" else ("*/*",):
            with_token = httpx.get(f"{server.address}{path}", headers={"Accept": accept}, auth=("x", TOKEN), timeout=30)
            without = httpx.post(f"{server.address}{path}", headers={"Accept": accept}, timeout=30)
            yield f"{path} {accept}", with_token.content + str(with_token.headers).encode()
            yield f"{path} {accept} without", without.content + str(without.headers).encode()


def forms(secret: str) -> set[bytes]:
    """As it may stand encoded somewhere."""
    encoded = base64.b64encode(secret.encode()).decode()
    escaped = (html.escape(secret), json.dumps(secret)[1:-1])
    return {each.encode() for each in (secret, quote(secret, safe=""), quote(secret), *escaped, encoded)}


def read(server: Served) -> str:
    """The metrics, once the first round of signals was read."""
    while True:
        assert server.process.poll() is None, server.log.read_text()
        page = httpx.get(f"{server.address}/metrics", auth=("", TOKEN), timeout=30).text
        if "ringgate_signal_up{" in page and "ringgate_runs_total{" in page:
            return page


def test_no_seeded_secret_comes_out_anywhere(own_tenant, environment, receiver, tmp_path, estate):
    out = tmp_path / "out"
    suites = [sys.executable, "-m", "pytest", "suites/platform", "--tenant", own_tenant.id, "--release", "8.0", "-p",
              "no:cacheprovider", f"--junitxml={out}/junit.xml", f"--alluredir={out}/allure",
              f"--report={out}/report.html"]  # fmt: skip
    ring = ["--ring", own_tenant.tenant.ring, "--release", "8.0"]
    told: dict[str, bytes] = {"event": ringgate(environment, "event", "deploy", *ring, "--note", "seeded").encode()}
    ran = subprocess.run(suites, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stdout + ran.stderr

    file = tmp_path / "signals.toml"
    file.write_text(signals(own_tenant.id, own_tenant.tenant.api))
    known = {"RINGGATE_INVENTORY": environment["RINGGATE_INVENTORY"], "RINGGATE_STATE": environment["RINGGATE_STATE"]}
    server = Served(tmp_path / "server", "--token-env", "SERVE_TOKEN", "--signals", str(file),
                    environment={**environment, **known})  # fmt: skip
    try:
        page = read(server)
        told |= dict(asked(server))
    finally:
        server.stop()
    assert f'tenant="{own_tenant.id}"' in page
    assert 'ringgate_signal_up{signal="queue"} 1.0' in page
    assert 'ringgate_signal_up{signal="nowhere"} 0.0' in page
    assert 'ringgate_signal_up{signal="refused"} 0.0' in page

    told["suites"] = (ran.stdout + ran.stderr).encode()
    told["serve"] = server.log.read_bytes()
    told["traces"] = receiver.raw
    wrong = f"postgresql+psycopg://ringgate:{DATABASE}@127.0.0.1:1/none".replace("#", "%23")
    calls = [["gate", *ring, "--format", each] for each in ("text", "json", "junit")]
    calls += [["event", "list"], ["report", "--out", str(out / "again.html")], ["tenants", "show", own_tenant.id]]
    calls += [["tenants", "check", "--secrets"], ["report", "--results", wrong], ["gate", *ring, "--results", wrong]]
    calls += [
        ["serve", "--results", wrong],
        ["probe", "--once", "--tenant", own_tenant.id, "--scenario", "sign-in", "--channel", "api"],
    ]
    told |= {" ".join(call[:4]): ringgate(environment, *call).encode() for call in calls}
    told |= dict(texts(out)) | dict(texts(tmp_path / "state"))

    assert {"time-entry", "sign-in"} & {span.name for span in receiver.spans}
    assert receiver.headers[0].get("X-Key", receiver.headers[0].get("x-key")) == COLLECTOR
    secrets = {TOKEN, DATABASE, BEARER, COLLECTOR} | {
        account.password.reveal() for account in own_tenant.tenant.users.values()
    }
    encoded = {form: secret[:9] for secret in secrets for form in forms(secret)}
    leaks = [(name, encoded[form]) for name, text in told.items() for form in encoded if form in text]
    assert leaks == []
    assert len(told) > 30
