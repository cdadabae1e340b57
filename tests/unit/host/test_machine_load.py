from collections import namedtuple

import psutil
import pytest

from ringgate.host.machine_load import measured

Times = namedtuple("Times", "user system idle iowait")


@pytest.mark.parametrize(
    ("after", "busy"),
    [(Times(195, 10, 105, 0), True), (Times(110, 10, 190, 0), False), (Times(100, 10, 100, 100), True)],
    ids=["computing", "idle", "waiting for a disk"],
)
def test_a_machine_is_busy_when_next_to_none_of_its_time_was_idle(monkeypatch, after, busy):
    told = iter([Times(100, 10, 100, 0), after])
    monkeypatch.setattr(psutil, "cpu_times", lambda: next(told))
    with measured() as load:
        pass
    assert load.busy is busy


def test_no_time_at_all_is_no_load(monkeypatch):
    monkeypatch.setattr(psutil, "cpu_times", lambda: Times(1, 1, 1, 1))
    with measured() as load:
        pass
    assert not load.busy
