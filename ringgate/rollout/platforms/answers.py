"""What a host answers to each action, read strictly: an answer that cannot be understood is none.

status           {"series": "7.0", "busy": false, "observed_at": "2026-11-28T10:00:00Z", "tenant": "aldgate",
                  "artefacts": {"erp-image": "sha256:..."}}
backup           {"name": "nightly-17", "taken_at": "2026-11-28T10:00:00Z", "size": 1048576}
backups          [{"name": ..., "taken_at": ...}, ...]
restore_beside   {"api": "https://copy.example.com/aldgate", "web": ""}
upgrade          {"backup": {"name": ..., "taken_at": ...}}, or nothing
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ringgate.inventory.files import dotted
from ringgate.inventory.kinds import Digest, Url
from ringgate.rollout.platforms.registry import PlatformError

A = TypeVar("A")
_Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Answer(BaseModel):
    """Further keys are the host's own affair."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class HostStatus(_Answer):
    """`series` is what the tenant runs now. `busy`: something is under way on it. `tenant` and `observed_at`, where
    they are given, must be of the tenant that was asked about, and of a moment after it was. `artefacts` are those that
    are installed, by name."""

    series: _Text
    busy: bool = False
    tenant: str = ""
    observed_at: AwareDatetime | None = None
    artefacts: dict[str, Digest] = {}


class HostBackup(_Answer):
    """`size` in bytes, `seconds` that taking it took; 0 where the host does not say."""

    name: _Text
    taken_at: AwareDatetime
    size: int = 0
    seconds: float = 0.0


class HostUpgrade(_Answer):
    backup: HostBackup | None = None


class HostCopy(_Answer):
    """Where the restored copy is served; "" for no web client."""

    api: Url
    web: str = ""


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """`value` is what the host's JSON holds, None where it said nothing; `source` names who answered, for people."""

    value: Any
    source: str

    def as_a(self, kind: type[A]) -> A:
        """The answer as that kind. Raises PlatformError with every rule that it breaks."""
        if self.value is None:
            raise PlatformError(f"{self.source}: the answer must be JSON, and there was none")
        try:
            return TypeAdapter(kind).validate_python(self.value, strict=False)
        except ValidationError as error:
            rules = "; ".join(f"{dotted(each['loc']) or 'the answer'}: {each['msg']}" for each in error.errors())
            raise PlatformError(f"{self.source}: {rules}") from None

    def or_nothing(self, kind: type[A]) -> A | None:
        """The answer as that kind, None where it is no table."""
        return self.as_a(kind) if isinstance(self.value, dict) else None
