"""What Tryton can do over either channel. Each is declared by name: a capability of the future is not claimed."""

from __future__ import annotations

from typing import Final

from ringgate.domain.terms import Capability

ON_SCREEN: Final = frozenset(
    {
        Capability.SIGN_IN,
        Capability.PROJECTS,
        Capability.TIME,
        Capability.INVOICING,
        Capability.CREDIT_NOTES,
        Capability.PAYMENTS,
        Capability.APPROVALS,
        Capability.LEDGER,
        Capability.JOURNAL_ENTRIES,
        Capability.BOOKS,
        Capability.UNDO,
        Capability.SWEEP,
        Capability.FINGERPRINT,
        Capability.PARTICULARS,
        Capability.SURFACE,
        Capability.TWINS,
    }
)
"""Over the browser."""

NOT_ON_SCREEN: Final = frozenset({Capability.SUPPLIER_INVOICES})
"""Business that is done over the API alone, as yet."""
