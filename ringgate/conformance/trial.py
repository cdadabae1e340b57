"""One driver on one tenant while one contract is tried: it does business as the engine lets it be done.

Each write is noted in the undo journal before it is sent, so that a kit that is killed leaves nothing that
`ringgate recover` cannot find.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ringgate.conformance.requirements import ContractBroken, require, same
from ringgate.conformance.values import check_types
from ringgate.domain.documents import Invoice, Project, PurchaseRequest
from ringgate.domain.errors import Refused
from ringgate.domain.model import Policy, Tenant
from ringgate.domain.money import Money
from ringgate.domain.reversal import Reversal
from ringgate.domain.terms import Capability, Role
from ringgate.drivers.protocol import Books, Call, Connection, Driver
from ringgate.host.undo_journal import RunJournal
from ringgate.scenario.actors import Actor
from ringgate.scenario.test_data import Make

HOURS, RATE = "2", "100.00"

BooksStanding = tuple[dict[str, str], frozenset[str]]
"""A trial balance, and a line for each open document."""


class Trial:
    """What a contract acts through. `connection` is the run's; further ones are closed with it."""

    def __init__(self, driver: Driver, tenant: Tenant, journal: RunJournal, neighbours: Sequence[Tenant] = ()) -> None:
        self.driver, self.tenant, self.journal, self.neighbours = driver, tenant, journal, tuple(neighbours)
        self.today: date = datetime.now(ZoneInfo(tenant.timezone)).date()
        self.make = Make(tenant, journal.run_id, self.today)
        self.call = Call(journal.run_id, secrets.token_hex(16))
        self._opened: list[Connection] = []
        self.connection = self.connect()

    def connect(self, tenant: Tenant | None = None) -> Connection:
        """A further connection, of this run."""
        made = self.driver.connect(tenant or self.tenant, self.call)
        self._opened.append(made)
        return made

    def close(self) -> None:
        for each in reversed(self._opened):
            with suppress(Exception):  # what is closed already, or does not answer, was judged before
                each.close()

    @property
    def policy(self) -> Policy:
        return self.tenant.policy

    def has(self, *capabilities: Capability) -> bool:
        """Whether driver and tenant have all of these."""
        return self.driver.capabilities.issuperset(capabilities) and not self.tenant.lacks.intersection(capabilities)

    # --- people -----------------------------------------------------------------------------------------------------

    def actor(self, role: Role) -> Actor:
        """The user of a role; what they write is noted first."""
        return Actor(self.connection.sign_in(role), self.journal, self.make, self.today)

    @property
    def books(self) -> Books:
        return self.connection.books()

    def who(self) -> Role:
        """Some role that has a user, the one who may least if there is one."""
        return Role.AUDITOR if Role.AUDITOR in self.tenant.users else next(iter(self.tenant.users))

    def login_of(self, role: Role) -> str:
        return self.tenant.users[role].on(self.driver.channel).login

    # --- business -----------------------------------------------------------------------------------------------------

    def project(self) -> Project:
        return self.actor(Role.PROJECT_MANAGER).create_project(self.make.project(RATE, HOURS))

    def billable_project(self) -> Project:
        """A project with hours that can be billed, whatever the tenant's method."""
        project = self.project()
        self.actor(Role.CONSULTANT).enter_time(project, HOURS)
        return self.actor(Role.PROJECT_MANAGER).complete_work(project)

    def draft(self) -> Invoice:
        return self.actor(Role.ACCOUNTANT).draft_invoice(self.billable_project())

    def posted(self) -> Invoice:
        return self.actor(Role.ACCOUNTANT).post_invoice(self.draft())

    def request(self) -> PurchaseRequest:
        """One that needs somebody's approval."""
        amount = str(self.policy.approval.threshold + 350)
        return self.actor(Role.CONSULTANT).request_purchase(self.make.request(amount))

    def waiting(self) -> PurchaseRequest:
        return self.actor(Role.CONSULTANT).submit_request(self.request())

    # --- what is compared ---------------------------------------------------------------------------------------------

    def typed(self, *values: object) -> None:
        for value in values:
            check_types(value, self.policy.currency)

    def standing(self) -> BooksStanding | None:
        """The books as they are now; None where driver or tenant cannot say."""
        if not self.has(Capability.BOOKS, Capability.LEDGER):
            return None
        balance = {account: str(amount) for account, amount in self.books.trial_balance().items()}
        return balance, self.books.open_documents()

    def unchanged(self, before: BooksStanding | None, after: str) -> None:
        """The books must be what they were; `after` says after what."""
        now = self.standing()
        if before is None or now is None:
            return
        accounts = [f"{name} ({before[0].get(name, 0)} -> {now[0].get(name, 0)})"
                    for name in sorted({*before[0], *now[0]}) if before[0].get(name) != now[0].get(name)]  # fmt: skip
        require(not accounts, f"{after}, the trial balance differs on {', '.join(accounts)}")
        more, less = sorted(now[1] - before[1]), sorted(before[1] - now[1])
        require(not more, f"{after}, there is left open: {'; '.join(more)}")
        require(not less, f"{after}, there is gone: {'; '.join(less)}")

    def refused(self, verb: str, act: Callable[[], object], state: str = "") -> Refused:
        """The ERP must refuse this, as a `Refused` of this verb; with a `state`, it must be read back."""
        try:
            done = act()
        except Refused as refusal:
            same(refusal.verb, verb, "the refusal's verb")
            require(bool(refusal.reason), f"{verb} was refused without a reason")
            if state:
                same(refusal.state, state, f"the state read back when {verb} was refused")
            return refusal
        stated = getattr(done, "state", "")
        raise ContractBroken(f"{verb} was not refused" + (f" (it states {stated})" if stated else ""))

    # --- what is undone -----------------------------------------------------------------------------------------------

    def reversals(self) -> list[Reversal]:
        """What was written so far, newest first."""
        return [reversal for _, reversal in self.journal.pending()]

    def take_back(self, reversals: Iterable[Reversal], *, known: bool) -> None:
        """Have the driver undo these; without `known` it has no id, as after a crash, and must search by marker."""
        for each in reversals:
            done = self.connection.undo(each if known else replace(each, ref=""))
            said = isinstance(done, str) and bool(done)
            require(said, f"undo of {each.verb} returned {done!r}: it says in words what was done")


def tampered(invoice: Invoice) -> Invoice:
    """The same invoice with figures that the ERP does not have: who echoes them did not read back."""
    wrong = Money("0.01", invoice.net.currency) + invoice.net
    return replace(invoice, number="RG-ECHO", net=wrong, tax=wrong, lines=(), taxes=(), due=())
