"""What a release says about features that are deployed dark and switched on afterwards: `[activation]`."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from ringgate.inventory.kinds import Duration, Name, Slug, StrictTable

ACTIVATION = "activation"
"""What `approvals.rings` and `ringgate approve --ring` call it."""

Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class FlagTable(StrictTable):
    """One feature, switched for each tenant by itself: in a file of flagd's, or by commands of one's own."""

    name: Slug = Field(description="The flag's key.", examples=["new-invoicing"])
    owner: Name = Field(description="Who answers for the flag, and removes it.", examples=["billing"])
    ends: date = Field(
        description="The last day on which the flag may be there; a release with one that has ended is refused.",
        examples=["2027-03-31"],
    )
    file: str = Field(
        "", min_length=1, description="A flag file of flagd's beside this one; tenants are put into the flag's "
        "targeting.", examples=["flags.json"],
    )  # fmt: skip
    on: Name = Field("on", description="The variant of the file that means on.", examples=["enabled"])
    off: Name = Field("off", description="The variant of the file that means off.", examples=["disabled"])
    switch: Words | None = Field(
        None, description="A program and its arguments that switches it; {tenant}, {flag} and {state} (on or off) are "
        "filled in.", examples=[["./feature.sh", "{tenant}", "{flag}", "{state}"]],
    )  # fmt: skip
    ask: Words | None = Field(
        None, description="The same to say what it is: prints on or off.",
        examples=[["./feature.sh", "{tenant}", "{flag}"]],
    )  # fmt: skip
    timeout: Duration = Field(
        "2 min", validate_default=True, description="How long a command may take.", examples=["30 s"]
    )
    scenarios: tuple[Name, ...] = Field(
        (), description="Scenarios that are tried only where it is on [default: those of the risk class `low`].",
        examples=[["credit-note"]],
    )  # fmt: skip
    without: tuple[Name, ...] = Field(
        (), description="Scenarios that are not tried any more where it is on.", examples=[["project-to-cash"]]
    )


class ActivationTable(StrictTable):
    """What is switched on when every ring was promoted, in this order, ring by ring. Switched off the other way."""

    flags: Annotated[tuple[FlagTable, ...], Field(min_length=1)] = Field(description="The features.")
