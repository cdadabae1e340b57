"""Tries contracts on a driver, one after another, and takes back what each of them wrote."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterator, Sequence

from ringgate.conformance.model import CONTRACTS, Contract, Finding, VerbStanding
from ringgate.conformance.requirements import ContractBroken
from ringgate.conformance.trial import Trial
from ringgate.domain.errors import ErpUnavailable, OurSideError, RinggateError
from ringgate.domain.model import Tenant
from ringgate.drivers.protocol import Call, Driver
from ringgate.drivers.registry import lacking
from ringgate.execution.run_once import new_run_id
from ringgate.execution.undo import Patience, message_of, undo
from ringgate.host.secrets import redact
from ringgate.host.undo_journal import Journal


def check_driver(
    driver: Driver, tenant: Tenant, journal: Journal, *, neighbours: Sequence[Tenant] = (), only: Collection[str] = ()
) -> Iterator[Finding]:
    """Each contract's finding as it is found. `neighbours` are other tenants of this ERP, `only` ids of contracts.

    Raises what keeps anything from being tried at all: a secret that is missing, a tenant that does not answer."""
    _within_reach(driver, tenant)
    for each in CONTRACTS.values():
        if not only or each.id in only:
            yield check_contract(each, driver, tenant, journal, neighbours=neighbours)


def _within_reach(driver: Driver, tenant: Tenant) -> None:
    connection = driver.connect(tenant, Call(new_run_id(), secrets.token_hex(16)))
    try:
        for role in tenant.users:
            connection.sign_in(role)
    except (OurSideError, ErpUnavailable):
        raise
    except Exception:  # what the driver does wrong is for the contracts to tell
        return
    finally:
        connection.close()


def check_contract(
    contract: Contract, driver: Driver, tenant: Tenant, journal: Journal, *, neighbours: Sequence[Tenant] = ()
) -> Finding:
    """Try one contract. What it wrote is undone before this returns; what could not be is told in the finding.

    Never raises for what the driver does."""
    if why := lacking(contract.needs, tenant, driver.channel, driver.capabilities):
        return Finding(contract, VerbStanding.MISSING, why)
    if absent := sorted(role.value for role in contract.roles - set(tenant.users)):
        return Finding(contract, VerbStanding.UNTRIED, f"{tenant.id} has no synthetic user for {', '.join(absent)}")
    began, noted = time.monotonic(), journal.begin(new_run_id(), tenant.id, f"contract {contract.id}", driver.channel)
    standing, how, trial = VerbStanding.KEPT, "", None
    try:
        trial = Trial(driver, tenant, noted, neighbours)
        contract.function(trial)
    except Exception as error:
        standing, how = _judged(error)
    try:
        if trial is not None:
            left = undo(noted, trial.connection, redact, limit=trial.call.limit, patience=Patience())
            if left:
                more = f"what it wrote was left behind: {'; '.join(each.sentence for each in left)}"
                standing, how = VerbStanding.BROKEN, f"{how}; {more}" if how else more
    finally:
        noted.close()
        if trial is not None:
            trial.close()
    return Finding(contract, standing, redact(how), time.monotonic() - began)


def _judged(error: Exception) -> tuple[VerbStanding, str]:
    if isinstance(error, ContractBroken):
        return VerbStanding.BROKEN, str(error)
    if isinstance(error, OSError | OurSideError | ErpUnavailable):
        return VerbStanding.UNTRIED, message_of(error)
    if isinstance(error, RinggateError):
        return VerbStanding.BROKEN, f"it raised {type(error).__name__}: {error}"
    return (
        VerbStanding.BROKEN,
        f"it raised {type(error).__name__}: {error}, which is no error of ringgate.domain.errors",
    )
