"""Loads and runs each series' scripts under 19.0."""

import importlib.util
import inspect
import sys
import types
from pathlib import Path

import odoo.tools
import odoo.tools.sql
from odoo.modules import migration

from .guard import GUARD, OTHER, series_of

RENAMED = Path(__file__).with_name("renamed")
"""Each series' `apriori.py`: what it renamed and merged."""

SCRIPTS = "odoo.addons.openupgrade_scripts"
PROPERTIES = "odoo.addons.base.models.ir_property"
PROPERTY_TYPES = {
    "char": "value_text", "float": "value_float", "boolean": "value_integer", "integer": "value_integer",
    "text": "value_text", "binary": "value_binary", "many2one": "value_reference", "date": "value_datetime",
    "datetime": "value_datetime", "selection": "value_text", "html": "value_text",
}  # fmt: skip

BEFORE, INSTEAD = {}, {}
"""By `steps`: what is done before a module's scripts of a series, and functions of scripts in other words."""


def before(module, series, stage="pre"):
    """Registers what is done before the scripts of a module; series 0 and stage "data": before its data files."""

    def register(function):
        BEFORE[module, series, stage] = function
        return function

    return register


def instead(module, series, stage, name):
    """Registers a function to be run in place of one of a script."""

    def register(function):
        INSTEAD[module, series, stage, name] = function
        return function

    return register


def install():
    load, execute = migration.load_script, migration.exec_script

    def load_script(path, module_name):
        GUARD.enter(path)
        if GUARD.series != OTHER:
            _renamed_of(GUARD.series)
        _names_of_older_cores()
        script = load(path, module_name)
        if GUARD.series != OTHER:
            _guard_functions(script, module_name)
        return script

    def exec_script(cr, installed_version, pyfile, addon, stage, version=None):
        series = series_of(pyfile)
        if series == OTHER:
            return execute(cr, installed_version, pyfile, addon, stage, version)
        GUARD.enter(pyfile)
        if (addon, series, stage) in BEFORE:
            BEFORE[addon, series, stage](cr)
        GUARD.scripts_run += 1
        work = lambda: execute(cr, installed_version, pyfile, addon, stage, version)  # noqa: E731
        return GUARD.run(cr, None, "script", work, "hop_script")

    migration.load_script, migration.exec_script = load_script, exec_script


def _guard_functions(script, module_name):
    module, stage = GUARD.script.split("/")[0], module_name.split("-")[0]
    for name, function in list(vars(script).items()):
        if inspect.isfunction(function) and function.__module__ == script.__name__ and name != "migrate":
            chosen = INSTEAD.get((module, GUARD.series, stage, name), function)
            setattr(script, name, GUARD.wrapped(chosen, name))


def _renamed_of(series):
    name = f"{SCRIPTS}.apriori"
    spec = importlib.util.spec_from_file_location(name, RENAMED / f"apriori_{series}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if series == 15:
        module.merged_modules.update(odoo_referral="base", odoo_referral_portal="base")
    sys.modules[name] = module
    if SCRIPTS in sys.modules:
        sys.modules[SCRIPTS].apriori = module


def _names_of_older_cores():
    """What older scripts import from their own core."""
    odoo.tools.column_exists = odoo.tools.sql.column_exists
    odoo.tools.table_exists = odoo.tools.sql.table_exists
    if PROPERTIES not in sys.modules:
        module = types.ModuleType(PROPERTIES)
        module.TYPE2FIELD, module.TYPE2CLEAN = PROPERTY_TYPES, {}
        sys.modules[PROPERTIES] = module
