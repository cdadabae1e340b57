"""Faults inside the ERP: triggers that change what it stores, as a defect of a new version would."""

# ruff: noqa: S608 - these statements are put together from what is written here

from __future__ import annotations

from ringgate.estate.faults.fault import Fault
from ringgate.estate.faults.switches import KEPT, Several, Trigger, keep

SYNTHETIC = "%[RG-%"
"""What the description or name of a record that a scenario made looks like."""

_OF_TYPE = "(SELECT a.id FROM account_account a JOIN account_account_type t ON t.id = a.type WHERE t.{} ORDER BY a.id)"
REVENUE, EXPENSE, RECEIVABLE = (_OF_TYPE.format(kind) for kind in ("revenue", "expense", "receivable"))
CASH = "(SELECT debit_account FROM account_invoice_payment_method ORDER BY id LIMIT 1)"
OTHER_CUSTOMER = "(SELECT min(party) FROM account_invoice WHERE type = 'out' AND invoice_address IS NOT NULL)"
OF_AN_INVOICE = "NEW.journal IN (SELECT id FROM account_journal WHERE type = 'revenue')"
OF_A_PAYMENT = "NEW.journal IN (SELECT id FROM account_journal WHERE type = 'cash')"
BECOMES_POSTED = "OLD.state <> 'posted' AND NEW.state = 'posted' AND NEW.origin LIKE 'account.invoice,%'"

_LAYERS = "the layers disagree with the oracle"

TIME = (
    Fault(
        id="time-entry-lost",
        title="A time entry is accepted and is gone afterwards",
        where="sql",
        cause="product",
        says=dict.fromkeys(
            (
                "time-entry",
                "invoicing-from-time",
                "financial-posting",
                "credit-and-payment",
                "project-to-cash",
                "tenant-isolation",
                "authority",
            ),
            "cannot be read back",
        ),
        switch=Trigger(
            "timesheet_line", "AFTER INSERT", "DELETE FROM timesheet_line WHERE id = NEW.id;", deferred=True
        ),
    ),
    Fault(
        id="time-rounded-up",
        title="Logged time is rounded up to full hours",
        where="sql",
        cause="product",
        says={
            "time-entry": "7 h 30 min were logged",
            "invoicing-from-time": "neither more nor less was worked",
            "financial-posting": _LAYERS,
            "project-to-cash": "net amount: expected 900",
        },
        switch=Trigger(
            "timesheet_line",
            "BEFORE INSERT",
            "NEW.duration := make_interval(hours => ceil(extract(epoch FROM NEW.duration) / 3600)::int);",
        ),
    ),
    Fault(
        id="correction-lost",
        title="A correction of a time entry is silently dropped",
        where="sql",
        cause="product",
        says={"time-entry": "correct_time was refused: it still says 7.5 h"},
        switch=Trigger("timesheet_line", "BEFORE UPDATE", "NEW.duration := OLD.duration;"),
    ),
    Fault(
        id="correction-adds",
        title="A correction of a time entry adds an entry instead of replacing it",
        where="sql",
        cause="product",
        says={"time-entry": "a correction replaces, it does not add"},
        switch=Trigger(
            "timesheet_line",
            "AFTER UPDATE OR DELETE",
            f"""
            IF TG_OP = 'DELETE' THEN
                DELETE FROM timesheet_line WHERE description = OLD.description AND id <> OLD.id;
            ELSIF NEW.duration <> OLD.duration THEN
                INSERT INTO timesheet_line (company, employee, work, date, duration, cost_price, description)
                VALUES (OLD.company, OLD.employee, OLD.work, OLD.date, OLD.duration, OLD.cost_price,
                    OLD.description);
                {keep("added", "timesheet_line", "currval('timesheet_line_id_seq')")}
            END IF;""",
            only=f"OLD.description LIKE '{SYNTHETIC}'",
        ),
    ),
)

DATES = (
    Fault(
        id="time-zone-shift",
        title="Work is stored under the day before, as by a server that thinks in another time zone",
        where="sql",
        cause="product",
        says={"time-entry": "they were worked today"},
        switch=Trigger("timesheet_line", "BEFORE INSERT", "NEW.date := NEW.date - 1;"),
    ),
)

PROJECTS = (
    Fault(
        id="rate-raised",
        title="A project's hourly rate is stored ten percent too high",
        where="sql",
        cause="product",
        says={
            "project-creation": "this rate was agreed",
            "invoicing-from-time": "these rates were agreed",
            "financial-posting": _LAYERS,
            "credit-and-payment": "nothing was paid yet",
            "project-to-cash": "net amount: expected 900",
        },
        switch=Trigger("project_work", "BEFORE INSERT", "NEW.list_price := NEW.list_price * 1.1;"),
    ),
    Fault(
        id="planned-hours-doubled",
        title="A task's planned hours are stored twice as many, where they are what is billed",
        where="sql",
        cause="product",
        says={
            "project-creation": "these hours were planned",
            "invoicing-from-time": "neither more nor less was worked",
            "financial-posting": _LAYERS,
            "credit-and-payment": "nothing was paid yet",
            "project-to-cash": "net amount: expected",
        },
        switch=Trigger("project_work", "BEFORE INSERT", "NEW.effort_duration := NEW.effort_duration * 2;"),
        currency="JPY",
    ),
    Fault(
        id="wrong-customer",
        title="A project's invoice goes to another customer",
        where="sql",
        cause="product",
        says={
            "invoicing-from-time": "the project is this customer's",
            "financial-posting": "the project is this customer's",
            "project-to-cash": "the project is this customer's",
        },
        switch=Trigger(
            "account_invoice",
            "BEFORE INSERT",
            f"NEW.party := {OTHER_CUSTOMER};\n"
            "SELECT id INTO NEW.invoice_address FROM party_address WHERE party = NEW.party ORDER BY id LIMIT 1;",
            only=f"NEW.description LIKE '{SYNTHETIC}'",
        ),
    ),
)

LEDGER = (
    Fault(
        id="wrong-account",
        title="Revenue is booked on an expense account",
        where="sql",
        cause="configuration",
        says={
            "financial-posting": "an invoice touches receivable, revenue and tax only",
            "credit-and-payment": "ledger states net",
            "project-to-cash": "ledger states net",
        },
        switch=Trigger(
            "account_move_line",
            "BEFORE INSERT",
            f"NEW.account := CASE WHEN NEW.account IN {REVENUE} THEN {EXPENSE[:-1]} LIMIT 1) ELSE NEW.account END;",
        ),
    ),
    Fault(
        id="unbalanced-posting",
        title="A posting's revenue changes after it was checked, so that it does not balance",
        where="sql",
        cause="product",
        says={
            "financial-posting": "a posting balances",
            "credit-and-payment": "ledger states net",
            "project-to-cash": "ledger states net",
        },
        switch=Several(
            (
                Trigger(
                    "account_move",
                    "AFTER UPDATE OF state",
                    "UPDATE account_move_line SET credit = credit + sign(credit), debit = debit + sign(debit) "
                    f"WHERE move = NEW.id AND account IN {REVENUE};",
                    only=BECOMES_POSTED,
                    deferred=True,
                ),
                # Else the ERP notices by itself at the next step, and lets nobody settle what was posted.
                Trigger(
                    "account_move_line", "BEFORE UPDATE OF state", "NEW.state := OLD.state;", only="OLD.state = 'valid'"
                ),
            )
        ),
    ),
    Fault(
        id="double-posting",
        title="An invoice reaches the ledger twice",
        where="sql",
        cause="product",
        says={
            "financial-posting": "an invoice reaches the ledger once",
            "project-to-cash": "what was billed is paid",
        },
        switch=Trigger(
            "account_move",
            "AFTER UPDATE OF state",
            f"""
            IF {OF_AN_INVOICE} THEN
                INSERT INTO account_move (company, date, description, journal, number, origin, period, post_date,
                    post_number, state)
                SELECT company, date, description, journal, number, origin, period, post_date, post_number, 'posted'
                FROM account_move WHERE id = NEW.id;
                {keep("added", "account_move", "currval('account_move_id_seq')")}
                INSERT INTO account_move_line (account, credit, debit, description, maturity_date, move, party, state)
                SELECT account, credit, debit, description, maturity_date, currval('account_move_id_seq'), party, state
                FROM account_move_line WHERE move = NEW.id;
            END IF;""",
            only=f"{BECOMES_POSTED} AND NEW.number IS NOT NULL",
            # Undo cancels what it finds of a payment, the second posting too, by counter-entries.
            tidy=(
                f"DELETE FROM account_move WHERE origin IN (SELECT 'account.move,' || id FROM {KEPT} "
                "WHERE fault = %(fault)s)",
                f"DELETE FROM account_move WHERE id IN (SELECT id FROM {KEPT} WHERE fault = %(fault)s)",
                "DELETE FROM account_move_reconciliation r WHERE NOT EXISTS "
                "(SELECT FROM account_move_line WHERE reconciliation = r.id)",
            ),
        ),
    ),
    Fault(
        id="wrong-period",
        title="An invoice is posted into the month before its date",
        where="sql",
        cause="product",
        says={"financial-posting": "which holds its date"},
        switch=Trigger(
            "account_move",
            "AFTER UPDATE OF state",
            f"""
            UPDATE account_move SET period = (
                SELECT p.id FROM account_period p JOIN account_period n ON n.id = NEW.period
                WHERE p.end_date < n.start_date AND p.type = 'standard' ORDER BY p.end_date DESC LIMIT 1
            ) WHERE id = NEW.id AND {OF_AN_INVOICE};""",
            only=BECOMES_POSTED,
            deferred=True,
        ),
    ),
    Fault(
        id="number-reused",
        title="An invoice gets the number of an earlier one",
        where="sql",
        cause="product",
        says={"financial-posting": "the invoice got a number of its own"},
        switch=Trigger(
            "account_invoice",
            "BEFORE UPDATE OF number",
            f"""
            {keep("changed", "account_invoice", "NEW.id", "jsonb_build_object('number', NEW.number)")}
            SELECT number INTO NEW.number FROM account_invoice
            WHERE type = 'out' AND number < NEW.number AND number NOT LIKE '%-C%' ORDER BY number DESC LIMIT 1;""",
            only="OLD.number IS NULL AND NEW.number NOT LIKE '%-C%'",
        ),
    ),
    Fault(
        id="number-skipped",
        title="Invoice numbers have a gap",
        where="sql",
        cause="product",
        says={"financial-posting": "is missing (numbers follow each other"},
        switch=Trigger(
            "account_invoice",
            "BEFORE UPDATE OF number",
            f"""
            {keep("changed", "account_invoice", "NEW.id", "jsonb_build_object('number', NEW.number)")}
            SELECT regexp_replace(NEW.number, '[0-9]+$', '')
                || lpad((max(substring(i.number FROM '[0-9]+$')::int) + 2)::text, 4, '0')
            INTO NEW.number FROM account_invoice i
            WHERE i.type = 'out'
                AND regexp_replace(i.number, '[0-9]+$', '') = regexp_replace(NEW.number, '[0-9]+$', '');""",
            only="OLD.number IS NULL AND NEW.number NOT LIKE '%-C%'",
        ),
    ),
)

MONEY = (
    Fault(
        id="credit-note-positive",
        title="A credit note states its total with the sign of an invoice",
        where="sql",
        cause="product",
        says={"credit-and-payment": "the whole invoice is credited"},
        switch=Trigger(
            "account_invoice",
            "BEFORE UPDATE OF total_amount_cache",
            f"""
            {
                keep(
                    "changed",
                    "account_invoice",
                    "NEW.id",
                    "jsonb_build_object('total_amount_cache', NEW.total_amount_cache)",
                )
            }
            NEW.total_amount_cache := -NEW.total_amount_cache;""",
            only="OLD.total_amount_cache IS DISTINCT FROM NEW.total_amount_cache AND NEW.total_amount_cache < 0",
        ),
    ),
    Fault(
        id="payment-unlinked",
        title="A payment is booked, but the invoice does not know of it",
        where="sql",
        cause="product",
        says=dict.fromkeys(("credit-and-payment", "authority"), "pay_invoice was refused"),
        switch=Trigger(
            "account_invoice-account_move_line",
            "AFTER INSERT",
            'DELETE FROM "account_invoice-account_move_line" WHERE id = NEW.id;',
            deferred=True,
        ),
    ),
    Fault(
        id="payment-halved",
        title="Only half of a payment is booked",
        where="sql",
        cause="product",
        says={
            "credit-and-payment": "was paid",
            "project-to-cash": "what was billed is paid",
        },
        switch=Trigger(
            "account_move",
            "AFTER UPDATE OF state",
            f"""
            UPDATE account_move_line SET debit = round(debit / 2, 2), credit = round(credit / 2, 2)
            WHERE move = NEW.id AND {OF_A_PAYMENT};""",
            only=BECOMES_POSTED,
            deferred=True,
        ),
    ),
    Fault(
        id="payment-misposted",
        title="A payment is booked, but the money is on an expense account",
        where="sql",
        cause="configuration",
        says={"project-to-cash": "the money that came in is in cash"},
        switch=Trigger(
            "account_move_line",
            "BEFORE INSERT",
            f"NEW.account := CASE NEW.account WHEN {CASH} THEN {EXPENSE[:-1]} LIMIT 1) ELSE NEW.account END;",
        ),
    ),
)

APPROVALS_AND_SESSIONS = (
    Fault(
        id="ended-session-lives",
        title="Signing out does not end the session",
        where="sql",
        cause="identity",
        says={"sign-in": "who am i was allowed", "tenant-disclosure": "somebody with a session that was ended"},
        switch=Trigger("ir_session", "BEFORE DELETE", f"{keep('added', 'ir_session', 'OLD.id')}\nRETURN NULL;"),
    ),
)

TRIGGERS = (*TIME, *DATES, *PROJECTS, *LEDGER, *MONEY, *APPROVALS_AND_SESSIONS)
