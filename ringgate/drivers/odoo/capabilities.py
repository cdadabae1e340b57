"""What Odoo's drivers can do, over any channel. What stands here is tried; the rest is left out on purpose."""

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
        Capability.FINGERPRINT,
        Capability.SURFACE,
    }
)
"""Lacking, and so not applicable: supplier invoices."""
