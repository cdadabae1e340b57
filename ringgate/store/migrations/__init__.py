"""Brings up what an earlier version of Ringgate made, with Alembic: one file for each version of the schema.

A migration has the tables as they were then, written out, and imports nothing of `tables.py`, which goes on.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, event, text


def upgrade(engine: Engine) -> None:
    """Brings the store behind `engine` up to the newest version, or leaves it as it is. Raises SQLAlchemyError."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    if engine.dialect.name == "sqlite":
        _whole_or_not_at_all(engine, config)
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM"))
        return
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _whole_or_not_at_all(engine: Engine, config: Config) -> None:
    """SQLite could change tables within a transaction, but its driver begins none before such a change."""

    def begin(connection: object) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]

    with engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        before, driver.isolation_level = driver.isolation_level, None
        event.listen(connection, "begin", begin)
        try:
            with connection.begin():
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        finally:
            event.remove(connection, "begin", begin)
            driver.isolation_level = before
