"""Two runs of a scenario never overlap on a tenant, its sessions are capped, its postings take turns."""

from __future__ import annotations

import pytest
from filelock import FileLock, Timeout

from ringgate.host.run_locks import Crowded, Occupied, RunLocks
from tests.support.samples import tenant


def test_who_will_not_wait_is_told_at_once_who_is_in_the_way(tmp_path):
    run_locks, one = RunLocks(tmp_path / "locks", patience=0), tenant(sessions=1)
    with run_locks.room(one, "sample"):
        with (
            pytest.raises(Occupied, match="another run of sample on aldgate is under way"),
            run_locks.room(one, "sample"),
        ):
            pass
        with pytest.raises(Crowded, match="all 1 sessions of aldgate are taken"), run_locks.room(one, "another"):
            pass


def test_one_posting_at_a_time_on_a_tenant_across_processes(tmp_path, monkeypatch):
    monkeypatch.setattr("ringgate.host.run_locks.POSTING", 0.0)
    ours, others = RunLocks(tmp_path), RunLocks(tmp_path)
    with ours.posting("aldgate"):
        lock = FileLock(tmp_path / "aldgate.posting.lock")
        with pytest.raises(Timeout):
            lock.acquire(timeout=0)
        with others.posting("aldgate"):  # nobody waits for ever: it is a courtesy
            pass
    with lock.acquire(timeout=0):
        pass
