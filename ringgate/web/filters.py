"""Which tenants a page shows, as its address says.

?q=acme&ring=early&cohort=emea&region=eu-west&state=failing&page=2
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from ringgate.domain.model import Tenant

STATES = {
    "failing": "failing", "broken": "could not be tested", "old": "too old", "never": "never run", "paused": "paused",
    "well": "well",
}  # fmt: skip
"""A tenant is in the first of these that fits; what is wrong stands first."""


@dataclass(frozen=True, slots=True)
class TenantFilter:
    """What somebody asks for; "" for everything. `search` is a part of an id or a name; `page` counts from 1."""

    search: str = ""
    ring: str = ""
    cohort: str = ""
    region: str = ""
    state: str = ""
    page: int = 1

    @classmethod
    def of_query(cls, query: Mapping[str, str]) -> TenantFilter:
        """What is no filter is passed over."""
        page = query.get("page", "")
        said = {name: query.get(name, "").strip()[:80] for name in ("ring", "cohort", "region", "state")}
        if said["state"] not in STATES:
            said["state"] = ""
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1
        return cls(search=query.get("q", "").strip()[:80], page=max(1, number), **said)

    def fits(self, tenant: Tenant) -> bool:
        """Whether the tenant is asked for, whatever its state."""
        word = self.search.casefold()
        return (
            (not word or word in tenant.id.casefold() or word in tenant.name.casefold())
            and (not self.ring or tenant.ring == self.ring)
            and (not self.cohort or self.cohort in tenant.cohorts)
            and (not self.region or tenant.region == self.region)
        )

    @property
    def any(self) -> bool:
        return bool(self.search or self.ring or self.cohort or self.region or self.state)

    def query(self, page: int) -> str:
        """The address of another page of the same."""
        said = {
            "q": self.search, "ring": self.ring, "cohort": self.cohort, "region": self.region, "state": self.state,
            "page": str(page),
        }  # fmt: skip
        return "?" + urlencode({name: value for name, value in said.items() if value})
