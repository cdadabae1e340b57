"""What five series left behind: some 4,000 rows of the ERP's own description, removed by one statement a table."""

import logging

from odoo.addons.base.models.ir_model import IrModelData

from . import data
from .guard import GUARD

_logger = logging.getLogger("ringgate_hop")
DESCRIBED = (
    ("ir.model.fields.selection", "ir_model_fields_selection"),
    ("ir.model.fields", "ir_model_fields"),
    ("ir.model.constraint", "ir_model_constraint"),
    ("ir.model.inherit", "ir_model_inherit"),
    ("ir.model.access", "ir_model_access"),
)
REFERRING = """
    SELECT c.conrelid::regclass::text, a.attname FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f' AND c.confrelid = 'ir_model_fields'::regclass AND c.confdeltype NOT IN ('c', 'n')"""


def install():
    original = IrModelData._process_end

    def _process_end(self, modules):
        if not modules:
            return original(self, modules)
        for model, table in DESCRIBED:
            _remove(self.env.cr, self.pool.loaded_xmlids, tuple(modules), model, table)
        self.env.invalidate_all()
        data.refresh(self.env)
        result = original(self, modules)
        _logger.info(
            "HOP DONE %d scripts and %d steps; %d steps did not run",
            GUARD.scripts_run, GUARD.steps_run, len(GUARD.failed),
        )  # fmt: skip
        return result

    IrModelData._process_end = _process_end


def _remove(cr, loaded, modules, model, table):
    cr.execute(
        "SELECT id, module || '.' || name, res_id FROM ir_model_data "
        "WHERE module IN %s AND model = %s AND COALESCE(noupdate, false) != true",
        (modules, model),
    )
    rows = cr.fetchall()
    kept = {row[2] for row in rows if row[1] in loaded}
    cr.execute("SELECT res_id FROM ir_model_data WHERE model = %s AND (module NOT IN %s OR noupdate)", (model, modules))
    kept |= {row[0] for row in cr.fetchall()}
    gone = [row for row in rows if row[1] not in loaded]
    ids = tuple({row[2] for row in gone} - kept)
    if ids:
        if model == "ir.model.fields":
            cr.execute(REFERRING)
            for referring, column in cr.fetchall():
                cr.execute(f'DELETE FROM {referring} WHERE "{column}" IN %s', (ids,))  # noqa: S608
        cr.execute(f"DELETE FROM {table} WHERE id IN %s", (ids,))  # noqa: S608
    if gone:
        cr.execute("DELETE FROM ir_model_data WHERE id IN %s", (tuple(row[0] for row in gone),))
    _logger.info("HOP removed %d rows of %s", len(ids), model)
