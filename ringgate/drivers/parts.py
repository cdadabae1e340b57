"""What a driver may leave out, and what stands in its place: a refusal of our own, in one sentence.

    driver = whole(SomebodysDriver())            # a `Driver`, whatever parts it has
    driver.connect(tenant, call).surface()       # Unsupported: The api driver for acme has no surface, so ...

Nobody should meet it: scenarios state what they need, and stages of a rollout ask `registry.why_not` first.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from ringgate.domain.errors import OurSideError, Refused
from ringgate.domain.model import Attachment, Tenant
from ringgate.domain.terms import Basis, Capability
from ringgate.drivers.protocol import Call, Driver, PartialDriver, Session

PARTS: Final = {
    Capability.BOOKS: ("books",),
    Capability.UNDO: ("undo",),
    Capability.SWEEP: ("marked",),
    Capability.SURFACE: ("surface",),
    Capability.PARTICULARS: ("particulars",),
    Capability.TWINS: ("records_of_run",),
    Capability.OUTSIDERS: ("outsiders", "insider", "seen", "guesses", "ask_as_stranger"),
}
"""What of a connection each capability stands for. Business verbs belong to the signed-in user."""


class Unsupported(OurSideError):
    """A part of a connection was called that its driver does not have."""

    kind = "unsupported"


def whole(driver: PartialDriver) -> Driver:
    """The driver itself if it declares every part of a connection; else one that refuses what it leaves out."""
    return cast("Driver", driver) if driver.capabilities.issuperset(PARTS) else _Whole(driver)


class _Whole:
    def __init__(self, behind: PartialDriver) -> None:
        self._behind = behind
        self.channel, self.capabilities = behind.channel, behind.capabilities

    def connect(self, tenant: Tenant, call: Call) -> Any:
        lacking = {
            method: part.value for part, methods in PARTS.items() if part not in self.capabilities for method in methods
        }
        return _WholeConnection(self._behind.connect(tenant, call), lacking, f"{self.channel} driver for {tenant.erp}")

    def close(self) -> None:
        self._behind.close()


class _WholeConnection:
    """A connection as its driver made it; what is `lacking` (method -> capability) is refused, evidence is empty."""

    def __init__(self, behind: Session, lacking: dict[str, str], driver: str) -> None:
        self._behind, self._lacking, self._driver = behind, lacking, driver

    def __getattr__(self, name: str) -> Any:
        return self._refusing(name) if name in self._lacking else getattr(self._behind, name)

    def _refusing(self, name: str) -> Callable[..., NoReturn]:
        def refuse(*_args: object, **_kwargs: object) -> NoReturn:
            raise Unsupported(
                f"The {self._driver} does not have {self._lacking[name]!r} among its capabilities, "
                f"so `{name}` cannot be asked of it."
            )

        return refuse

    def version(self) -> str:
        asked: Callable[[], str] | None = getattr(self._behind, "version", None)
        return asked() if asked else ""

    def basis_of(self, refusal: Refused) -> Basis | None:
        asked: Callable[[Refused], Basis | None] | None = getattr(self._behind, "basis_of", None)
        return asked(refusal) if asked else refusal.basis

    def evidence(self, folder: Path) -> tuple[Attachment, ...]:
        saved: Callable[[Path], tuple[Attachment, ...]] | None = getattr(self._behind, "evidence", None)
        return saved(folder) if saved else ()
