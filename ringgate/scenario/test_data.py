"""Builders of believable, marked business data. The same run id gives the same data: a failure can be repeated.

The words are our own few: Faker takes as long to load as all else that a run over the API needs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import count, product
from random import Random
from string import ascii_letters, digits

from ringgate.domain.documents import (
    EntryDraft,
    EntryLine,
    ProjectDraft,
    RequestDraft,
    SupplierInvoiceDraft,
    SupplierLineDraft,
    TaskDraft,
)  # fmt: skip
from ringgate.domain.model import Tenant
from ringgate.domain.money import Money
from ringgate.scenario import oracle

_WORK = ("Discovery workshop", "Data migration", "Interface design", "Roll-out support", "Process review", "Training")
_GOODS = ("Laptop dock", "Conference travel", "Survey licence", "Desk lamps", "Workshop catering", "Test devices")
_NAMES = ("Ahmed", "Baker", "Campbell", "Davies", "Evans", "Fletcher", "Grant", "Hughes", "Iqbal", "Jones", "Kaur",
          "Lewis", "Morgan", "Newton", "Owen", "Patel", "Quinn", "Roberts", "Singh", "Taylor")  # fmt: skip
_DONE = ("Reviewed", "Prepared", "Discussed", "Tested", "Documented", "Corrected", "Agreed on")
_WHAT = ("the interface to payroll", "last month's figures", "the list of open points", "the migration of master data",
         "the plan for the roll-out", "what users may see", "the report for the board")  # fmt: skip
_RATES = ("80.02", "95.03", "101.03", "110.13", "124.07", "135.04", "149.05")
_HOURS = ("1.25", "1.5", "2.75")


class Make:
    """Drafts for one run on one tenant. Every draft carries a marker `RG-<run id>-<n>` in its name or description.

    `after` is the last `n` that may be taken already, where a run goes on in another process."""

    def __init__(self, tenant: Tenant, run_id: str, today: date, *, after: int = 0) -> None:
        self._tenant, self._policy, self._today = tenant, tenant.policy, today
        self.marker = f"RG-{run_id}"
        self._numbers = count(after + 1)
        self._run_id = run_id
        self.texts: list[str] = []  # names and descriptions that were made so far, in this order

    @cached_property
    def _random(self) -> Random:
        return Random(self._run_id)  # noqa: S311 - it is to be the same again

    def next_marker(self) -> str:
        return f"{self.marker}-{next(self._numbers)}"

    def money(self, amount: str) -> Money:
        return Money(amount, self._policy.currency)

    def project(self, rate: str = "120.00", planned: str = "8", tax: str = "") -> ProjectDraft:
        """A project with one task, billed at `rate` per hour under the tax rule of that name (default: the first)."""
        return self.project_of((rate, planned, tax))

    def project_that_shows_rounding(self) -> tuple[ProjectDraft, tuple[Decimal, ...]]:
        """A project whose invoice tells rounding by line from rounding by document, and the hours to log on each task.

        Two tasks share the tenant's first rate; every further rate gets a task of its own. A tenant without tax, for
        which nothing is rounded twice, gets rates whose amounts must be rounded."""
        spread = self._spread_that_shows_rounding()
        return self.project_of(*spread), tuple(Decimal(h) for _, h, _ in spread)

    def _spread_that_shows_rounding(self) -> list[tuple[str, str, str]]:
        """Lines: rate, hours, name of the tax rule."""
        taxes = [rule.name for rule in self._policy.taxes] or [""]
        for first, second, hours in product(_RATES, _RATES, _HOURS):
            spread = [
                (first, hours, taxes[0]),
                (second, hours, taxes[0]),
                *(("88.88", "1.5", name) for name in taxes[1:]),
            ]
            lines = [oracle.Billable(Decimal(h), self.money(r), t) for r, h, t in spread]
            if oracle.shows_rounding(lines, self._policy) or not self._policy.taxes:
                return spread
        raise LookupError(f"no amounts found that show how tenant {self._tenant.id} rounds")

    def project_of(self, *tasks: tuple[str, str, str]) -> ProjectDraft:
        """A project with these tasks: (rate per hour, planned hours, name of the tax rule or "")."""
        marker = self.next_marker()
        name = f"{self._random.choice(_WORK)} for {self._random.choice(_NAMES)} [{marker}]"
        drafts = tuple(
            TaskDraft(f"{self._random.choice(_WORK)} {number} [{marker}]", self.money(rate), Decimal(planned), tax)
            for number, (rate, planned, tax) in enumerate(tasks, start=1)
        )
        self.texts += [name, *(each.name for each in drafts)]
        return ProjectDraft(name, self._policy.customer, marker, drafts)

    def request(self, amount: str = "350.00") -> RequestDraft:
        """A purchase request over `amount` in all."""
        marker = self.next_marker()
        text = self._made(f"{self._random.choice(_GOODS)} [{marker}]")
        return RequestDraft(text, marker, Decimal(1), self.money(amount))

    def supplier_invoice(self) -> SupplierInvoiceDraft:
        """What the synthetic supplier bills, by lines that tell rounding by line from rounding by document."""
        marker = self.next_marker()
        text = self._made(f"{self._random.choice(_GOODS)} [{marker}]")
        lines = tuple(
            SupplierLineDraft(Decimal(number), self.money(price), tax)
            for price, number, tax in self._spread_that_shows_rounding()
        )
        return SupplierInvoiceDraft(self._policy.supplier, f"S-{marker}", text, marker, lines)

    def entry(self, amount: str = "75.00", on: date | None = None) -> EntryDraft:
        """A journal entry that moves `amount` from revenue to cash."""
        marker, accounts, zero = self.next_marker(), self._policy.accounts, self.money("0")
        lines = (
            EntryLine(accounts.cash[0], self.money(amount), zero),
            EntryLine(accounts.revenue[0], zero, self.money(amount)),
        )
        return EntryDraft(on or self._today, self._made(f"Synthetic correction [{marker}]"), marker, lines)

    def note(self) -> str:
        """A description of work, with a marker of its own."""
        return self._made(f"{self._random.choice(_DONE)} {self._random.choice(_WHAT)} [{self.next_marker()}]")

    def _made(self, text: str) -> str:
        self.texts.append(text)
        return text

    def wrong_password(self) -> str:
        """A password that nobody has."""
        return "".join(self._random.choices(ascii_letters + digits, k=24))
