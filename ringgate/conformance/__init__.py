"""Does a driver keep the contracts of `ringgate.drivers.protocol`? Tried verb by verb on a real tenant, and undone.

    ringgate drivers check tryton --tenant aldgate
    sign-in                 kept
    sign-out-ends           broken   who_am_i was not refused
    isolation               missing  the api driver for acme cannot do outsiders

As pytest tests of a driver's own: see `DriverContracts` in `ringgate.conformance.suite`.
"""

from ringgate.conformance import contracts as _contracts  # registers them
from ringgate.conformance.check import check_contract, check_driver
from ringgate.conformance.model import CONTRACTS, Contract, Finding, VerbStanding
from ringgate.conformance.requirements import ContractBroken

__all__ = ["CONTRACTS", "Contract", "ContractBroken", "Finding", "VerbStanding", "check_contract", "check_driver"]
del _contracts
