"""What a migration may do to the books of an Odoo tenant: see `ringgate.estate.faults.migration`.

What its own documents and entries keep is alike from 14.0 on; the rest is named as 19.0 does, where a tenant is that
was just upgraded. These are found in the books; a lost filestore, or a record rule of a module that only a screen
meets, are not in them.
"""

# ruff: noqa: S608 - these statements are put together from what is written here

from __future__ import annotations

from collections.abc import Mapping

from ringgate.estate.faults.migration import MigrationFault

_A_PAID_LINE = """
    SELECT max(l.id) FROM account_move_line l JOIN account_move m ON m.id = l.move_id
    WHERE m.state = 'posted' AND m.move_type = 'entry' AND l.reconciled IS NOT TRUE AND l.debit > 0"""
"""Of an entry that is no document, too: else one cause shows in both."""
_PAIR = "ringgate_pair"  # two customers, chosen before anything is changed
_REFERENCES = ("account_move", "account_move_line", "sale_order", "project_project", "project_task", "account_payment",
               "account_analytic_line", "purchase_order")  # fmt: skip
_OWN_TAX = "type_tax_use = 'sale' AND id = (SELECT max(id) FROM account_tax WHERE type_tax_use = 'sale')"

_FAULTS = (
    MigrationFault(
        id="lost-line",
        title="A line of a posted entry is lost",
        statement=f"DELETE FROM account_move_line WHERE id = ({_A_PAID_LINE})",
        tables=("account_move_line",),
        section="entries",
        signature="posting:line lost:*",
        says="lost its line",
    ),
    MigrationFault(
        id="tax-rate-changed",
        title="A tax has another rate",
        statement=f"UPDATE account_tax SET amount = amount - 1 WHERE {_OWN_TAX}",
        tables=("account_tax",),
        section="settings",
        signature="setting:value:tax *: rate",
        says="rate is",
    ),
    MigrationFault(
        id="tax-flag-changed",
        title="Whether prices include a tax was lost on the way",
        statement=f"UPDATE account_tax SET price_include_override = 'tax_included' WHERE {_OWN_TAX}",
        tables=("account_tax",),
        section="settings",
        signature="setting:value:tax *: in the price",
        says="in the price is yes, was no",
    ),
    MigrationFault(
        id="customers-merged",
        title="Two customers became one",
        statement=";".join(
            [
                *(f"UPDATE {table} SET partner_id = kept FROM {_PAIR} WHERE partner_id = gone"
                  for table in _REFERENCES),
                f"UPDATE res_partner SET active = false WHERE id = (SELECT gone FROM {_PAIR})",
            ]
        ),
        tables=("res_partner", *_REFERENCES),
        first=f"CREATE TEMPORARY TABLE {_PAIR} AS SELECT min(partner_id) AS kept, max(partner_id) AS gone "
        "FROM account_move WHERE move_type = 'out_invoice'",
        last=f"DROP TABLE {_PAIR}",
        section="parties",
        signature="party:merged:*",
        says="was merged into",
    ),
    MigrationFault(
        id="right-granted",
        title="A role may do what it may not",
        statement="""
            UPDATE ir_model_access SET perm_create = true
            WHERE group_id = (SELECT id FROM res_groups WHERE name::text LIKE '%Auditor%')
            AND model_id = (SELECT id FROM ir_model WHERE model = 'account.move')""",
        tables=("ir_model_access",),
        section="roles",
        signature="role:granted:Auditor:*",
        says="role Auditor may now create",
    ),
    MigrationFault(
        id="role-given",
        title="A user has a role that was not the user's",
        statement="""
            INSERT INTO res_groups_users_rel (uid, gid)
            SELECT u.id, d.res_id FROM res_users u, ir_model_data d
            WHERE u.login = 'synthetic.consultant' AND d.module = 'account' AND d.name = 'group_account_invoice'""",
        tables=("res_groups_users_rel",),
        section="users",
        signature="user:role new:synthetic.consultant:account.group_account_invoice",
        says="synthetic.consultant now has the role",
    ),
    MigrationFault(
        id="user-locked-out",
        title="A user may no longer sign in",
        statement="UPDATE res_users SET active = false WHERE login = 'synthetic.approver'",
        tables=("res_users",),
        section="users",
        signature="user:*:synthetic.approver*",
        says="synthetic.approver",
    ),
    MigrationFault(
        id="dates-shifted",
        title="Days became the day before, as by a time zone",
        statement="UPDATE account_analytic_line SET date = date - 1",
        tables=("account_analytic_line",),
        section="hours",
        signature="hours:on:1 day earlier",
        says="in the same way, 1 day earlier",
    ),
    MigrationFault(
        id="amounts-rounded",
        title="Amounts lost their decimals",
        statement="UPDATE account_move_line SET debit = round(debit), credit = round(credit)",
        tables=("account_move_line",),
        section="entries",
        signature="posting:amount:rounded to whole units",
        says="rounded to whole units",
    ),
    MigrationFault(
        id="sequence-reset",
        title="Purchase orders are numbered from one again",
        statement="UPDATE ir_sequence SET implementation = 'no_gap', number_next = 1 WHERE code = 'purchase.order'",
        tables=("ir_sequence",),
        section="sequences",
        signature="sequence:next:*",
        says="numbers would be given twice",
    ),
    MigrationFault(
        id="entry-unbalanced",
        title="An amount of a posted entry is another",
        statement=f"UPDATE account_move_line SET debit = debit + 1 WHERE id = ({_A_PAID_LINE})",
        tables=("account_move_line",),
        section="entries",
        signature="posting:debit:*",
        says="no longer balances, by 1",
    ),
    MigrationFault(
        id="period-reopened",
        title="What was closed is open",
        statement="UPDATE res_company SET fiscalyear_lock_date = NULL",
        tables=("res_company",),
        section="settings",
        signature="setting:value:company *: closed until",
        says="closed until is",
    ),
    MigrationFault(
        id="rule-lost",
        title="A record rule of the firm's own no longer holds",
        statement="UPDATE ir_rule SET active = false WHERE name = 'Hours of a day'",
        tables=("ir_rule",),
        section="settings",
        signature="setting:*:record rule Hours of a day*",
        says="record rule Hours of a day",
    ),
    MigrationFault(
        id="hours-doubled",
        title="Logged time counts twice",
        statement="UPDATE account_analytic_line SET unit_amount = unit_amount * 2",
        tables=("account_analytic_line",),
        section="hours",
        signature="hours:hours:multiplied by 2",
        says="multiplied by 2",
    ),
    MigrationFault(
        id="time-lost",
        title="A time entry is lost",
        statement="DELETE FROM account_analytic_line WHERE id = "
        "(SELECT max(id) FROM account_analytic_line WHERE project_id IS NOT NULL)",
        tables=("account_analytic_line",),
        section="hours",
        signature="hours:lost:*",
        says="is lost",
    ),
)  # fmt: skip

MIGRATION_FAULTS: Mapping[str, MigrationFault] = {fault.id: fault for fault in _FAULTS}
