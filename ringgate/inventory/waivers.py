"""How a waiver is written in a TOML file: in a policy of fingerprints, a list of accepted changes, a gate's policy."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from ringgate.domain.waivers import ANY, Waiver
from ringgate.inventory.kinds import Name, StrictTable


class AnsweredFor(StrictTable):
    """What every accepted thing needs: somebody who answers for it, why, and until when."""

    owner: Name = Field(description="Who answers for it.", examples=["finance-team"])
    reason: Name = Field(description="Why it is accepted.", examples=["numbers restart with the new year's series"])
    expires: date = Field(description="The last day on which it holds, in UTC.", examples=["2027-01-31"])


class WaiverTable(AnsweredFor):
    """One waiver. `*` stands for any characters, `?` for one."""

    tenant: Name = Field(description="The tenant that it is for, or * for all.", examples=["aldgate"])
    signature: Name = Field(description="What is accepted, by its signature.", examples=["sequence:next:*"])
    release: Name = Field(ANY, description="The release that it is for.", examples=["tryton-8-0"])

    @property
    def waiver(self) -> Waiver:
        return Waiver(self.signature, self.owner, self.reason, self.expires, self.tenant, self.release)
