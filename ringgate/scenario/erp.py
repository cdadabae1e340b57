"""What a scenario holds of the ERP: who can be signed in, what the tenant's rules are, and what the layers state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import overload

from ringgate.domain.documents import Invoice, InvoiceParticulars, Ref, Task, TaskDraft
from ringgate.domain.errors import OurSideError
from ringgate.domain.integrations import ExpectedArrival
from ringgate.domain.model import Policy, Tenant
from ringgate.domain.money import Currency, Money
from ringgate.domain.terms import Channel, InvoiceMethod, Receives, Role
from ringgate.drivers.parts import Unsupported
from ringgate.drivers.protocol import Books, Connection, Outsider
from ringgate.host.undo_journal import RunJournal
from ringgate.integrations import Following
from ringgate.isolation.model import PrivateRecord
from ringgate.scenario import access_matrix, oracle, payment_terms
from ringgate.scenario.actors import Actor
from ringgate.scenario.test_data import Make


class Erp:
    """One tenant's ERP during one run. Scenarios never see over which channel."""

    def __init__(
        self,
        tenant: Tenant,
        connection: Connection,
        channel: Channel,
        journal: RunJournal,
        make: Make,
        today: date,
        neighbours: Sequence[Tenant] = (),
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
        following: Following | None = None,
    ) -> None:
        """`turn` is held while something is posted; `following` looks at the tenant's integrations."""
        self._turn, self._following = turn, following or Following(tenant)
        self.tenant, self.today, self.neighbours = tenant, today, tuple(neighbours)
        self._connection, self._channel, self._journal, self._make = connection, channel, journal, make

    # people

    @overload
    def sign_in(self, role: Role, /) -> Actor: ...
    @overload
    def sign_in(self, role: Role, other: Role, /, *more: Role) -> tuple[Actor, ...]: ...
    def sign_in(self, *roles: Role) -> Actor | tuple[Actor, ...]:
        """The users of these roles, signed in: one, or a tuple in the order asked for. Sessions may be reused."""
        actors = tuple(self._actor(role) for role in roles)
        return actors[0] if len(actors) == 1 else actors

    def sign_in_all(self, roles: Sequence[Role]) -> tuple[Actor, ...]:
        """The users of these roles, however many, in this order."""
        return tuple(self._actor(role) for role in roles)

    def sign_in_anew(self, role: Role) -> Actor:
        """The user of a role by a sign-in of this run's own, whose session nobody else uses."""
        return self._actor(role, fresh=True)

    def sign_in_with(self, role: Role, password: str) -> Actor:
        """Try another password than the inventory's."""
        return self._actor(role, password=password, fresh=True)

    def _actor(self, role: Role, *, password: str | None = None, fresh: bool = False) -> Actor:
        behind = self._connection.sign_in(role, password=password, fresh=fresh)
        return Actor(behind, self._journal, self._make, self.today, self._turn)

    def login_of(self, role: Role) -> str:
        """The login that the inventory gives for a role."""
        return self.tenant.users[role].login

    # the tenant's own rules

    @property
    def policy(self) -> Policy:
        return self.tenant.policy

    @property
    def currency(self) -> Currency:
        return self.tenant.policy.currency

    def money(self, amount: str) -> Money:
        return Money(amount, self.currency)

    def tax_on(self, net: Money, rule: str = "") -> Money:
        """The tax on one untaxed amount under the tenant's rule of that name (default: its first)."""
        return self.totals((Decimal(1), net, rule)).tax

    def totals(self, *lines: tuple[Decimal, Money, str]) -> oracle.Totals:
        """What an invoice over these lines (hours, rate, tax rule) must state."""
        return oracle.totals([oracle.Billable(*line) for line in lines], self.policy)

    def billable(self, task: Task | TaskDraft, logged: str | Decimal) -> Decimal:
        """The hours that the tenant bills: those logged, or those planned once the work is complete."""
        return Decimal(logged) if self.policy.invoice_method is InvoiceMethod.TIMESHEET else task.planned

    def due(self, on: date) -> tuple[date, ...]:
        """When an invoice of that date falls due: one date for each instalment, each once, in order."""
        return payment_terms.due_dates(on, self.policy.term)

    def instalments(self, total: Money, on: date) -> tuple[payment_terms.AmountDue, ...]:
        """What of an invoice of that date falls due when."""
        return payment_terms.amounts_due(total, on, self.policy.term, self.policy.rounding_mode)

    def discount(self, total: Money, on: date, paid_on: date) -> Money:
        """What may be taken off an invoice of one date that is paid on another."""
        return payment_terms.discount(total, on, paid_on, self.policy.term, self.policy.rounding_mode)

    def may_approve_alone(self, amount: Money) -> bool:
        """Whether a requester may approve a request of that amount without anybody else."""
        return oracle.may_approve_alone(amount, self.policy)

    def approvers(self, amount: Money) -> tuple[Role, ...]:
        """Who must approve a request of that amount, one for each step and in this order; () where nobody need to."""
        return oracle.approvers(amount, self.policy)

    def approvals_before(self, role: Role, amount: Money) -> tuple[Role, ...]:
        """Whose approvals a request of that amount needs before this role's turn; () for who is not asked."""
        chain = self.approvers(amount)
        return chain[: chain.index(role)] if role in chain else ()

    def gaps(self, numbers: Sequence[str]) -> tuple[str, ...]:
        """What breaks the numbering: missing and repeated numbers, in words."""
        return oracle.gaps(numbers)

    # the other layers

    @property
    def books(self) -> Books:
        """The ledger, as the auditor reads it over the API."""
        return self._connection.books()

    def layers(self, invoice: Invoice) -> dict[str, dict[str, object]]:
        """What each layer states of a posted invoice: its `record` over the API, the `ledger`, and the `screen`.

        `invoice` is what the present channel stated last: over the browser that is the screen. The ledger's figures
        are summed from the accounts that the inventory names, with the sign of an invoice."""
        books, accounts = self.books, self.policy.accounts
        record, posting = books.invoice(invoice.ref), books.posting_of(invoice.ref)
        stated: dict[str, dict[str, object]] = {
            "record": {"net": record.net, "tax": record.tax, "total": record.total},
            "ledger": {
                "net": -posting.on_account(*accounts.revenue),
                "tax": -posting.on_account(*accounts.tax),
                "total": posting.on_account(*accounts.receivable),
            },
        }
        if self._channel is Channel.BROWSER:
            stated["screen"] = {"net": invoice.net, "tax": invoice.tax, "total": invoice.total}
        return stated

    # what receives its documents

    def arrives(
        self,
        receives: Receives,
        marker: str,
        *,
        totals: oracle.Totals | None = None,
        hours: str | Decimal | None = None,
        version: int = 1,
    ) -> None:
        """Wait until the document that was just made has arrived at each of the tenant's integrations that receive its
        kind: in time, once, as the tenant's own, with these amounts (and currency, and tax by rate, `all` for the sum)
        or hours, and at no other tenant's. `version` 2 is the first correction.

        What arrived is looked for again once the run is undone: then its reversal must be there, too."""
        stated = ExpectedArrival(
            marker, datetime.now(UTC), attempt=version, hours=None if hours is None else Decimal(hours)
        )
        if totals is not None:
            taxes = {name: each.amount for name, each in totals.by_rate.items()} | {"all": totals.tax.amount}
            stated = replace(
                stated, amount=totals.total.amount, net=totals.net.amount, currency=self.currency.code, taxes=taxes
            )
        self._following.follow(receives, stated)

    def particulars(self, invoice: Invoice) -> InvoiceParticulars | None:
        """What a posted invoice states beside its amounts; None where the driver cannot read that."""
        try:
            return self._connection.particulars(invoice.ref)
        except Unsupported:
            return None

    # who should see nothing of it

    def rights(self) -> tuple[access_matrix.Right, ...]:
        """Every cell of the matrix role x verb x amount that this tenant must keep to, in the order of the process."""
        return access_matrix.matrix(self.policy, self.tenant.users)

    def outsiders(self, *roles: Role) -> Iterator[Outsider]:
        """Every other tenant's users of these roles (default: all), at each door, and strangers.

        Raises OurSideError if there is no other tenant: then nothing can be shown."""
        if not self.neighbours:
            raise OurSideError(f"The inventory has no other tenant whose sessions could be tried on {self.tenant.id}.")
        return self._connection.outsiders(self.neighbours, roles or tuple(Role))

    def insider(self, role: Role) -> Outsider:
        """A user of the tenant itself, who tries what the outsiders try and must succeed."""
        return self._connection.insider(role)

    def seen(self) -> Sequence[PrivateRecord]:
        """Records that were there before the run: one of each kind that matters."""
        return self._connection.seen()

    def thing(self, ref: Ref, marker: str = "", *, made: bool = False) -> PrivateRecord:
        """A record that is nobody else's business, known by its marker, and by the company's name on it."""
        return PrivateRecord(ref, (marker, self.tenant.name) if marker else (self.tenant.name,), made)

    def guesses(self, ref: Ref, reach: int = 3) -> tuple[PrivateRecord, ...]:
        """The records whose ids lie around a known one: what somebody who guesses would try."""
        return tuple(self.thing(each) for each in self._connection.guesses(ref, reach))

    def ask_as_stranger(self, about: str) -> Mapping[str, str]:
        """What anybody may ask at the tenant's address about a tenant of that id, and what is answered."""
        return self._connection.ask_as_stranger(about)
