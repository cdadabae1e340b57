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
"""Over the browser; the API can do more, see its driver."""
