"""What the cores of 15.0 to 18.0 would have added between two scripts, and functions that 19.0 needs in other words."""

from openupgradelib import openupgrade

from .scripts import before, instead


def _add(cr, table, **columns):
    if openupgrade.table_exists(cr, table):
        for column, kind in columns.items():
            cr.execute(f'ALTER TABLE "{table}" ADD COLUMN IF NOT EXISTS "{column}" {kind}')


# --- accounting -------------------------------------------------------------------------------------------------------


@before("account", 15)
def _payment_terms(cr):
    """14.0 has an option and days; later ones have months, days and an end of the month."""
    _add(
        cr, "account_payment_term_line", end_month="bool", months="int", days_after="int", discount_days="int",
        discount_percentage="numeric",
    )  # fmt: skip
    if openupgrade.column_exists(cr, "account_payment_term_line", "option"):
        cr.execute("""
            UPDATE account_payment_term_line SET days_after = 0,
            months = CASE WHEN option = 'day_following_month' THEN 1 ELSE 0 END,
            end_month = option IN ('day_following_month', 'day_current_month', 'last_day_following_month',
                                   'last_day_current_month')""")


@before("account", 18, "post")
def _accounts_of_payments(cr):
    """A journal of 14.0 names the accounts of its payments, in later ones each of its methods does. The script knows
    one journal's alone, and gives them to all."""
    cr.execute("""
        UPDATE account_payment_method_line line SET payment_account_id = CASE method.payment_type
            WHEN 'inbound' THEN journal.payment_debit_account_id ELSE journal.payment_credit_account_id END
        FROM account_journal journal, account_payment_method method
        WHERE journal.id = line.journal_id AND method.id = line.payment_method_id
        AND line.payment_account_id IS NULL""")


@before("account", 18)
def _payments(cr):
    _add(cr, "account_payment", destination_journal_id="int")


@instead("account", 15, "post", "_fill_account_analytic_line_category")
def _categories(env):
    env.cr.execute("""
        UPDATE account_analytic_line line SET category = CASE
            WHEN move.move_type IN ('out_invoice', 'out_refund', 'out_receipt') THEN 'invoice'
            WHEN move.move_type IN ('in_invoice', 'in_refund', 'in_receipt') THEN 'vendor_bill' ELSE 'other' END
        FROM account_move_line item JOIN account_move move ON move.id = item.move_id
        WHERE item.id = line.move_line_id""")


@instead("account", 17, "post", "_onboarding_state_migration")
def _onboarding(env):
    """Nobody is shown around after a hop."""


CHARTS = {
    "account.configurable_chart_template": "generic_coa",
    "l10n_generic_coa.configurable_chart_template": "generic_coa",
    "l10n_de.l10n_de_chart_template": "de_skr03",
    "l10n_de_skr03.l10n_de_chart_template": "de_skr03",
    "l10n_de.l10n_chart_de_skr04": "de_skr04",
    "l10n_uk.l10n_uk": "uk",
}


@instead("account", 17, "post", "_map_chart_template_id_to_chart_template")
def _charts(env, table, coa_m2o="chart_template_id", coa_name_column="chart_template"):
    if table != "res_company":
        return
    env.cr.execute("""
        SELECT c.id, d.module || '.' || d.name FROM res_company c
        JOIN ir_model_data d ON d.model = 'account.chart.template' AND d.res_id = c.chart_template_id""")
    for company, name in env.cr.fetchall():
        env.cr.execute("UPDATE res_company SET chart_template = %s WHERE id = %s", (CHARTS.get(name), company))


@instead("account", 18, "pre", "rename_selection_option")
def _options(env):
    """The same four updates, each where its table is there; then a tax keeps that prices include it."""
    cr = env.cr
    cr.execute("UPDATE account_account SET internal_group = 'off' WHERE internal_group = 'off_balance'")
    if openupgrade.column_exists(cr, "account_report", "default_opening_date_filter"):
        cr.execute("""
            UPDATE account_report SET default_opening_date_filter = 'last_' || substr(default_opening_date_filter, 10)
            WHERE left(default_opening_date_filter, 9) = 'previous_'""")
    if openupgrade.table_exists(cr, "account_report_expression"):
        cr.execute("UPDATE account_report_expression SET date_scope = 'strict_range' WHERE date_scope = 'normal'")
    cr.execute("UPDATE account_tax SET price_include_override = 'tax_included' WHERE price_include")


# --- analytic accounts and projects -----------------------------------------------------------------------------------


@before("analytic", 16, "post")
def _plans(cr):
    from odoo.modules.registry import Registry

    # A plain related field since 17.0.
    Registry(cr.dbname)["account.analytic.account"]._compute_root_plan = lambda self: None


@instead("analytic", 17, "pre", "_analytic_applicability_fill_company_id")
def _applicability(env):
    """14.0 has none."""


@instead("analytic", 17, "post", "_analytic_line_create_x_plan_column")
def _plan_columns(env):
    env["account.analytic.plan"].search([])._sync_all_plan_column()


@before("project", 17)
def _dependencies(cr):
    cr.execute("CREATE TABLE IF NOT EXISTS task_dependencies_rel (task_id int, depends_on_id int)")


# --- people and mail --------------------------------------------------------------------------------------------------


@before("hr", 15)
def _employees(cr):
    columns = {
        "departure_reason_id": "int", "work_location_id": "int", "private_street": "varchar",
        "private_street2": "varchar", "private_city": "varchar", "private_zip": "varchar", "private_state_id": "int",
        "private_country_id": "int", "private_phone": "varchar", "private_email": "varchar", "employee_type": "varchar",
        "distance_home_work": "int", "distance_home_work_unit": "varchar", "is_flexible": "bool",
        "is_fully_flexible": "bool", "work_contact_id": "int", "private_car_plate": "varchar",
    }  # fmt: skip
    _add(cr, "hr_employee", **columns)
    cr.execute("""
        UPDATE hr_employee SET employee_type = 'employee', distance_home_work_unit = 'kilometers',
        distance_home_work = km_home_work, is_flexible = false, is_fully_flexible = false""")


@instead("hr", 16, "post", "create_work_contact")
def _work_contacts(env):
    env.cr.execute("""
        UPDATE hr_employee e SET work_contact_id = u.partner_id FROM res_users u
        WHERE u.id = e.user_id AND e.work_contact_id IS NULL""")


@before("mail", 0, "data")
def _general_channel(cr):
    """Members of the channel for everybody get the identifiers that 16.0 came with."""
    names = (
        ("channel_member_general_channel_for_admin", "partner_admin"),
        ("channel_member_general_channel_for_root", "partner_root"),
    )
    for name, partner in names:
        cr.execute(
            """
            INSERT INTO ir_model_data (module, name, model, res_id, noupdate)
            SELECT 'mail', %s, 'discuss.channel.member', m.id, true FROM discuss_channel_member m
            JOIN ir_model_data c ON c.module = 'mail' AND c.name = 'channel_all_employees' AND c.res_id = m.channel_id
            JOIN ir_model_data p ON p.module = 'base' AND p.name = %s AND p.res_id = m.partner_id
            WHERE NOT EXISTS (SELECT 1 FROM ir_model_data WHERE module = 'mail' AND name = %s)""",
            (name, partner, name),
        )
