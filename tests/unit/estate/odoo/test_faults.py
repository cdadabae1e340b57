"""The catalogue of Odoo's own faults."""

from __future__ import annotations

from collections import Counter

from ringgate.estate.odoo.faults import OWN_FAULTS

PROCESSES = {
    "sign-in", "project-creation", "time-entry", "invoicing-from-time", "procurement-approval", "financial-posting",
    "credit-and-payment", "project-to-cash", "authority",
}  # fmt: skip


def test_every_process_is_made_to_fail_by_one_of_them() -> None:
    assert {scenario for fault in OWN_FAULTS for scenario in fault.says} == PROCESSES


def test_each_has_a_name_of_its_own_and_says_what_is_to_be_seen() -> None:
    assert [name for name, times in Counter(fault.id for fault in OWN_FAULTS).items() if times > 1] == []
    assert all(fault.says and all(fault.says.values()) for fault in OWN_FAULTS)
