"""The signals of deploy/signals.toml on the PostgreSQL of the real ERP: what they read, and that they only read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringgate.signals import load, poll
from ringgate.store import Store

EXAMPLE = Path(__file__).parents[2] / "deploy" / "signals.toml"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/results.sqlite")
    yield store
    store.close()


@pytest.fixture(autouse=True)
def databases(estate, monkeypatch):
    address = estate.database.url("NAME").replace("postgresql:", "postgresql+psycopg:")
    monkeypatch.setenv("TRYTON_DATABASE_URL", address.replace("NAME", "${TENANT}"))
    monkeypatch.setenv("DATABASE_URL", address.replace("NAME", "postgres"))


def test_the_example_reads_the_queue_of_each_tenant_and_the_state_of_the_database(store, inventory):
    told = poll(load(EXAMPLE, inventory.tenants), store, NOW)
    assert not [each for each in told if "DATABASE_URL" in each]
    read = {each.signal: each for each in store.samples()}
    assert read["queue-backlog"].unit == "jobs"
    assert {each.tenant for each in store.samples(signal="queue-backlog")} == {each.id for each in inventory.tenants}
    assert read["db-connections"].value >= 1
    assert 0 < read["db-saturation"].value < 1
    for name in ("queue-oldest", "db-lock-waits", "db-oldest-transaction"):
        assert read[name].value >= 0


def test_the_backlog_is_what_waits_in_the_queue(store, inventory, estate, own_tenant):
    with estate.database.connect(own_tenant.id) as connection:
        connection.execute(
            "INSERT INTO ir_queue (name, data, enqueued_at) VALUES ('test', '{}', now() - interval '1 h')"
        )
    try:
        poll(load(EXAMPLE, [own_tenant.tenant]), store, NOW)
        read = {each.signal: each.value for each in store.samples() if each.tenant}
        assert read["queue-backlog"] >= 1
        assert read["queue-oldest"] >= 3500
    finally:
        with estate.database.connect(own_tenant.id) as connection:
            connection.execute("DELETE FROM ir_queue WHERE name = 'test'")


def test_the_database_itself_refuses_every_write(store, inventory, tmp_path):
    path = tmp_path / "signals.toml"
    path.write_text(
        '[[sources]]\nname = "writes"\nkind = "sql"\nurl = { env = "DATABASE_URL" }\n'
        'query = "WITH made AS (SELECT 1) SELECT lo_create(0)::int AS value FROM made"\n'
    )
    (said,) = poll(load(path, inventory.tenants), store, NOW)
    assert "read-only transaction" in said
