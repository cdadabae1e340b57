"""The store is the same on PostgreSQL: here the estate's own."""

from __future__ import annotations

import secrets

import pytest

from ringgate.store import Store
from tests.unit.store import version_3
from tests.unit.store.test_migrations import check_brought_up, results, schema
from tests.unit.store.test_store import NOON, result


@pytest.fixture
def url(estate):
    name = f"results_{secrets.token_hex(4)}"
    estate.database.execute(f"CREATE DATABASE {name}")
    yield estate.database.url(name).replace("postgresql://", "postgresql+psycopg://")
    estate.database.drop(name)


def test_results_are_kept_in_postgresql(url):
    store = Store(url)
    store.add(result())
    assert store.results() == [result()]
    assert store.results(since=NOON) == [result()]
    store.close()
    again = Store(url)
    assert again.last_session() == "s1"
    again.close()


def test_a_store_of_version_3_is_brought_up_in_postgresql_too(url, estate):
    version_3.make(url, results())
    check_brought_up(url)
    new = f"results_{secrets.token_hex(4)}"
    estate.database.execute(f"CREATE DATABASE {new}")
    address = estate.database.url(new).replace("postgresql://", "postgresql+psycopg://")
    Store(address).close()
    assert schema(url) == schema(address)
    estate.database.drop(new)
