"""What only Odoo needs of an estate: its packages, its server, how its tenants are filled, and its faults."""
