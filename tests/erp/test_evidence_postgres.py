"""Evidence on PostgreSQL: two writers, killed ones, and what somebody changed."""

from __future__ import annotations

import secrets

import pytest

from tests.unit.evidence.chains import check_killed_writers, check_nothing_is_changed, check_two_writers


@pytest.fixture
def url(estate):
    name = f"evidence_{secrets.token_hex(4)}"
    estate.database.execute(f"CREATE DATABASE {name}")
    yield estate.database.url(name).replace("postgresql://", "postgresql+psycopg://")
    estate.database.drop(name)


def test_two_writers_at_once_make_one_chain(url, tmp_path):
    check_two_writers(url, tmp_path)


def test_writers_that_are_killed_leave_a_chain_with_all_that_they_noted(url, tmp_path):
    check_killed_writers(url, tmp_path)


def test_what_was_changed_is_found(url, tmp_path):
    check_nothing_is_changed(url, tmp_path)
