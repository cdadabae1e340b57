"""Odoo, over its own JSON interface (`api/`) and over its web client (`browser/`). Series 14.0 and 19.0 are tried."""
