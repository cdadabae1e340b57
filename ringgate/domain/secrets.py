"""What points at a secret. Where each kind of reference leads, `ringgate.host.secrets` knows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Secret(ABC):
    """Points at a secret. Printing, comparing or pickling it never touches the value."""

    @property
    @abstractmethod
    def reference(self) -> str:
        """Where the secret is, in words that may be shown."""

    @abstractmethod
    def reveal(self) -> str:
        """The value, which is redacted from now on. Raises SecretMissing, naming the reference."""

    def warning(self) -> str:
        """What is unsafe about where the secret lies; "" if nothing is."""
        return ""

    def __str__(self) -> str:
        return self.reference
