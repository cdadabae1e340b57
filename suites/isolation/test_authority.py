"""Within a tenant people do their own work and no more."""

from scenarios.authority import authority

__all__ = ["authority"]
