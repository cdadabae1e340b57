"""The estate's PostgreSQL, on databases of the test's own."""

from __future__ import annotations

from uuid import uuid4

from ringgate.estate import Estate


def test_a_database_that_takes_anothers_place_gets_its_owner(estate: Estate) -> None:
    """What is restored stands in for what it is restored from: an ERP may show the databases of its own user alone."""
    cluster, mark = estate.database, uuid4().hex[:8]
    old, new, role = f"old_{mark}", f"new_{mark}", f"owner_{mark}"
    with cluster.connect(autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role}")
        try:
            connection.execute(f"CREATE DATABASE {old} OWNER {role}")
            cluster.create_database(new)
            cluster.rename(new, old)
            asked = "SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE datname IN (%s, %s)"
            assert connection.execute(asked, [old, new]).fetchall() == [(old, role)]
        finally:
            cluster.drop(new)
            cluster.drop(old)
            connection.execute(f"DROP ROLE {role}")
