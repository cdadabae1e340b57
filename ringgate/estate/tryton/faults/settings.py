"""Faults of set-up: configuration and rights that somebody, or an upgrade, changed."""

# ruff: noqa: S608 - these statements are put together from what is written here

from __future__ import annotations

from ringgate.estate.faults.fault import Fault
from ringgate.estate.faults.noticing import POSTING, SIGNED_IN
from ringgate.estate.faults.switches import Added, Changed, Removed, Several, Trigger

_LAYERS = "the layers disagree with the oracle"


def _user(role: str) -> str:
    return f"(SELECT id FROM res_user WHERE login = 'synthetic.{role}')"


def _group(name: str) -> str:
    """A group that came with the ERP, by `module.identifier`."""
    module, identifier = name.split(".")
    return (
        "(SELECT db_id FROM ir_model_data "
        f"WHERE module = '{module}' AND fs_id = '{identifier}' AND model = 'res.group')"
    )


def _joins(role: str, group: str) -> Added:
    return Added("res_user-res_group", ("user", "group"), f"SELECT {_user(role)}, {_group(group)}")


def _leaves(role: str, group: str) -> Removed:
    return Removed("res_user-res_group", f't."user" = {_user(role)} AND t."group" = {_group(group)}')


CONFIGURATION = (
    Fault(
        id="wrong-tax",
        title="The tax rate is one percentage point too high",
        where="configuration",
        cause="configuration",
        says={
            "invoicing-from-time": "tax: expected",
            "financial-posting": _LAYERS,
            "credit-and-payment": "nothing was paid yet",
            "project-to-cash": _LAYERS,
        },
        switch=Changed("account_tax", "true", {"rate": "rate + 0.01"}),
    ),
    Fault(
        id="wrong-reduced-tax",
        title="The second, reduced tax rate is one percentage point too high",
        where="configuration",
        cause="configuration",
        says={"invoicing-from-time": "tax: expected"},
        switch=Changed("account_tax", "rate = (SELECT min(rate) FROM account_tax)", {"rate": "rate + 0.01"}),
        currency="EUR",
    ),
    Fault(
        id="wrong-rounding",
        title="Tax is rounded over the document instead of by line",
        where="configuration",
        cause="configuration",
        says={"invoicing-from-time": "tax is rounded by line"},
        switch=Changed("account_configuration_tax_rounding", "true", {"tax_rounding": "'document'"}),
    ),
    Fault(
        id="wrong-currency",
        title="The company keeps its books in another currency",
        where="configuration",
        cause="configuration",
        says={
            "project-creation": "expected 120.00 GBP, but it is 120.00 CHF",
            "procurement-approval": "one piece at this price was asked for",
            "authority": "GBP",
            "invoicing-from-time": "CHF",
            "financial-posting": "CHF",
            "credit-and-payment": "CHF",
            "project-to-cash": "CHF",
        },
        switch=Changed(
            "currency_currency", "id IN (SELECT currency FROM company_company)", {"code": "'CHF'", "symbol": "'Fr.'"}
        ),
    ),
    Fault(
        id="currency-rounding",
        title="Amounts are rounded to five hundredths of the currency",
        where="configuration",
        cause="configuration",
        says={
            "invoicing-from-time": "each line rounded to the currency",
            "authority": "one piece at this price was asked for",
        },
        switch=Changed("currency_currency", "id IN (SELECT currency FROM company_company)", {"rounding": "0.05"}),
        cached=True,
    ),
    Fault(
        id="payment-term-changed",
        title="The payment term is half a month longer",
        where="configuration",
        cause="configuration",
        says={"invoicing-from-time": "it is payable in 30 days"},
        switch=Changed("account_invoice_payment_term_line_delta", "days IS NOT NULL", {"days": "days + 15"}),
    ),
    Fault(
        id="closed-months-open",
        title="The closed months are open again",
        where="configuration",
        cause="data",
        says={"financial-posting": "the tenant closes its periods"},
        switch=Changed("account_period", "state = 'closed'", {"state": "'open'"}),
    ),
    Fault(
        id="language-changed",
        title="The users' language is another",
        where="configuration",
        cause="configuration",
        says={"sign-in": "the inventory states the tenant's language"},
        switch=Changed(
            "res_user",
            "login LIKE 'synthetic.%'",
            {"language": "(SELECT id FROM ir_lang WHERE code IN ('de', 'en') AND id <> language LIMIT 1)"},
        ),
    ),
)

RIGHTS = (
    Fault(
        id="requester-approves",
        title="Who requests purchases is in the group that approves them",
        where="rights",
        cause="identity",
        says={
            "procurement-approval": "need somebody else's approval",
            "authority": "reject request by the consultant was allowed",
        },
        switch=_joins("consultant", "purchase_requisition.group_purchase_requisition_approval"),
        cached=True,
    ),
    Fault(
        id="threshold-raised",
        title="Purchases need approval only from an amount that nobody reaches",
        where="rights",
        cause="configuration",
        says={
            "procurement-approval": "need somebody else's approval",
            "authority": "approve request by the consultant was allowed",
        },
        switch=Changed(
            "ir_model_button_rule",
            "condition LIKE '%total_amount%'",
            {"condition": """regexp_replace(condition, '"s2": [0-9.]+', '"s2": 1000000.0')"""},
        ),
        cached=True,
    ),
    Fault(
        id="approval-needs-two",
        title="A purchase needs one approval more than it should",
        where="rights",
        cause="configuration",
        says=dict.fromkeys(
            ("procurement-approval", "authority"),
            "approve_request was refused: the request did not become approved",
        ),
        switch=Changed("ir_model_button_rule", "condition LIKE '%total_amount%'", {"number_user": "number_user + 1"}),
        cached=True,
    ),
    Fault(
        id="consultant-makes-projects",
        title="Consultants may set up projects",
        where="rights",
        cause="identity",
        says={
            "project-creation": "only project managers set up projects",
            "authority": "create project by the consultant was allowed",
        },
        switch=_joins("consultant", "project.group_project_admin"),
        cached=True,
    ),
    Fault(
        id="consultant-keeps-books",
        title="Consultants are in the group that keeps the books",
        where="rights",
        cause="identity",
        says={"authority": "was allowed"},
        switch=_joins("consultant", "account.group_account"),
        cached=True,
    ),
    Fault(
        id="auditor-approves",
        title="The auditor is in the group that approves purchases",
        where="rights",
        cause="identity",
        says={"authority": "by the auditor was allowed"},
        switch=_joins("auditor", "purchase_requisition.group_purchase_requisition_approval"),
        cached=True,
    ),
    Fault(
        id="accountant-cannot-bill",
        title="Accountants have lost the right to bill projects",
        where="rights",
        cause="identity",
        says=dict.fromkeys(
            (
                "invoicing-from-time",
                "financial-posting",
                "credit-and-payment",
                "project-to-cash",
                "tenant-isolation",
                "authority",
            ),
            "draft_invoice was refused",
        ),
        switch=_leaves("accountant", "project_invoice.group_project_invoice"),
        cached=True,
    ),
)

_OLD_INVOICE = """(
    SELECT i.id FROM account_invoice i JOIN account_move m ON m.id = i.move JOIN account_period p ON p.id = m.period
    JOIN account_fiscalyear f ON f.id = p.fiscalyear
    WHERE i.type = 'out' AND i.total_amount_cache > 0 AND current_date BETWEEN f.start_date AND f.end_date
    ORDER BY i.id OFFSET 2 LIMIT 1)"""

RECORDS = (
    Fault(
        id="old-number-changed",
        title="An invoice of earlier this year carries another number than it was given",
        where="sql",
        cause="data",
        says={"financial-posting": "numbers followed each other before"},
        switch=Changed("account_invoice", f"id = {_OLD_INVOICE}", {"number": "number || 'A'"}),
    ),
    Fault(
        id="month-closed",
        title="The present month is closed already",
        where="sql",
        cause="data",
        says=dict.fromkeys(POSTING, "post_invoice was refused"),
        switch=Changed(
            "account_period",
            "type = 'standard' AND current_date BETWEEN start_date AND end_date",
            {"state": "'closed'"},
        ),
    ),
    Fault(
        id="user-locked",
        title="The consultant's account is switched off, and their sessions have ended",
        where="rights",
        cause="identity",
        says=dict.fromkeys(SIGNED_IN, "does not accept the sign-in"),
        switch=Several(
            (
                Changed("res_user", f"id = {_user('consultant')}", {"active": "false"}),
                Removed("ir_session", f"t.create_uid = {_user('consultant')}", may_be_none=True),
                # Else the ERP makes who tries wait, longer each time, and soon answers nothing but "too many".
                Trigger("res_user_login_attempt", "BEFORE INSERT", "RETURN NULL;"),
            )
        ),
        cached=True,
    ),
)

SETTINGS = (*CONFIGURATION, *RIGHTS, *RECORDS)
