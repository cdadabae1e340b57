"""Platform signals: what a source says becomes samples; a source that fails leaves a gap and is told."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ringgate.domain.model import SignalSample
from ringgate.signals import Poller, Signals, SignalsError, load, poll, polling
from ringgate.store import Store
from tests.unit.report.sample import four_tenants

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[3] / "deploy" / "signals.toml"


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/results.sqlite")
    yield store
    store.close()


@pytest.fixture
def signals(tmp_path) -> Callable[[str], Signals]:
    def signals(text: str) -> Signals:
        path = tmp_path / "signals.toml"
        path.write_text(text)
        return load(path, four_tenants())

    return signals


@pytest.fixture
def database(tmp_path, monkeypatch) -> Path:
    """A database with a queue, whose URL is in the environment."""
    path = tmp_path / "erp.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript("CREATE TABLE queue (tenant TEXT); INSERT INTO queue VALUES ('aldgate'), ('aldgate')")
    monkeypatch.setenv("DB", f"sqlite:///{path}")
    return path


@pytest.fixture
def server() -> Iterator[tuple[str, dict[str, tuple[int, str]], list[tuple[str, str]]]]:
    """An HTTP server: its address, what it answers by path, and what it was asked with which authorization."""
    answers: dict[str, tuple[int, str]] = {}
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization", "")))
            status, body = answers.get(self.path.partition("?")[0], (404, ""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answers, asked
    server.shutdown()
    server.server_close()
    thread.join()


def sql(query: str, more: str = "") -> str:
    return f'[[sources]]\nname = "backlog"\nkind = "sql"\nurl = {{ env = "DB" }}\nquery = """{query}"""\n{more}'


def http(name: str, kind: str, address: str, more: str) -> str:
    return f'[[sources]]\nname = "{name}"\nkind = "{kind}"\naddress = "{address}"\n{more}\n'


def values(store: Store) -> dict[str, float]:
    return {each.signal: each.value for each in store.samples()}


def test_a_query_becomes_samples_with_what_it_says_of_itself(signals, store, database):
    query = "SELECT tenant, 'canary' AS ring, count(*) AS value FROM queue GROUP BY tenant"
    assert poll(signals(sql(query, 'unit = "jobs"\nlimit = 10')), store, NOON) == []
    assert store.samples() == [
        SignalSample(NOON, "backlog/up", 1.0),
        SignalSample(NOON, "backlog", 2.0, "jobs", "canary", "aldgate", 10.0),
    ]


def test_each_tenant_is_read_from_its_own_place(signals, store, tmp_path, monkeypatch):
    for number, tenant in enumerate(four_tenants()):
        with sqlite3.connect(tmp_path / f"{tenant.id}.sqlite") as connection:
            connection.execute(f"CREATE TABLE queue AS SELECT {number} AS depth")
    monkeypatch.setenv("DB", f"sqlite:///{tmp_path}/${{TENANT}}.sqlite")
    text = sql("SELECT depth, '${TENANT}' AS tenant, depth AS value FROM queue", 'each = "tenant"')
    assert poll(signals(text), store, NOON) == []
    read = {(each.tenant, each.ring): each.value for each in store.samples(signal="backlog")}
    assert read == {(each.id, each.ring): float(n) for n, each in enumerate(four_tenants())}


def test_a_query_cannot_write(signals, store, database):
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE VIEW harmless AS SELECT 1 AS value")
    said = poll(
        signals(sql("WITH x AS (SELECT 1) INSERT INTO queue SELECT 'x' FROM x RETURNING 1 AS value")), store, NOON
    )
    assert said == ["backlog: environment variable DB: attempt to write a readonly database"]
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM queue").fetchone() == (2,)


def test_a_database_that_is_not_there_is_not_made(signals, store, tmp_path, monkeypatch):
    monkeypatch.setenv("DB", f"sqlite:///{tmp_path}/misspelt.sqlite")
    assert poll(signals(sql("SELECT 1")), store, NOON) == [
        "backlog: environment variable DB: unable to open database file"
    ]
    assert not (tmp_path / "misspelt.sqlite").exists()


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELECT 1 WHERE 1 = 0", "the answer holds no value"),
        ("SELECT NULL", "the value is NULL; say with coalesce() what that means"),
        ("SELECT 'many'", "'many' is no number"),
        ("SELECT 1 AS a, 2 AS b", "name one column of the query `value`"),
        ("SELECT 9e999 AS value", "the answer holds inf, which is no number"),
        ("SELECT 1 FROM nowhere", "environment variable DB: no such table: nowhere"),
    ],
)
def test_what_is_no_value_is_told_and_leaves_a_gap(signals, store, database, query, why):
    assert poll(signals(sql(query)), store, NOON) == [f"backlog: {why}"]
    assert values(store) == {"backlog/up": 0.0}
    assert store.counters() == {("failed/up", "", "backlog", ""): 1}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (
            "mysql+mysqldb://erp:hunter2@127.0.0.1/erp",
            "environment variable DB: mysql+mysqldb is not known here; use mysql+pymysql",
        ),
        (
            "oracle://erp:hunter2@127.0.0.1/erp",
            "environment variable DB: it is not known how to only read from oracle;",
        ),
        ("mariadb://erp:hunter2@127.0.0.1:1/erp", "environment variable DB: Can't connect to MySQL server"),
    ],
)
def test_other_databases_are_asked_or_refused_in_one_sentence(signals, store, monkeypatch, url, why):
    monkeypatch.setenv("DB", url)
    (said,) = poll(signals(sql("SELECT 1")), store, NOON)
    assert said.startswith(f"backlog: {why}")
    assert "hunter2" not in said


def test_mysql_without_its_library_names_the_remedy(signals, store, monkeypatch):
    monkeypatch.setenv("DB", "mysql://erp@127.0.0.1/erp")
    monkeypatch.setattr("ringgate.host.read_only.find_spec", lambda name: None)
    assert poll(signals(sql("SELECT 1")), store, NOON) == [
        "backlog: environment variable DB: PyMySQL is not installed: pip install ringgate[mysql]"
    ]


def test_a_query_that_writes_a_file_is_refused(signals):
    with pytest.raises(SignalsError, match="query must not write a file"):
        signals(sql("SELECT 1 INTO OUTFILE '/tmp/x'"))


def test_prometheus_is_asked_with_its_token_and_labels_say_whose_value_it_is(signals, store, server, monkeypatch):
    address, answers, asked = server
    monkeypatch.setenv("TOKEN", "open-sesame")
    vector = [{"metric": {"tenant": "aldgate", "ring": "canary"}, "value": [1.0, "0.25"]}]
    answers["/api/v1/query"] = (
        200,
        json.dumps({"status": "success", "data": {"resultType": "vector", "result": vector}}),
    )
    text = http("latency", "prometheus", address, 'query = "p95"\ntoken = { env = "TOKEN" }')
    assert poll(signals(text), store, NOON) == []
    assert store.samples(signal="latency") == [SignalSample(NOON, "latency", 0.25, ring="canary", tenant="aldgate")]
    assert asked == [("/api/v1/query?query=p95&timeout=10s", "Bearer open-sesame")]


def test_an_empty_vector_is_no_good_news(signals, store, server):
    address, answers, _ = server
    answers["/api/v1/query"] = 200, '{"status": "success", "data": {"resultType": "vector", "result": []}}'
    text = http("latency", "prometheus", address, 'query = "p95"')
    assert poll(signals(text), store, NOON) == ["latency: the answer holds no value"]
    assert values(store) == {"latency/up": 0.0}


def test_json_is_read_at_its_path(signals, store, server):
    address, answers, _ = server
    answers["/status"] = 200, '{"queues": [{"name": "mail", "depth": 4}, {"name": "print", "depth": 9}]}'
    text = http("depth", "http-json", f"{address}/status", "path = \"$.queues[?(@.name=='print')].depth\"")
    assert poll(signals(text), store, NOON) == []
    assert values(store) == {"depth/up": 1.0, "depth": 9.0}


def test_a_source_that_fails_does_not_keep_others_from_being_read(signals, store, server, database):
    address, answers, _ = server
    answers["/status"] = 503, "down"
    text = sql("SELECT 1") + http("depth", "http-json", f"{address}/status", 'path = "$.x"')
    assert poll(signals(text), store, NOON) == [f"depth: {address}/status answered 503"]
    assert values(store) == {"backlog/up": 1.0, "backlog": 1.0, "depth/up": 0.0}


def test_a_secret_in_a_database_url_stays_out_of_what_is_told(signals, store, monkeypatch):
    monkeypatch.setenv("DB", "postgresql+psycopg://ringgate:hunter2-hunter2@127.0.0.1:1/none")
    (said,) = poll(signals(sql("SELECT 1")), store, NOON)
    assert said.startswith("backlog: environment variable DB: ")
    assert "hunter2" not in said


def test_every_mistake_of_the_file_is_told_at_once(signals):
    with pytest.raises(SignalsError) as told:
        signals(
            """
            interval = "1 d"
            [[sources]]
            name = "Backlog"
            kind = "sql"
            url = "postgresql://erp:hunter2-hunter2@db/erp"
            query = "SELECT 1"
            [[sources]]
            name = "depth"
            kind = "http-json"
            address = "http://127.0.0.1/"
            path = "$.["
            [[sources]]
            name = "depth"
            kind = "prometheus"
            path = "$.x"
            ring = "canari"
            [[sources]]
            name = "writes"
            kind = "sql"
            url = { env = "DB" }
            query = "DELETE FROM queue"
            tenants = ["nobody"]
            colour = "red"
            """
        )
    text = str(told.value)
    assert "hunter2" not in text
    for rule in (
        "interval: must be between 1 s and 5 min",
        "sources[0].name: must be lower-case letters",
        "sources[0].url: must be a reference",
        "sources[1].path: must be a JSON path",
        'sources[2].name: is that of another source, too (got "depth")',
        'sources[2].ring: no tenant is in a ring of this name (got "canari")',
        "sources[2]: prometheus needs address; prometheus needs query; path is not for prometheus",
        "sources[3].colour: is not a known key",
        'sources[3].tenants[0]: the inventory has no tenant of this name (got "nobody")',
    ):
        assert rule in text, text


@pytest.mark.parametrize("query", ["DELETE FROM queue", "SELECT 1; DROP TABLE queue", "COMMIT"])
def test_only_one_select_may_be_asked(signals, query):
    with pytest.raises(SignalsError, match="query must be one SELECT"):
        signals(sql(query))


def test_the_example_is_right():
    read = {each.signal for each in load(EXAMPLE, four_tenants()).readings}
    assert {
        "queue-backlog",
        "db-connections",
        "db-lock-waits",
        "db-saturation",
        "server-latency-p95",
        "server-errors",
    } <= read


def test_a_file_is_read_into_the_store_while_the_block_lasts(tmp_path, monkeypatch, database):
    file = tmp_path / "signals.toml"
    file.write_text('interval = "1 s"\n' + sql("SELECT 3 AS value"), encoding="utf-8")
    url = f"sqlite:///{tmp_path}/polled.sqlite"
    with polling(file, four_tenants(), url, pytest.fail):
        store = Store(url)
        while not store.samples():
            threading.Event().wait(0.01)
    assert {(each.signal, each.value) for each in store.samples()} == {("backlog", 3.0), ("backlog/up", 1.0)}
    store.close()
    with polling(None, (), "sqlite:////nowhere/at/all.sqlite", pytest.fail):
        pass


def test_the_poller_reads_until_it_is_stopped_and_tells_an_error_once(signals, store, database):
    told: list[str] = []
    poller = Poller(signals('interval = "1 s"\n' + sql("SELECT 1 FROM nowhere")), store, told.append)
    poller.start()
    while not store.samples():
        threading.Event().wait(0.01)
    poller.stop()
    assert told == ["backlog: environment variable DB: no such table: nowhere"]
