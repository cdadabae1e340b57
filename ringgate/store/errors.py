"""What is wrong with a store."""

from __future__ import annotations

from ringgate.domain.errors import OurSideError


class StoreError(OurSideError):
    """The store cannot be read or written: no verdict may be based on it."""

    kind = "store"
