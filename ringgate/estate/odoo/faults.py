"""Faults of Odoo's own, each switchable on one tenant. Those of the platform work on every ERP.

Tables and columns are the ERP's; where series differ, `_by_series` has each one's switch.
"""

# ruff: noqa: S608 - these statements are put together from what is written here

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ringgate.estate.faults.fault import Fault
from ringgate.estate.faults.switches import Changed, Several, Trigger, keep

if TYPE_CHECKING:
    from ringgate.estate.estate import Estate
    from ringgate.estate.faults.fault import Switch

_LAYERS = "the layers disagree with the oracle"
POSTED = "OLD.state = 'draft' AND NEW.state = 'posted' AND NEW.move_type = 'out_invoice'"
NAME_NOW = "(SELECT jsonb_build_object('name', name) FROM account_move WHERE id = NEW.id)"
NEXT = "lpad((substring(name from '[0-9]+$')::int + 1)::text, length(substring(name from '[0-9]+$')), '0')"
OTHER_ACCOUNT = "(SELECT min(a.id) FROM account_account a WHERE a.id <> t.account_id)"


@dataclass(frozen=True, slots=True)
class BySeries:
    """One change that each series keeps in another place."""

    switches: Mapping[str, Switch]

    def _of(self, estate: Estate, tenant: str) -> Switch:
        return self.switches[estate.place(tenant).series]

    def on(self, estate: Estate, tenant: str, fault: str) -> bool:
        return self._of(estate, tenant).on(estate, tenant, fault)

    def off(self, estate: Estate, tenant: str, fault: str) -> bool:
        return self._of(estate, tenant).off(estate, tenant, fault)

    def is_on(self, estate: Estate, tenant: str, fault: str) -> bool:
        return self._of(estate, tenant).is_on(estate, tenant, fault)


def _by_series(old: Switch, new: Switch) -> BySeries:
    return BySeries({"14.0": old, "19.0": new})


def _access(model: str, group: str) -> str:
    """Which of the ERP's own rows give a group rights on a model: group as `module.identifier`."""
    module, _, identifier = group.partition(".")
    return (
        f"model_id = (SELECT id FROM ir_model WHERE model = '{model}') AND group_id = "
        f"(SELECT res_id FROM ir_model_data WHERE module = '{module}' AND name = '{identifier}' "
        "AND model = 'res.groups')"
    )


TAXES = (
    Fault(
        id="odoo-wrong-tax",
        title="The tax rate is one percentage point too high",
        where="configuration",
        cause="configuration",
        says={
            "invoicing-from-time": "tax: expected",
            "financial-posting": _LAYERS,
            "credit-and-payment": "nothing was paid yet",
            "project-to-cash": _LAYERS,
        },
        switch=Changed("account_tax", "type_tax_use = 'sale'", {"amount": "amount + 1"}),
        cached=True,
    ),
    Fault(
        id="odoo-tax-on-another-account",
        title="Tax is booked on another account",
        where="configuration",
        cause="configuration",
        says={"financial-posting": "an invoice touches receivable, revenue and tax only", "project-to-cash": _LAYERS,
              "credit-and-payment": _LAYERS},
        switch=Changed(
            "account_tax_repartition_line",
            "repartition_type = 'tax' AND account_id IS NOT NULL",
            {"account_id": "(SELECT max(a.id) FROM account_account a WHERE a.id <> account_id)"},
        ),
        cached=True,
    ),
    Fault(
        id="odoo-tax-included",
        title="Prices are taken as if tax were in them",
        where="configuration",
        cause="data",
        says={
            "invoicing-from-time": "net amount: expected",
            "financial-posting": _LAYERS,
            "credit-and-payment": "nothing was paid yet",
            "project-to-cash": "net amount: expected",
        },
        switch=_by_series(
            Changed("account_tax", "type_tax_use = 'sale'", {"price_include": "true"}),
            Changed("account_tax", "type_tax_use = 'sale'", {"price_include_override": "'tax_included'"}),
        ),
        cached=True,
    ),
    Fault(
        id="odoo-wrong-rounding",
        title="Tax is rounded over the document instead of by line",
        where="configuration",
        cause="configuration",
        says={"invoicing-from-time": "expected"},
        switch=Changed("res_company", "true", {"tax_calculation_rounding_method": "'round_globally'"}),
        cached=True,
    ),
)  # fmt: skip
SETTINGS = (
    Fault(
        id="odoo-wrong-payment-term",
        title="Invoices fall due fifteen days later",
        where="configuration",
        cause="configuration",
        says={"invoicing-from-time": "it is payable in 30 days"},
        switch=_by_series(
            Changed("account_payment_term_line", "days = 30", {"days": "45"}),
            Changed("account_payment_term_line", "nb_days = 30", {"nb_days": "45"}),
        ),
        cached=True,
    ),
    Fault(
        id="odoo-approval-threshold-raised",
        title="Purchases need an approver at ten times the amount",
        where="configuration",
        cause="configuration",
        says={"procurement-approval": "nobody decided yet"},
        switch=Changed("res_company", "true", {"po_double_validation_amount": "po_double_validation_amount * 10"}),
        currency="USD",
        cached=True,
    ),
    Fault(
        id="odoo-approval-for-every-purchase",
        title="Every purchase needs an approver",
        where="configuration",
        cause="configuration",
        says={"procurement-approval": "approve_request was refused"},
        switch=Changed("res_company", "true", {"po_double_validation_amount": "0"}),
        currency="USD",
        cached=True,
    ),
    Fault(
        id="odoo-lock-date-forgotten",
        title="No period is closed any more",
        where="configuration",
        cause="configuration",
        says={"financial-posting": "the tenant closes its periods"},
        switch=Changed("res_company", "fiscalyear_lock_date IS NOT NULL", {"fiscalyear_lock_date": "NULL"}),
        cached=True,
    ),
    Fault(
        id="odoo-cash-on-another-account",
        title="Payments arrive on another account",
        where="configuration",
        cause="configuration",
        says={"project-to-cash": "the money that came in is in cash"},
        switch=_by_series(
            Changed(
                "account_journal",
                "payment_debit_account_id IS NOT NULL AND payment_debit_account_id = default_account_id",
                {"payment_debit_account_id": "(SELECT max(id) FROM account_account WHERE reconcile IS NOT TRUE)"},
            ),
            Changed(
                "account_payment_method_line",
                "payment_account_id IS NOT NULL",
                {"payment_account_id": "(SELECT max(id) FROM account_account WHERE account_type = 'asset_current')"},
            ),
        ),
        cached=True,
    ),
    Fault(
        id="odoo-other-language",
        title="The users' language was lost",
        where="configuration",
        cause="data",
        says={"sign-in": "the inventory states the tenant's language"},
        switch=Changed(
            "res_partner", "id IN (SELECT partner_id FROM res_users WHERE login LIKE 'synthetic.%')", {"lang": "NULL"}
        ),
        cached=True,
    ),
    Fault(
        id="odoo-company-renamed",
        title="The company has another name",
        where="configuration",
        cause="data",
        says={"sign-in": "the user works for this tenant's company"},
        switch=Changed("res_company", "true", {"name": "'My Company'"}),
        cached=True,
    ),
)
RIGHTS = (
    Fault(
        id="odoo-accountants-locked-out",
        title="Accountants may no longer change ledger entries",
        where="rights",
        cause="identity",
        says=dict.fromkeys(
            ("invoicing-from-time", "financial-posting", "credit-and-payment", "project-to-cash"), "was refused"
        ),
        switch=Changed(
            "ir_model_access", _access("account.move", "account.group_account_invoice"), {"perm_write": "false"}
        ),
        cached=True,
    ),
    Fault(
        id="odoo-hours-below-zero",
        title="Time below nothing is accepted",
        where="rights",
        cause="configuration",
        says={"time-entry": "nobody works less than nothing"},
        switch=Changed("ir_rule", "name = 'Hours of a day'", {"active": "false"}),
        cached=True,
    ),
    Fault(
        id="odoo-consultant-gone",
        title="The consultant may no longer sign in",
        where="rights",
        cause="identity",
        says=dict.fromkeys(
            ("sign-in", "project-creation", "time-entry", "invoicing-from-time", "procurement-approval",
             "financial-posting", "credit-and-payment", "project-to-cash"),
            "does not accept the sign-in",
        ),
        switch=Changed("res_users", "login = 'synthetic.consultant'", {"active": "false"}),
        cached=True,
    ),
)  # fmt: skip
DEFECTS = (
    Fault(
        id="odoo-time-rounded-up",
        title="Logged time is rounded up to full hours",
        where="sql",
        cause="product",
        says={
            "time-entry": "it says 8 h",
            "invoicing-from-time": "enter_time was refused",
            "financial-posting": "enter_time was refused",
            "project-to-cash": "enter_time was refused",
        },
        switch=Trigger("account_analytic_line", "BEFORE INSERT", "NEW.unit_amount := ceil(NEW.unit_amount);"),
    ),
    Fault(
        id="odoo-correction-lost",
        title="A correction of a time entry is silently dropped",
        where="sql",
        cause="product",
        says={"time-entry": "it still says 7.5 h"},
        switch=Trigger(
            "account_analytic_line", "BEFORE UPDATE OF unit_amount", "NEW.unit_amount := OLD.unit_amount;"
        ),
    ),
    Fault(
        id="odoo-rate-raised",
        title="An agreed rate is raised by a tenth",
        where="sql",
        cause="product",
        says={
            "project-creation": "this rate was agreed",
            "invoicing-from-time": "these rates were agreed",
            "financial-posting": _LAYERS,
            "credit-and-payment": "nothing was paid yet",
            "project-to-cash": "net amount: expected",
        },
        switch=Trigger("sale_order_line", "BEFORE INSERT", "NEW.price_unit := NEW.price_unit * 1.1;"),
    ),
    Fault(
        id="odoo-posted-yesterday",
        title="An invoice is posted under another date than it was given",
        where="sql",
        cause="product",
        says={"financial-posting": "the invoice is of today"},
        switch=Trigger("account_move", "BEFORE UPDATE OF state", "NEW.date := NEW.date - 1;", only=POSTED),
    ),
    Fault(
        id="odoo-number-skipped",
        title="An invoice's number is one too high",
        where="sql",
        cause="product",
        says={"financial-posting": "numbers follow each other"},
        switch=Trigger(
            "account_move",
            "AFTER UPDATE OF state",
            keep("changed", "account_move", "NEW.id", NAME_NOW)
            + f"\nUPDATE account_move SET name = regexp_replace(name, '[0-9]+$', {NEXT}) WHERE id = NEW.id;",
            only=POSTED,
            deferred=True,  # the ERP writes a number twice while it posts
        ),
    ),
    Fault(
        id="odoo-unbalanced",
        title="A posting is a cent out of balance",
        where="sql",
        cause="product",
        says={"financial-posting": "a posting balances", "project-to-cash": _LAYERS, "credit-and-payment": _LAYERS},
        switch=Trigger(
            "account_move",
            "AFTER UPDATE OF state",
            "UPDATE account_move_line SET debit = debit + 0.01 WHERE move_id = NEW.id AND debit > 0;",
            only=POSTED,
            deferred=True,
        ),
    ),
    Fault(
        id="odoo-revenue-on-another-account",
        title="Revenue is booked on another account",
        where="sql",
        cause="product",
        says={"financial-posting": "an invoice touches receivable, revenue and tax only", "project-to-cash": _LAYERS,
              "credit-and-payment": _LAYERS},
        switch=Trigger(
            "account_move",
            "AFTER UPDATE OF state",
            f"UPDATE account_move_line t SET account_id = {OTHER_ACCOUNT} WHERE t.move_id = NEW.id AND t.credit > 0 "
            "AND t.tax_line_id IS NULL;",
            only=POSTED,
            deferred=True,
        ),
    ),
    Fault(
        id="odoo-stock-approval-hole",
        title="The firm's own rule on approvals is off, and the limit with it",
        where="configuration",
        cause="configuration",
        says={"procurement-approval": "nobody decided yet", "authority": "was allowed"},
        switch=Several((
            Changed("base_automation", "active", {"active": "false"}),
            Changed("res_company", "true", {"po_double_validation": "'one_step'"}),
        )),
        currency="USD",
        cached=True,
    ),
    Fault(
        id="odoo-work-stays-open",
        title="Work that is done stays open",
        where="sql",
        cause="product",
        says=dict.fromkeys(
            ("invoicing-from-time", "financial-posting", "credit-and-payment", "project-to-cash"),
            "complete_work was refused",
        ),
        switch=_by_series(
            Trigger("project_task", "BEFORE UPDATE OF stage_id", "NEW.stage_id := OLD.stage_id;"),
            Trigger("project_task", "BEFORE UPDATE OF state", "NEW.state := OLD.state;"),
        ),
    ),
)  # fmt: skip
OWN_FAULTS: Final[tuple[Fault, ...]] = (*TAXES, *SETTINGS, *RIGHTS, *DEFECTS)
