"""Compares what a tenant's ERP offered before a change with what it offers after, weighed by what is really used."""

from ringgate.surface.compare import Change, compare
from ringgate.surface.rules import RULES, Klass
from ringgate.surface.usage import Usage

__all__ = ["RULES", "Change", "Klass", "Usage", "compare"]
