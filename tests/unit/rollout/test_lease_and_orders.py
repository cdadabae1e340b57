"""One controller at a time; and what people tell it."""

from __future__ import annotations

import pytest

from ringgate.rollout.lease import LeaseTaken, RolloutLease
from ringgate.rollout.orders import RolloutOrders
from ringgate.rollout.record import RecordKeeper


def test_a_second_controller_is_turned_away_and_told_by_whom(tmp_path):
    with (
        RolloutLease(tmp_path / "r") as first,
        pytest.raises(LeaseTaken, match=r"led already: process \d+ on .*, since"),
    ):
        RolloutLease(tmp_path / "r").__enter__()
    assert not first.taken()
    with RolloutLease(tmp_path / "r") as second, RolloutLease(tmp_path / "another"):
        assert (first.number, second.number) == (1, 2)
        assert RolloutLease(tmp_path / "r").taken()


def test_one_that_wakes_up_after_another_took_over_writes_nothing(tmp_path):
    keeper = RecordKeeper(tmp_path / "r")
    with RolloutLease(tmp_path / "r") as stale:
        keeper.fence = stale.check
    with RolloutLease(tmp_path / "r") as leader:
        leader.check()
        with pytest.raises(LeaseTaken, match="led by another controller now"):
            keeper.write()
    assert not (tmp_path / "r" / "record.json").exists()


def test_one_that_wakes_up_while_it_begins_leaves_the_others_record_alone(tmp_path):
    keeper = RecordKeeper(tmp_path / "r")
    with RolloutLease(tmp_path / "r") as stale:
        keeper.fence = stale.check
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "record.json").write_text("another's")
    with RolloutLease(tmp_path / "r"), pytest.raises(LeaseTaken):
        keeper.forget()
    assert (tmp_path / "r" / "record.json").read_text() == "another's"


def test_a_lease_that_cannot_be_read_is_nobodys(tmp_path):
    (tmp_path / "r.lease.json").write_text("{")
    with pytest.raises(LeaseTaken, match="cannot be read, so nobody knows"):
        RolloutLease(tmp_path / "r").__enter__()


def test_a_pause_holds_until_it_is_ended(tmp_path):
    orders = RolloutOrders(tmp_path / "r")
    assert (orders.paused(), orders.resume()) == ("", False)
    orders.pause("qa", "the payroll run is late")
    assert RolloutOrders(tmp_path / "r").paused().startswith("paused by qa at ")
    assert orders.paused().endswith("UTC: the payroll run is late")
    assert (orders.resume(), orders.paused()) == (True, "")
    (tmp_path / "r.paused.json").write_text("{")
    assert "cannot be read" in orders.paused()
