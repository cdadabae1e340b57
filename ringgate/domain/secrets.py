"""What points at a secret. Where each kind of reference leads, `ringgate.host.secrets` knows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Secret:
    """Points at a secret. Printing, comparing or pickling it never touches the value."""

    @property
    def reference(self) -> str:
        """Where the secret is, in words that may be shown."""
        raise NotImplementedError

    def reveal(self) -> str:
        """The value, which is redacted from now on. Raises SecretMissing, naming the reference."""
        raise NotImplementedError

    def warning(self) -> str:
        """What is unsafe about where the secret lies; "" if nothing is."""
        return ""

    def __str__(self) -> str:
        return self.reference
