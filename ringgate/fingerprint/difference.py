"""What a comparison comes to: one value for each cause."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One cause why two fingerprints differ.

    `signature` is stable, for waivers (`posting:lost:2026/00012`); `path` leads from the whole to the part; `cause` is
    one sentence with both values; `follows` is what differs because of it, and is no alarm of its own.
    """

    signature: str
    section: str
    path: tuple[str, ...]
    before: str
    after: str
    cause: str
    follows: tuple[str, ...] = ()
