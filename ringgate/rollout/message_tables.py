"""What a release says about telling people: `[[notify]]`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ringgate.inventory.kinds import StrictTable
from ringgate.inventory.secrets import SecretTable


class RolloutNews(StrEnum):
    PAUSED = "paused"
    ROLLED_BACK = "rolled back"
    WAITING = "waiting"
    DONE = "done"


class NotifyTable(StrictTable):
    to: SecretTable = Field(
        description="Where the address is, as Apprise writes it (mailto://..., json://..., slack://...).",
        examples=[{"env": "OPS_CHAT"}],
    )
    on: Annotated[tuple[RolloutNews, ...], Field(min_length=1)] = Field(
        tuple(RolloutNews), description="What they are told.", examples=[["paused", "waiting"]]
    )
