"""Tests on the real ERP. Their estate is stopped when the run ends; its databases are kept for the next."""

from __future__ import annotations

import pytest

from fixtures.estate import NAME


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        from ringgate.estate import Estate

        estate = Estate.at(NAME)
        if estate.folder.exists():
            estate.down()
