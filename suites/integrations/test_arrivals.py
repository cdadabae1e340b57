"""What left the ERP arrived, once, with the right amounts, and so did what was taken back."""

from scenarios.hours_arrive import hours_arrive
from scenarios.invoice_arrives import invoice_arrives
from scenarios.ledger_arrives import ledger_arrives

__all__ = ["hours_arrive", "invoice_arrives", "ledger_arrives"]
