"""Faults of processes beyond the everyday ones: each is noticed by the process that it is meant for."""

from __future__ import annotations

from ringgate.estate.faults.fault import Fault
from ringgate.estate.faults.switches import Trigger
from ringgate.estate.tryton.faults.triggers import EXPENSE, REVENUE

PROCESSES = (
    Fault(
        id="supplier-invoice-misposted",
        title="What a supplier bills is booked on a revenue account",
        where="sql",
        cause="configuration",
        says={"supplier-invoice": "what a supplier bills is an expense"},
        switch=Trigger(
            "account_move_line",
            "BEFORE INSERT",
            f"NEW.account := CASE WHEN NEW.account IN {EXPENSE} THEN {REVENUE[:-1]} LIMIT 1) ELSE NEW.account END;",
        ),
    ),
)
