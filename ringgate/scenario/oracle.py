"""What an invoice and its tax should be: computed from the inventory and the inputs alone.

Rules (the same on paper and in every ERP that keeps to them):
- a line's amount is quantity x unit price, rounded to the currency; where a tenant rounds by `total`, no line is
  rounded, but the sum of each rate's lines;
- a line's tax is quantity x unit price x rate, from the exact product; by `line-net` and `net` from the rounded amount;
- rounding by `line` and `line-net` rounds each line's tax and adds up; by `document`, `net` and `total` it adds up per
  rate, then rounds once;
- the total is net plus tax; when it falls due is computed in `payment_terms.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ringgate.domain.model import Policy, TaxRule
from ringgate.domain.money import Money, total
from ringgate.domain.terms import Role, TaxRounding


@dataclass(frozen=True, slots=True)
class Billable:
    """Hours to be billed at a rate under one tax rule ("" or no rule of the tenant: untaxed)."""

    hours: Decimal
    rate: Money
    tax: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a document must state. `by_rate` holds the rounded tax of each rule used."""

    net: Money
    tax: Money
    total: Money
    by_rate: Mapping[str, Money]


def rule(policy: Policy, name: str) -> TaxRule | None:
    """The tenant's rule of that name; its first one for ""; None where the tenant has no tax."""
    if not policy.taxes:
        return None
    if not name:
        return policy.taxes[0]
    for candidate in policy.taxes:
        if candidate.name == name:
            return candidate
    raise KeyError(f"the tenant has no tax rule {name!r}")


def totals(lines: Sequence[Billable], policy: Policy) -> Totals:
    """The amounts of a document with these lines under this tenant's policy."""
    mode, zero, by = policy.rounding_mode, Money(0, policy.currency), policy.tax_rounding
    net, by_rate = _net(lines, policy), dict[str, Money]()
    for line in lines:
        if (applied := rule(policy, line.tax)) is None:
            continue
        product = line.rate * line.hours
        taxed = product.rounded(mode) if by in (TaxRounding.LINE_NET, TaxRounding.NET) else product
        exact = taxed * applied.rate
        part = exact.rounded(mode) if by in (TaxRounding.LINE, TaxRounding.LINE_NET) else exact
        by_rate[applied.name] = by_rate.get(applied.name, zero) + part
    by_rate = {name: amount.rounded(mode) for name, amount in by_rate.items()}
    tax = total(list(by_rate.values()), policy.currency)
    return Totals(net=net, tax=tax, total=net + tax, by_rate=by_rate)


def _net(lines: Sequence[Billable], policy: Policy) -> Money:
    mode = policy.rounding_mode
    if policy.tax_rounding is not TaxRounding.TOTAL:
        return total([(line.rate * line.hours).rounded(mode) for line in lines], policy.currency)
    exact: dict[str, Money] = {}
    for line in lines:
        applied = rule(policy, line.tax)
        name = applied.name if applied else ""
        exact[name] = exact.get(name, Money(0, policy.currency)) + line.rate * line.hours
    return total([amount.rounded(mode) for amount in exact.values()], policy.currency)


def may_approve_alone(amount: Money, policy: Policy) -> bool:
    """Whether the requester may approve a request of that amount without anybody else."""
    return policy.approval.steps == 0 or amount.amount <= policy.approval.threshold


OTHERWISE = {
    TaxRounding.LINE: TaxRounding.DOCUMENT,
    TaxRounding.DOCUMENT: TaxRounding.LINE,
    TaxRounding.LINE_NET: TaxRounding.NET,
    TaxRounding.NET: TaxRounding.LINE_NET,
    TaxRounding.TOTAL: TaxRounding.LINE_NET,
}
"""What a way of rounding is most easily mistaken for."""


def approvers(amount: Money, policy: Policy) -> tuple[Role, ...]:
    """Who must approve a request of that amount, in this order, one for each step; () where nobody need to."""
    return () if may_approve_alone(amount, policy) else policy.approval.approvers[: policy.approval.steps]


def shows_rounding(lines: Sequence[Billable], policy: Policy) -> bool:
    """Whether these lines come out differently where each line is rounded and where the document is: else they prove
    nothing about rounding. Where no line is rounded, the net amount must show it, too."""
    own = totals(lines, policy)
    other = totals(lines, replace(policy, tax_rounding=OTHERWISE[policy.tax_rounding]))
    return own.tax != other.tax and (policy.tax_rounding is not TaxRounding.TOTAL or own.net != other.net)


def gaps(numbers: Sequence[str]) -> tuple[str, ...]:
    """What breaks a numbering without gaps: each missing and each repeated number, in words.

    Numbers end in digits that count up by one; what stands before them (a year, a prefix) opens a series of its own."""
    series: dict[str, list[int]] = {}
    width: dict[str, int] = {}  # as the ERP pads them: BR2026-0056
    unreadable = []
    for number in numbers:
        digits = re.search(r"\d+$", number)
        if digits is None:
            unreadable.append(f"{number!r} ends in no number")
        else:
            prefix = number[: digits.start()]
            series.setdefault(prefix, []).append(int(digits.group()))
            width[prefix] = min(width.get(prefix, len(digits.group())), len(digits.group()))
    broken = [
        f"{prefix}{each:0{width[prefix]}d} is used {times} times"
        for prefix, counted in series.items()
        for each, times in Counter(counted).items()
        if times > 1
    ]
    missing = [
        f"{prefix}{each:0{width[prefix]}d} is missing"
        for prefix, counted in series.items()
        for each in range(min(counted), max(counted))
        if each not in set(counted)
    ]
    return tuple(unreadable + broken + missing)
