"""Between tenants nothing is shared: no record, no session, no name."""

from scenarios.tenant_disclosure import tenant_disclosure
from scenarios.tenant_isolation import tenant_isolation

__all__ = ["tenant_disclosure", "tenant_isolation"]
