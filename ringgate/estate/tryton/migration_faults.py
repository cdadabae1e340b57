"""What a migration may do to the books of a Tryton tenant: see `ringgate.estate.faults.migration`."""

# ruff: noqa: S608 - these statements are put together from what is written here

from __future__ import annotations

from collections.abc import Mapping

from ringgate.estate.faults.migration import MigrationFault

_LEDGER = ("account_move_line", "account_tax_line", "account_invoice-account_move_line")
_A_REVENUE_LINE = """
    SELECT max(l.id) FROM account_move_line l JOIN account_move m ON m.id = l.move
    WHERE m.state = 'posted' AND l.party IS NULL AND l.reconciliation IS NULL AND l.credit > 0"""
_PAIR = "ringgate_pair"  # two customers, chosen before anything is changed
_REFERENCES = ("account_invoice", "account_invoice_line", "account_move_line", "project_work", "account_payment")

_FAULTS = (
    MigrationFault(
        id="lost-line",
        title="A line of a posted entry is lost",
        statement=f"DELETE FROM account_move_line WHERE id = ({_A_REVENUE_LINE})",
        tables=_LEDGER,
        section="entries",
        signature="posting:line lost:*",
        says="lost its line",
    ),
    MigrationFault(
        id="tax-rate-changed",
        title="A tax has another rate",
        statement="UPDATE account_tax SET rate = rate - 0.01 WHERE id = (SELECT min(id) FROM account_tax)",
        tables=("account_tax",),
        section="settings",
        signature="setting:value:tax *: rate",
        says="rate is 0.19, was 0.2",
    ),
    MigrationFault(
        id="document-renumbered",
        title="A posted invoice has another number",
        statement="""
            UPDATE account_invoice SET number = number || '-9'
            WHERE id = (SELECT min(id) FROM account_invoice WHERE number IS NOT NULL)""",
        tables=("account_invoice",),
        section="documents",
        signature="document:renumbered:*",
        says="is now numbered",
    ),
    MigrationFault(
        id="customers-merged",
        title="Two customers became one",
        statement=";".join(
            [
                *(f"UPDATE {table} SET party = kept FROM {_PAIR} WHERE party = gone" for table in _REFERENCES),
                f"UPDATE party_party SET active = false WHERE id = (SELECT gone FROM {_PAIR})",
            ]
        ),
        tables=("party_party", *_REFERENCES),
        first=f"CREATE TEMPORARY TABLE {_PAIR} AS"
        " SELECT min(party) AS kept, max(party) AS gone FROM account_invoice WHERE type = 'out'",
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
            WHERE "group" = (SELECT id FROM res_group WHERE name = 'Auditor')
            AND model::text IN (
                SELECT 'account.invoice' UNION
                SELECT m.id::text FROM ir_model m WHERE to_jsonb(m) ->> 'model' = 'account.invoice')""",
        tables=("ir_model_access",),
        section="roles",
        signature="role:granted:Auditor:invoices:create",
        says="role Auditor may now create invoices",
    ),
    MigrationFault(
        id="role-given",
        title="A user has a role that was not the user's",
        statement="""
            INSERT INTO "res_user-res_group" ("user", "group")
            SELECT consultant.id, given."group" FROM res_user consultant, res_user accountant
            JOIN "res_user-res_group" given ON given."user" = accountant.id
            WHERE consultant.login = 'synthetic.consultant' AND accountant.login = 'synthetic.accountant'
            ORDER BY given."group" LIMIT 1""",
        tables=("res_user-res_group",),
        section="users",
        signature="user:role new:synthetic.consultant:account.group_account",
        says="synthetic.consultant now has the role",
    ),
    MigrationFault(
        id="user-lost",
        title="A user is lost",
        statement="DELETE FROM res_user WHERE login = 'synthetic.approver'",
        tables=("res_user", "res_user-res_group", "res_user-company_company", "res_user-company_employee"),
        section="users",
        signature="user:lost:synthetic.approver",
        says="user synthetic.approver is lost",
    ),
    MigrationFault(
        id="dates-shifted",
        title="Days became the day before, as by a time zone",
        statement="UPDATE timesheet_line SET date = date - 1",
        tables=("timesheet_line",),
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
        id="draft-posted",
        title="A draft invoice counts as posted",
        statement="""
            UPDATE account_invoice SET state = 'posted'
            WHERE id = (SELECT min(id) FROM account_invoice WHERE state = 'draft')""",
        tables=("account_invoice",),
        section="documents",
        signature="document:state:*",
        says="state is posted, was draft",
    ),
    MigrationFault(
        id="sequence-reset",
        title="Invoices are numbered from one again",
        statement="""
            UPDATE ir_sequence_strict SET number_next_internal = 1
            WHERE id = (SELECT id FROM ir_sequence_strict WHERE name LIKE 'Invoices %'
                        ORDER BY number_next_internal DESC LIMIT 1)""",
        tables=("ir_sequence_strict",),
        section="sequences",
        signature="sequence:next:*",
        says="numbers would be given twice",
    ),
    MigrationFault(
        id="entry-unbalanced",
        title="An amount of a posted entry is another",
        statement=f"UPDATE account_move_line SET credit = credit + 1 WHERE id = ({_A_REVENUE_LINE})",
        tables=("account_move_line",),
        section="entries",
        signature="posting:credit:*",
        says="no longer balances, by 1.00",
    ),
    MigrationFault(
        id="period-reopened",
        title="A closed period is open",
        statement="""
            UPDATE account_period SET state = 'open'
            WHERE id = (SELECT min(id) FROM account_period WHERE state <> 'open')""",
        tables=("account_period",),
        section="settings",
        signature="setting:value:period *: state",
        says="state is open, was closed",
    ),
    MigrationFault(
        id="hours-doubled",
        title="Logged time counts twice",
        statement="UPDATE timesheet_line SET duration = duration * 2",
        tables=("timesheet_line",),
        section="hours",
        signature="hours:hours:multiplied by 2",
        says="multiplied by 2",
    ),
    MigrationFault(
        id="time-lost",
        title="A time entry is lost",
        statement="DELETE FROM timesheet_line WHERE id = (SELECT max(id) FROM timesheet_line)",
        tables=("timesheet_line",),
        section="hours",
        signature="hours:lost:*",
        says="is lost",
    ),
)

MIGRATION_FAULTS: Mapping[str, MigrationFault] = {fault.id: fault for fault in _FAULTS}
