"""The contracts, a file for each part of the protocol. Importing this room registers all of them, in this order."""

from importlib import import_module

for _part in ("sessions", "projects", "procurement", "invoices", "suppliers", "ledger", "undo", "reading"):
    import_module(f"{__name__}.{_part}")
