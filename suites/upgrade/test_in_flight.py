"""Work that an upgrade falls into: here both phases in one go, on whatever series the tenant runs."""

from scenarios.in_flight.draft_invoice import draft_invoice
from scenarios.in_flight.half_billed_project import half_billed_project
from scenarios.in_flight.part_paid_invoice import part_paid_invoice
from scenarios.in_flight.waiting_request import waiting_request

__all__ = ["draft_invoice", "half_billed_project", "part_paid_invoice", "waiting_request"]
