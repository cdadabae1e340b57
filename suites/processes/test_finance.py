"""From logged hours to money in the books."""

from scenarios.credit_and_payment import credit_and_payment
from scenarios.financial_posting import financial_posting
from scenarios.invoicing_from_time import invoicing_from_time
from scenarios.project_to_cash import project_to_cash
from scenarios.supplier_invoice import supplier_invoice

__all__ = ["credit_and_payment", "financial_posting", "invoicing_from_time", "project_to_cash", "supplier_invoice"]
