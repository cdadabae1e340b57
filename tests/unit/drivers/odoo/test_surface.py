"""What an Odoo tenant offers, made of what its auditor reads."""

from __future__ import annotations

from typing import Any, cast

from ringgate.domain.terms import Role
from ringgate.drivers.odoo import surface
from ringgate.drivers.odoo.sessions import UserSession
from ringgate.surface.model import Surface, SurfaceField
from tests.unit.drivers.odoo.reading import ReadingSession

FORM = """<form>
  <header>
    <button name="action_post" type="object" groups="account.group_billing"/>
    <button name="button_draft" type="object"/>
    <button name="%(action)d" type="action"/>
  </header>
  <field name="line_ids"><list><button name="remove" type="object"/></list></field>
</form>"""
BILLING, USER = 3, 1
TABLES: dict[str, list[dict[str, Any]]] = {
    "ir.model": [{"id": 9, "model": "account.move", "name": "Journal Entry"}],
    "ir.model.fields": [
        {"id": 1, "model": "account.move", "name": "state", "ttype": "selection", "field_description": "Status",
         "required": True, "readonly": True},
        {"id": 2, "model": "account.move", "name": "partner_id", "ttype": "many2one", "field_description": "Partner",
         "relation": "res.partner"},
    ],
    "ir.ui.view": [
        {"id": 1, "model": "account.move", "type": "form", "arch_db": FORM},
        {"id": 2, "model": "account.move", "type": "list", "arch_db": "<list><"},
    ],
    "ir.model.access": [
        {"id": 1, "model_id": [9, "Journal Entry"], "group_id": [USER, "User"], "perm_read": True},
        {"id": 2, "model_id": [9, "Journal Entry"], "group_id": [BILLING, "Billing"], "perm_read": True,
         "perm_write": True, "perm_create": True},
    ],
    "ir.model.data": [{"id": 1, "module": "account", "name": "group_billing", "res_id": BILLING}],
    "res.groups": [{"id": BILLING, "implied_ids": [USER]}, {"id": USER, "implied_ids": []}],
    "res.users": [
        {"id": 7, "login": "synthetic.accountant", "group_ids": [BILLING]},
        {"id": 8, "login": "synthetic.auditor", "group_ids": [USER]},
    ],
}  # fmt: skip
STATES = {"state": {"selection": [["draft", "Draft"], ["posted", "Posted"]]}, "name": {}}


def read(tables: dict[str, list[dict[str, Any]]] = TABLES) -> Surface:
    session = ReadingSession(tables, **{"account.move": STATES})
    return surface.read(session.tenant, cast(UserSession, session))


def test_a_model_has_its_fields_with_the_values_that_they_may_have() -> None:
    model = read().models["account.move"]
    assert model.label == "Journal Entry"
    assert model.fields == {
        "state": SurfaceField("selection", "Status", True, True, "", frozenset({"draft", "posted"})),
        "partner_id": SurfaceField("many2one", "Partner", relation="res.partner"),
    }


def test_buttons_are_those_of_the_models_own_screens() -> None:
    model = read().models["account.move"]
    assert model.buttons == {"action_post", "button_draft"}
    assert model.methods >= {"action_post", "search_read", "formatted_read_group"}


def test_rights_are_what_the_groups_of_a_user_imply() -> None:
    rights = read().models["account.move"].rights
    assert rights[Role.ACCOUNTANT] == {"read", "write", "create", "press action_post", "press button_draft"}
    assert rights[Role.AUDITOR] == {"read"}


def test_a_button_of_a_group_is_pressed_by_its_members_alone() -> None:
    wider = [*TABLES["ir.model.access"], {"id": 3, "model_id": [9, ""], "group_id": False, "perm_write": True}]
    rights = read({**TABLES, "ir.model.access": wider}).models["account.move"].rights
    assert rights[Role.AUDITOR] == {"read", "write", "press button_draft"}
