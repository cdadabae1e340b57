"""What the rule of a single key of a release definition cannot see. Works on raw values, so that other mistakes do not
hide these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from ringgate.domain.waivers import holds
from ringgate.inventory import Inventory
from ringgate.inventory.files import Problem, nearest
from ringgate.rollout.activation_tables import ACTIVATION
from ringgate.rollout.approval_tables import check_approvals
from ringgate.rollout.release_tables import WAYS, RolloutAction
from ringgate.rollout.runbook_tables import check_papers


def cross_checks(file: str, data: Mapping[str, object], inventory: Inventory, today: date) -> list[Problem]:
    """What a key's own rule cannot see. Works on the raw values, so that other mistakes do not hide these."""
    found = _check_erp(file, data.get("erp"), inventory)
    known = [tenant.id for tenant in inventory.tenants if data.get("erp") in (None, tenant.erp)]
    listed = data.get("exceptions")
    seen: set[object] = set()
    for index, each in enumerate(listed if isinstance(listed, list) else []):
        if not isinstance(each, dict):
            continue
        at = f"exceptions[{index}]"
        tenant, ring, until = each.get("tenant"), each.get("ring"), each.get("expires")
        if isinstance(tenant, str) and tenant not in known:
            found.append(Problem(file, f"{at}.tenant", f"is not in the inventory{nearest(tenant, known)}", tenant))
        if tenant in seen:
            found.append(Problem(file, f"{at}.tenant", "has an exception already", str(tenant)))
        seen.add(tenant)
        if isinstance(ring, str) and ring not in inventory.rings:
            found.append(Problem(file, f"{at}.ring", f"is not a ring{nearest(ring, inventory.rings)}", ring))
        if isinstance(until, date) and not holds(until, today):
            found.append(Problem(file, f"{at}.expires", "has passed: renew the exception or remove it", str(until)))
        if not any(key in each for key in ("skip", "ring", "risk")):
            found.append(Problem(file, at, "says nothing: give skip, ring or risk"))
    found += _check_untested(file, _tables(data.get("untested")), known, today)
    conditions = data.get("conditions")
    for key, action in conditions.items() if isinstance(conditions, dict) else ():
        if action == RolloutAction.PROMOTE:
            found.append(Problem(file, f"conditions.{key}", "must be pause or roll back", f'"{action}"'))
    found += _check_steps(file, _tables(data.get("manual_steps")))
    subjects = (*inventory.rings, *([ACTIVATION] if "activation" in data else []))
    found += check_approvals(file, data.get("approvals"), subjects)
    found += check_papers(file, data)
    for key in ("integrations", "elevations"):
        names = [each.get("name") for each in _tables(data.get(key))]
        for name in sorted({str(name) for name in names if names.count(name) > 1}):
            found.append(Problem(file, key, f"two {key} must not have the same name", f'"{name}"'))
    return found


def _check_erp(file: str, erp: object, inventory: Inventory) -> list[Problem]:
    """A release is for one ERP, whichever others the inventory holds tenants of."""
    there = sorted({tenant.erp for tenant in inventory.tenants})
    if erp is None and len(there) > 1:
        rule = f"is required: the inventory holds tenants of {' and '.join(there)}"
        return [Problem(file, "erp", rule)]
    if isinstance(erp, str) and erp not in there:
        return [Problem(file, "erp", f"no tenant of the inventory runs it{nearest(erp, there)}", f'"{erp}"')]
    return []


def _check_untested(file: str, given: Sequence[Mapping[str, object]], known: list[str], today: date) -> list[Problem]:
    found = []
    for index, each in enumerate(given):
        tenant, until = each.get("tenant"), each.get("expires")
        if isinstance(tenant, str) and tenant not in (*known, "*"):
            rule = f"is not in the inventory{nearest(tenant, known)}"
            found.append(Problem(file, f"untested[{index}].tenant", rule, tenant))
        if isinstance(until, date) and not holds(until, today):
            rule = "has passed: test it, or renew the entry"
            found.append(Problem(file, f"untested[{index}].expires", rule, str(until)))
    return found


def _check_steps(file: str, steps: Sequence[Mapping[str, object]]) -> list[Problem]:
    names = [step.get("name") for step in steps]
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    found = [Problem(file, "manual_steps", "two steps must not have the same name", f'"{name}"') for name in twice]
    for index, step in enumerate(steps):
        given = [way for way in WAYS if way in step]
        if len(given) != 1:
            rule = f"needs exactly one of {', '.join(WAYS)}"
            found.append(Problem(file, f"manual_steps[{index}]", rule, ", ".join(given)))
    return found


def check_series(file: str, data: Mapping[str, object], known: list[str]) -> list[Problem]:
    given = [(key, data[key]) for key in ("from", "to") if isinstance(data.get(key), str)]
    found = [
        Problem(file, key, f"is not a series that can be run here{nearest(str(name), known)}", f'"{name}"')
        for key, name in given
        if known and name not in known
    ]
    if not found and known and len(given) == 2 and known.index(str(given[1][1])) < known.index(str(given[0][1])):
        found.append(Problem(file, "to", "is an earlier series than from: nobody is upgraded backwards"))
    return found


def _tables(value: object) -> list[dict[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
