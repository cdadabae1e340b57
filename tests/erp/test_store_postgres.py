"""The store is the same on PostgreSQL: here the estate's own."""

from __future__ import annotations

import secrets

import pytest

from ringgate.store import Store
from tests.unit.store.test_store import NOON, result


@pytest.fixture
def url(estate):
    name = f"results_{secrets.token_hex(4)}"
    estate.database.execute(f"CREATE DATABASE {name}")
    yield estate.database.url(name)
    estate.database.drop(name)


def test_results_are_kept_in_postgresql(url):
    store = Store(url.replace("postgresql://", "postgresql+psycopg://"))
    store.add(result())
    assert store.results() == [result()]
    assert store.results(since=NOON) == [result()]
    store.close()
    again = Store(url.replace("postgresql://", "postgresql+psycopg://"))
    assert again.last_session() == "s1"
    again.close()
