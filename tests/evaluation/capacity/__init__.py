"""How many workers and how large databases a fleet of tenants needs, simulated with measured costs. Pure."""
