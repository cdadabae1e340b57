"""Ways to break a running ERP, for one tenant or for all at a time, and to repair it again without a trace.

fault = faults_of(estate.kind)["wrong-tax"]
fault.on(estate, "aldgate")
...                               # every scenario in fault.catches fails, for the reason in fault.says
fault.off(estate, "aldgate")      # from any process
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ringgate.estate.faults.fault import Fault
from ringgate.estate.faults.platform import PLATFORM
from ringgate.estate.faults.switches import standing
from ringgate.estate.protocol import EstateKind

if TYPE_CHECKING:
    from ringgate.estate.estate import Estate

IN_THE_TENANT = ("sql", "configuration", "rights")
"""Where a fault is made in the tenant's own database, and leaves there what it needs to be taken back."""

__all__ = ["Fault", "KindWithFaults", "faults_of", "repair", "standing"]


@runtime_checkable
class KindWithFaults(Protocol):
    """A kind of estate that can be broken in its ERP's own ways, beside those of the platform."""

    @property
    def faults(self) -> Sequence[Fault]: ...


def faults_of(kind: EstateKind) -> Mapping[str, Fault]:
    """Every fault of a kind of estate by its id: the ERP's own, if it has some, then those of the platform."""
    own = kind.faults if isinstance(kind, KindWithFaults) else ()
    return {fault.id: fault for fault in (*own, *PLATFORM)}


def repair(estate: Estate, tenant: str = "") -> None:
    """Switches off whatever is on for a tenant, or for the estate as a whole, whoever left it on.

    Raises EstateError."""
    known = faults_of(estate.kind).values()
    scoped = [fault for fault in known if fault.scope == ("tenant" if tenant else "estate")]
    outside = [fault for fault in scoped if fault.where not in IN_THE_TENANT]
    for fault in outside:
        fault.off(estate, tenant)
    if tenant and standing(estate, tenant):
        for fault in scoped:
            if fault not in outside:
                fault.off(estate, tenant)
