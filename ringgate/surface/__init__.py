"""Compares what a tenant's ERP offered before a change with what it offers after, weighed by what is really used."""

from ringgate.surface.compare import SurfaceChange, compare
from ringgate.surface.rules import RULES, Severity
from ringgate.surface.usage import Usage

__all__ = ["RULES", "Severity", "SurfaceChange", "Usage", "compare"]
