"""Puts a load together, and refuses what must not be loaded: everything that is wrong is told at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Scenario, Tenant
from ringgate.domain.terms import Channel
from ringgate.drivers.registry import capabilities
from ringgate.execution import setup
from ringgate.execution.applicability import not_applicable
from ringgate.execution.run_once import Engine
from ringgate.host import paths
from ringgate.host.secrets import redact
from ringgate.load.generator import LoadGenerator, LoadTerms, Read
from ringgate.load.profile import LoadProfile
from ringgate.signals import Signals, read_once

PATIENCE = 10.0
"""Seconds to wait for other runs of the same processes on the same tenants to end."""

MOST_SESSIONS = 64


class LoadRefused(RinggateError):
    """A load that must not be made, with every reason."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What is run on whom, and how much."""

    profile: LoadProfile
    scenarios: Sequence[Scenario]
    tenants: Sequence[Tenant]
    everybody: Sequence[Tenant]


def check(plan: LoadPlan) -> None:
    """Raises LoadRefused: for a tenant whose inventory does not allow so many users, and for a process that does not
    apply to one of them."""
    wrong, today = list[str](), datetime.now(UTC).date()
    of = len(plan.tenants)
    users = Counter(plan.tenants[number % of].id for number in range(plan.profile.users))
    for tenant in plan.tenants:
        most = plan.profile.users if plan.profile.is_open else users[tenant.id]
        if not tenant.load_users:
            wrong.append(f"{tenant.id}: its inventory allows no load (load_users), so it is taken for production")
        elif most > tenant.load_users:
            wrong.append(
                f"{tenant.id}: up to {most} users at once, and its inventory allows {tenant.load_users} (load_users)"
            )
        for scenario in plan.scenarios:
            able = capabilities(tenant.erp, Channel.API)
            if reason := not_applicable(scenario, tenant, Channel.API, able, today, plan.everybody):
                wrong.append(f"{tenant.id}: {scenario.id} is not run there: {reason}")
    if wrong:
        raise LoadRefused("\n".join(wrong))


def reader_of(signals: Signals | None) -> Read | None:
    """Reads the platform's signals; they are not kept in the store of results, where another process does."""
    if signals is None:
        return None
    return lambda: read_once(signals, datetime.now(UTC))


@contextmanager
def loading(
    plan: LoadPlan, terms: LoadTerms, signals: Signals | None, shared: str | None, tell: Callable[[str], None]
) -> Iterator[LoadGenerator]:
    """A load that is ready to begin. While it lasts nothing else of Ringgate's runs the same processes on the same
    tenants. Raises LoadRefused, Occupied, or what of a shared database cannot be used."""
    check(plan)
    with ExitStack() as held:
        journal, locks = held.enter_context(setup.journal_and_locks(shared, patience=PATIENCE))
        for tenant in sorted(plan.tenants, key=lambda each: each.id):
            roomy = replace(tenant, sessions=MOST_SESSIONS)
            for scenario in sorted(plan.scenarios, key=lambda each: each.id):
                held.enter_context(locks.room(roomy, scenario.id))
        engine = Engine(
            drivers={}, journal=journal, run_locks=locks, evidence=_evidence(), redact=redact,
            session=setup.new_session(), neighbours=plan.everybody,
        )  # fmt: skip
        resources = {each.signal: each.resource for each in signals.readings} if signals else {}
        yield LoadGenerator(
            plan.profile, plan.scenarios, plan.tenants, engine, replace(terms, resources=resources),
            read=reader_of(signals), tell=tell,
        )  # fmt: skip


def _evidence() -> Path:
    return paths.reports() / "evidence"
