"""Odoo's web client, used as a person would: by clicks and typing, with what the screen shows read back."""
