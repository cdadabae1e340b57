"""Within a tenant everybody does his own work and no more."""

from scenarios.authority import authority

__all__ = ["authority"]
