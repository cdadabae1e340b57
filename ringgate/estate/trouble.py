"""What the estate cannot mend by itself."""

from __future__ import annotations

from ringgate.errors import OurSideError


class EstateTrouble(OurSideError):
    """The estate does not stand. The text is one sentence that ends in the remedy."""

    kind = "estate"
