"""openupgradelib under five series' scripts at once: what an earlier script has done is not done again."""

import logging

from openupgradelib import openupgrade

from . import data
from .guard import GUARD, OTHER

_logger = logging.getLogger("ringgate_hop")
STEPS = (
    "rename_columns", "copy_columns", "rename_fields", "rename_models", "rename_tables", "rename_xmlids",
    "merge_models", "map_values", "logged_query", "m2o_to_x2m", "add_fields", "add_columns", "update_module_names",
    "delete_records_safely_by_xml_id", "set_xml_ids_noupdate_value", "load_data", "convert_field_to_html",
    "delete_sql_constraint_safely", "disable_invalid_filters", "remove_tables_fks", "drop_columns",
    "lift_constraints", "clean_transient_models", "rename_property", "update_module_moved_fields",
    "update_module_moved_models", "delete_record_translations", "convert_to_company_dependent", "move_field_m2o",
    "cow_templates_mark_if_equal_to_upstream",
)  # fmt: skip
"""Functions that scripts call straight from `migrate`."""


def install():
    openupgrade.logged_query = _logged_query(openupgrade.logged_query)
    openupgrade.get_legacy_name = _legacy_name
    openupgrade.convert_field_to_html = _convert_field_to_html(openupgrade.convert_field_to_html)
    openupgrade.rename_columns = _columns(openupgrade.rename_columns)
    openupgrade.copy_columns = _columns(openupgrade.copy_columns)
    openupgrade.rename_tables = _rename_tables(openupgrade.rename_tables)
    openupgrade.load_data = _load_data(openupgrade.load_data)
    for name in STEPS:
        if hasattr(openupgrade, name):
            setattr(openupgrade, name, GUARD.wrapped(getattr(openupgrade, name), f"openupgrade.{name}"))


def _legacy_name(name):
    """Names of columns and tables that are kept carry the series of the script, not the last one."""
    return f"openupgrade_legacy_{GUARD.series if GUARD.series != OTHER else 19}_0_{name}"


def _logged_query(original):
    def logged_query(cr, query, args=None, skip_no_result=False):
        if not args and isinstance(query, str):  # 19.0's cursor formats even without arguments
            query, args = query.replace("%", "%%"), ()
        return original(cr, query, args, skip_no_result)

    return logged_query


def _convert_field_to_html(original):
    def convert_field_to_html(cr, table, field, html_field, verbose=True, translate=False):
        """Texts that 15.0 turns into HTML are JSON already, which came with 16.0."""
        cr.execute(
            "SELECT udt_name FROM information_schema.columns WHERE table_name = %s AND column_name = %s", (table, field)
        )
        found = cr.fetchone()
        if not found:
            return None
        return original(cr, table, field, html_field, verbose=verbose, translate=found[0] == "jsonb")

    return convert_field_to_html


def _columns(original):
    def columns(cr, spec):
        for table, pairs in spec.items():
            possible = [pair for pair in pairs if _free(cr, table, pair)]
            for pair in pairs:
                if pair not in possible:
                    _logger.info("HOP skips column %s.%s (%s)", table, pair[0], GUARD.script)
            if possible:
                original(cr, {table: possible})

    return columns


def _free(cr, table, pair):
    new = pair[1] or openupgrade.get_legacy_name(pair[0])
    exists = openupgrade.column_exists
    return openupgrade.table_exists(cr, table) and exists(cr, table, pair[0]) and not exists(cr, table, new)


def _rename_tables(original):
    def rename_tables(cr, spec):
        for old, new in spec:
            there = openupgrade.table_exists(cr, new or openupgrade.get_legacy_name(old))
            if openupgrade.table_exists(cr, old) and not there:
                original(cr, [(old, new)])
            else:
                _logger.info("HOP skips table %s (%s)", old, GUARD.script)

    return rename_tables


def _load_data(original):
    def load_data(env_or_cr, module_name, filename, *args, **kwargs):
        if GUARD.series < 19:
            return data.load_each(env_or_cr, module_name, filename)
        return original(env_or_cr, module_name, filename, *args, **kwargs)

    return load_data
