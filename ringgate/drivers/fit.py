"""What an inventory states that the installed drivers cannot do: told at once, before anything is run."""

from __future__ import annotations

from collections.abc import Iterator

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Capability, Channel
from ringgate.drivers.registry import capabilities
from ringgate.inventory import Inventory
from ringgate.inventory.files import Problem


def unfit(inventory: Inventory) -> list[Problem]:
    """One problem for each key of a tenant that its driver cannot follow, with the file that it comes from."""
    found: dict[Problem, None] = {}
    for tenant in inventory.tenants:
        origins = {setting.key: setting.origin for setting in inventory.settings(tenant.id)}
        for channel in Channel:
            able = capabilities(tenant.erp, channel)
            if able is None or (channel is Channel.BROWSER and not tenant.web):
                continue
            for key, rule in _complaints(tenant, channel, able):
                found[Problem(origins.get(key, str(inventory.path)), key, rule)] = None
    return list(found)


def _complaints(tenant: Tenant, channel: Channel, able: frozenset[Capability]) -> Iterator[tuple[str, str]]:
    driver = f"the {channel} driver for {tenant.erp}"
    steps = tenant.policy.approval.steps
    given_up = {Capability.APPROVALS, Capability.APPROVAL_CHAINS} & tenant.lacks
    if steps > 1 and not given_up and Capability.APPROVAL_CHAINS not in able:
        rule = f"{driver} cannot tell one approval of {steps} from none: state 1 step, or approvals under lacks"
        yield "policy.approval.steps", rule
    for role, account in tenant.users.items():
        way, at = account.on(channel), f"users.{role.value}.{channel.value}"
        if way.key is not None and Capability.API_KEYS not in able:
            yield f"{at}.key", f"{driver} signs in with a password: state a password"
        if way.one_time_codes is not None and Capability.ONE_TIME_CODES not in able:
            yield f"{at}.one_time_codes", f"{driver} enters no one-time codes: use a login that needs none"
