"""What a seeded tenant holds, read over the ERP's own API as its least-privileged users."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Role
from ringgate.drivers.tryton.wire import BusinessError, RpcClient
from ringgate.estate import Estate
from tests.support.estate import Leased

CURRENCIES = ["GBP", "USD", "EUR", "JPY"]
Sign = Callable[[Role], RpcClient]


@pytest.fixture(params=CURRENCIES)
def tenant(request: pytest.FixtureRequest, lease: Callable[..., Leased]) -> Tenant:
    return lease(request.param).tenant


@pytest.fixture
def sign_in(tenant: Tenant) -> Iterator[Sign]:
    clients: list[RpcClient] = []

    def sign(role: Role) -> RpcClient:
        account = tenant.users[role]
        client = RpcClient(tenant.api, urlsplit(tenant.api).path.strip("/"))
        clients.append(client)
        client.login(account.login, account.password.reveal())
        return client

    yield sign
    for client in clients:
        client.close()


@pytest.fixture
def fresh(estate: Estate, tenant: Tenant) -> None:
    """The tenant as it was seeded: others may have broken it, and what they posted under a fault stays posted."""
    estate.reset(tenant.id)


def rows(client: RpcClient, model: str, *fields: str, domain: list[object] | None = None) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.call(f"model.{model}.search_read", domain or [], 0, None, None, [*fields])
    return found


@pytest.mark.usefixtures("fresh")
def test_a_year_of_books_is_there_and_balances(tenant: Tenant, sign_in: Sign) -> None:
    auditor = sign_in(Role.AUDITOR)
    invoices = rows(auditor, "account.invoice", "number", "state", "untaxed_amount", "tax_amount", "amount_to_pay")
    posted = [i for i in invoices if i["number"] and i["untaxed_amount"] > 0]
    assert len(posted) >= 12
    assert sum(i["state"] == "draft" for i in invoices) >= 2
    assert any(i["number"] and i["untaxed_amount"] < 0 for i in invoices), "a credit note"
    assert sum(i["state"] == "paid" for i in posted) > 6, "most of the year's"
    assert len(rows(auditor, "timesheet.line")) >= 200
    requests = Counter(r["state"] for r in rows(auditor, "purchase.requisition", "state"))
    assert requests["waiting"] >= 2
    lines = rows(auditor, "account.move.line", "debit", "credit")
    assert sum((line["debit"] - line["credit"] for line in lines), Decimal(0)) == 0
    assert any(p["state"] == "closed" for p in rows(auditor, "account.period", "state"))


@pytest.mark.usefixtures("fresh")
def test_invoices_are_numbered_without_a_gap(sign_in: Sign) -> None:
    numbers = [i["number"] for i in rows(sign_in(Role.AUDITOR), "account.invoice", "number") if i["number"]]
    parts = [re.fullmatch(r"(.*?)(\d{4})", str(number)) for number in numbers]
    by_sequence = itertools.groupby(sorted((p[1], int(p[2])) for p in parts if p), key=lambda pair: pair[0])
    for _, used in by_sequence:
        counted = [number for _, number in used]
        assert counted == list(range(1, len(counted) + 1))


@pytest.mark.usefixtures("fresh")
def test_amounts_follow_the_policy(tenant: Tenant, sign_in: Sign) -> None:
    auditor = sign_in(Role.AUDITOR)
    taxes = rows(auditor, "account.invoice.tax", "amount", "base", "tax.rate", "tax.name", "account.code")
    assert {t["tax."]["name"] for t in taxes} == {rule.name for rule in tenant.policy.taxes}
    for tax in taxes:
        assert abs(tax["base"] * tax["tax."]["rate"] - tax["amount"]) < tenant.policy.currency.smallest
        assert tax["account."]["code"] == tenant.policy.accounts.tax[0]
    lines = rows(auditor, "account.move.line", "debit", "credit")
    smallest = tenant.policy.currency.smallest
    assert all(line["debit"] % smallest == 0 and line["credit"] % smallest == 0 for line in lines)


def test_the_auditor_reads_everything_and_writes_nothing(sign_in: Sign) -> None:
    auditor = sign_in(Role.AUDITOR)
    methods = auditor.raw("system.listMethods", [])
    kept = [m[6:-7] for m in methods if re.fullmatch(r"model\.(?!ir\.|res\.).+\.create", m)]
    access = auditor.call("model.ir.model.access.get_access", kept)
    assert {model for model, may in access.items() if not may["read"]} == set()
    assert {model for model, may in access.items() if may["write"] or may["create"] or may["delete"]} == set()


@pytest.mark.parametrize(
    ("role", "method"),
    [
        (Role.AUDITOR, "model.account.invoice.post"),
        (Role.CONSULTANT, "model.account.invoice.post"),
        (Role.PROJECT_MANAGER, "model.account.invoice.post"),
        (Role.PROJECT_MANAGER, "model.purchase.requisition.approve"),
        (Role.ACCOUNTANT, "model.purchase.requisition.approve"),
        (Role.ACCOUNTANT, "model.account.period.reopen"),
        (Role.APPROVER, "model.account.invoice.post"),
    ],
)
def test_roles_may_not_do_each_others_work(sign_in: Sign, role: Role, method: str) -> None:
    with pytest.raises(BusinessError):
        sign_in(role).call(method, [1])
