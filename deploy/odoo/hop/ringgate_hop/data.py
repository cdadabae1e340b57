"""Data files of five series in a database of the first."""

import io
import logging
import os

from lxml import etree
from odoo import SUPERUSER_ID, api
from odoo.modules import loading
from odoo.modules.module import Manifest
from odoo.tools.convert import convert_xml_import
from openupgradelib import openupgrade

from .guard import GUARD
from .scripts import BEFORE

_logger = logging.getLogger("ringgate_hop")
REFRESHED = ("ir.rule", "mail.template")
"""Kinds of records that an update leaves alone, although their text names fields of the series before."""


def install():
    original = loading.load_data

    def load_data(env, idref, mode, *args, **kwargs):
        package = kwargs.get("package")
        if package is not None:
            _forget_what_is_gone(env, package.name)
            if (package.name, 0, "data") in BEFORE:
                BEFORE[package.name, 0, "data"](env.cr)
        return original(env, idref, mode, *args, **kwargs)

    loading.load_data = load_data


def _forget_what_is_gone(env, module):
    """Identifiers of records whose model is gone must not stop a data file. View modes of actions, of which an action
    has one each, all come from the module's files: it makes them anew."""
    env.cr.execute(
        "DELETE FROM ir_model_data WHERE module = %s AND model NOT IN %s AND model NOT LIKE 'ir.%%' "
        "AND model <> 'account.chart.template'",
        (module, tuple(env.registry.models)),
    )
    env.cr.execute(
        "DELETE FROM ir_act_window_view WHERE id IN "
        "(SELECT res_id FROM ir_model_data WHERE module = %s AND model = 'ir.actions.act_window.view')",
        (module,),
    )
    env.cr.execute("DELETE FROM ir_model_data WHERE module = %s AND model = 'ir.actions.act_window.view'", (module,))


def load_each(env_or_cr, module, filename):
    """A file of an older series, record by record: the last series' own come later, and win."""
    env = env_or_cr if hasattr(env_or_cr, "context") else api.Environment(env_or_cr, SUPERUSER_ID, {})
    try:
        with openupgrade._file_open(module, filename) as file:
            root = etree.parse(file).getroot()
    except OSError as problem:
        GUARD.note(f"load_data {filename}", problem)
        return
    loaded = left_out = 0
    for element in root.iter("record", "delete", "function"):
        name = element.get("id") or ""
        full = name if "." in name else f"{module}.{name}"
        if element.tag == "record" and name and not env.ref(full, raise_if_not_found=False):
            continue
        if _import(env, module, filename, b"<odoo>" + etree.tostring(element) + b"</odoo>"):
            loaded += 1
        else:
            left_out += 1
    _logger.info("HOP loaded %s of %s: %d records, %d left out", filename, module, loaded, left_out)


def refresh(env):
    """Gives record rules and mail templates of every module the text of this series."""
    done, left_out = 0, []
    for module in env["ir.module.module"].search([("state", "=", "installed")]).mapped("name"):
        manifest = Manifest.for_addon(module)
        for file in (each for each in (manifest["data"] if manifest else []) if each.endswith(".xml")):
            path = os.path.join(manifest.path, file)
            for element in etree.parse(path).getroot().iter("record"):
                if element.get("model") in REFRESHED:
                    text = b'<odoo noupdate="1">' + etree.tostring(element) + b"</odoo>"
                    if _import(env, module, path, text):
                        done += 1
                    else:
                        left_out.append(f"{module}.{element.get('id')}")
    _logger.info("HOP refreshed %d rules and templates; left out: %s", done, ", ".join(left_out) or "none")


def _import(env, module, filename, text):
    """Imports one record, and says whether it could."""
    env.flush_all()
    env.cr.execute("SAVEPOINT hop_record")
    try:
        file = io.BytesIO(text)
        file.name = filename
        convert_xml_import(env, module, file, {}, mode="init")
        env.flush_all()
        env.cr.execute("RELEASE SAVEPOINT hop_record")
    except Exception as problem:
        env.clear()
        env.cr.clear()
        env.cr.execute("ROLLBACK TO SAVEPOINT hop_record")
        _logger.info("HOP leaves out a record of %s in %s: %s", module, filename, str(problem).replace("\n", " ")[:160])
        return False
    return True
