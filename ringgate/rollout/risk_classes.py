"""What each risk class of a release verifies on a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ringgate.gate.required import PROCESSES


class Risk(StrEnum):
    """How much a release may break. It chooses what is verified, see `PLANS`."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is verified on each tenant of a ring. `browser`: `all` tenants, the ring's `first`, or `none`. `must` are
    the processes that must have passed on each."""

    everything: bool
    browser: str
    isolation: bool
    in_flight: bool
    surface: bool
    drill: str
    why: str
    must: tuple[str, ...] = PROCESSES


PLANS: Mapping[Risk, Plan] = {
    Risk.LOW: Plan(False, "none", False, False, False, "first", "smoke over the API; one restore drill for each ring",
                   ("sign-in", "project-to-cash")),
    Risk.MEDIUM: Plan(
        True, "first", True, True, True, "first",
        "every process over the API, the browser walk on each ring's first tenant, isolation, work in flight, what "
        "the ERP offers to programs",
    ),
    Risk.HIGH: Plan(
        True, "all", True, True, True, "all",
        "every process over the API, the browser walk, isolation, work in flight and a restore drill on each tenant, "
        "what the ERP offers to programs",
    ),
}  # fmt: skip
