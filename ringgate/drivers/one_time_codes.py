"""One-time codes (TOTP, RFC 6238: six digits for 30 seconds) from a reference to their seed."""

from __future__ import annotations

import binascii
from datetime import UTC, datetime

import pyotp

from ringgate.domain.errors import SecretMissing
from ringgate.domain.secrets import Secret
from ringgate.host.secrets import hide


def one_time_code(seed: Secret, at: datetime | None = None) -> str:
    """The code that is valid at a moment (aware; default: now). It is hidden from output, as the seed is.

    Raises SecretMissing, naming the reference, where there is no seed or it is not base32."""
    text = seed.reveal().replace(" ", "")
    try:
        code = pyotp.TOTP(text).at(at or datetime.now(UTC))
    except (binascii.Error, ValueError):
        raise SecretMissing(f"the seed of one-time codes in {seed.reference} is not base32") from None
    hide(code)
    return code
