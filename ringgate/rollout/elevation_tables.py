"""What a release says about rights that it is given for a time: `[[elevations]]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ringgate.inventory.kinds import Duration, Name, Slug, StrictTable

Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class ElevationTable(StrictTable):
    """A right that the release has while it is worked on: a user, a token, a flag. There is no shell."""

    name: Slug = Field(description="What it is called.", examples=["migration-user"])
    owner: Name = Field(description="Who answers for it.", examples=["erp-operations"])
    reason: Name = Field(description="What it is needed for.", examples=["the migration writes into custom tables"])
    ends: Duration = Field(
        description="How long after it was granted it is taken back at the latest.", examples=["2 h"]
    )
    grant: Words = Field(description="A program and its arguments that grants it.", examples=[["./rights.sh", "grant"]])
    revoke: Words = Field(
        description="The same to take it back; it must be right to do so twice.", examples=[["./rights.sh", "revoke"]]
    )
    check: Words = Field(description="The same to look: prints granted or revoked.", examples=[["./rights.sh", "look"]])
    timeout: Duration = Field(
        "2 min", validate_default=True, description="How long each of them may take.", examples=["30 s"]
    )
