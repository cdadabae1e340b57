"""An engine of this folder's own: everything is real but the driver."""

from __future__ import annotations

import pytest

from ringgate.domain.terms import Channel
from ringgate.execution.run_once import Engine
from ringgate.execution.undo import AT_ONCE
from ringgate.host.run_locks import RunLocks
from ringgate.host.undo_journal import Journal
from tests.unit.execution.support import Heard, Notebook


@pytest.fixture
def driver():
    return Notebook()


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def engine(tmp_path, driver, heard):
    return Engine(
        drivers={("sample", Channel.API): driver},
        journal=Journal(tmp_path / "journal"),
        run_locks=RunLocks(tmp_path / "locks", patience=0.2),
        evidence=tmp_path / "evidence",
        sinks=(heard,),
        redact=lambda text: text.replace("hunter2", "***"),
        patience=AT_ONCE,
    )
