"""Fills an empty Odoo tenant with a company and its people, over the ERP's own API."""
