"""Where things stand on the screens of each series. What differs between 14.0 and 19.0 is here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

ACTIONS: Final[Mapping[str, str]] = {
    "purchase.order": "purchase.purchase_rfq",
    "account.analytic.line": "hr_timesheet.act_hr_timesheet_line",
}
"""The menu entry that opens each kind of record, by its name in the ERP."""


@dataclass(frozen=True, slots=True)
class Screens:
    """CSS selectors. `{field}` stands for a field's name."""

    login_form: str = "form.oe_login_form"
    home: str = ".o_action_manager > *"
    form: str = ".o_form_view"
    dialog: str = ".modal.show, .modal.d-block"
    option: str = ".o-autocomplete--dropdown-item:not(.o_m2o_no_result)"
    input: str = "[name={field}] input, [name={field}] textarea"
    add_line: str = "[name={field}] .o_field_x2many_list_row_add a"
    line: str = "[name={field}] .o_selected_row"
    state: str = ".o_statusbar_status .o_arrow_button_current"
    save: str = ".o_form_button_save"
    saved: str = ".o_form_saved, .o_form_status_indicator_buttons.invisible"
    tab: str = ".o_notebook_headers .nav-link"
    totals: str = "[name=tax_totals]"
    user_menu: str = ".o_user_menu button"
    log_out: str = "[data-menu=logout]"
    edit: str = ""  # 14.0 shows records for reading first
    addressed: str = "odoo/action-{action}/{record}"
    new: str = "new"
    request_text: str = "origin"  # where an order says what it is for, on the tab `request_tab`
    request_tab: int = 1


S19: Final = Screens()
S14: Final = replace(
    S19,
    form=".o_form_view",
    option=".ui-autocomplete .ui-menu-item:visible",
    input="input[name={field}], textarea[name={field}], [name={field}] input",
    state=".o_statusbar_status .btn-primary",
    saved=".o_form_readonly",
    totals=".oe_subtotal_footer",
    user_menu=".o_user_menu > a",
    edit=".o_form_button_edit",
    addressed="web#action={action}&model={model}&view_type=form&id={record}",
    new="",
    request_text="partner_ref",  # its source is shown only once there is one
    request_tab=0,
)


def screens(series: str) -> Screens:
    """Of a series; those that are not tried look like the nearest one that is."""
    return S14 if int(series.partition(".")[0]) <= 15 else S19
