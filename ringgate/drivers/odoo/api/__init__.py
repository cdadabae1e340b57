"""Odoo driven by programs: one call of its JSON interface for each step that a person would take."""
