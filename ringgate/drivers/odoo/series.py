"""What differs between Odoo's series, in one place: names of fields and methods. A new series is a new record here.

14.0 and 19.0 are tried against real servers. 15.0 to 18.0 stand here as far as their names are known from what they
published, and are not tried here.

| name                         | 14.0            | 15.0            | 16.0            | 17.0            | 18.0            | 19.0            |
|------------------------------|-----------------|-----------------|-----------------|-----------------|-----------------|-----------------|
| groups of a user             | groups_id       | groups_id       | groups_id       | groups_id       | groups_id       | group_ids       |
| cost of an employee's hour   | timesheet_cost  | timesheet_cost  | hourly_cost     | hourly_cost     | hourly_cost     | hourly_cost     |
| planned hours of a task      | planned_hours   | planned_hours   | planned_hours   | allocated_hours | allocated_hours | allocated_hours |
| a task is done               | its stage       | its stage       | its stage       | its state       | its state       | its state       |
| taxes of an order's line     | tax_id          | tax_id          | tax_id          | tax_id          | tax_id          | tax_ids         |
| unit of an order's line      | product_uom     | product_uom     | product_uom     | product_uom     | product_uom     | product_uom_id  |
| taxes of a purchase's line   | taxes_id        | taxes_id        | taxes_id        | taxes_id        | taxes_id        | tax_ids         |
| kind of an account           | internal_type   | internal_type   | account_type    | account_type    | account_type    | account_type    |
| button of a credit note      | reverse_moves   | reverse_moves   | reverse_moves   | refund_moves    | refund_moves    | refund_moves    |
| memo of a payment            | ref             | ref             | ref             | ref             | memo            | memo            |
| sums of groups               | read_group      | read_group      | read_group      | read_group      | read_group      | formatted_...   |
"""  # noqa: E501 - a table is read as one

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ringgate.domain.errors import ErpProtocolError
from ringgate.domain.terms import TaxRounding


@dataclass(frozen=True, slots=True)
class OdooSeries:
    """How one series calls things. `tried` says that it was run against a real server."""

    name: str
    tried: bool
    groups: str = "groups_id"
    hourly_cost: str = "hourly_cost"
    planned: str = "allocated_hours"
    task_state: str = "state"  # "" where only the stage of a task says that it is done
    stage_closes: str = "fold"  # the flag of a stage in which work is done
    order_tax: str = "tax_id"
    order_unit: str = "product_uom"
    purchase_tax: str = "taxes_id"
    purchase_unit: str = "product_uom"
    account_kind: str = "account_type"
    account_off: str = "deprecated"  # the field that says that an account is used no more, or `active`
    receivable: str = "asset_receivable"
    credit_button: str = "refund_moves"
    credit_method: str = ""  # the field that asks what is to become of what is credited
    payment_memo: str = "memo"
    payment_reset: bool = False  # a payment must be a draft again before it can be cancelled
    payment_of_move: str = "origin_payment_id"
    order_names_project: bool = True
    orders_fill_in: bool = True  # a new order takes what its customer's form would fill in
    groups_by: str = "read_group"
    ends_strayed: bool = False  # a session that is shown at another tenant's address has ended for its own, too
    json2: bool = False
    rounds_globally: str = ""  # what is rounded where tax is not rounded line by line; "" where it was not tried
    client: str = "odoo"  # the path of the web client

    def credit_values(self, *, settles: bool) -> dict[str, str]:
        """What the form of a credit note asks in this series; where it asks nothing, an open invoice is settled."""
        return {self.credit_method: "cancel" if settles else "refund"} if self.credit_method else {}

    @property
    def major(self) -> int:
        return int(self.name.partition(".")[0])


_S19: Final = OdooSeries(
    "19.0", tried=True, groups="group_ids", account_off="active", order_tax="tax_ids", order_unit="product_uom_id",
    purchase_tax="tax_ids", purchase_unit="product_uom_id", groups_by="formatted_read_group", json2=True,
    rounds_globally=TaxRounding.TOTAL.value,
)  # fmt: skip
_S18: Final = OdooSeries("18.0", tried=False)
_S17: Final = replace(
    _S18, name="17.0", payment_memo="ref", payment_reset=True, payment_of_move="payment_id", client="web"
)
_S16: Final = replace(
    _S17, name="16.0", planned="planned_hours", task_state="", credit_button="reverse_moves",
    credit_method="refund_method",
)  # fmt: skip
_S15: Final = replace(
    _S16, name="15.0", hourly_cost="timesheet_cost", stage_closes="is_closed", account_kind="internal_type",
    receivable="receivable",
)  # fmt: skip
_S14: Final = replace(
    _S15, name="14.0", tried=True, order_names_project=False, orders_fill_in=False, ends_strayed=True,
    rounds_globally=TaxRounding.NET.value,
)  # fmt: skip

SERIES: Final[Mapping[str, OdooSeries]] = {each.name: each for each in (_S14, _S15, _S16, _S17, _S18, _S19)}
"""In their order: a tenant is upgraded from an earlier to a later one."""


def series_of(version: Any) -> OdooSeries:
    """The series of a server that states its version as `server_version_info` ([19, 0, 0, "final", 0, ""]) or as text
    ("19.0", "saas~18.4"). Raises ErpProtocolError for one that is not known here."""
    if isinstance(version, list | tuple) and version:
        told = f"{str(version[0]).removeprefix('saas~')}.{version[1] if len(version) > 1 else 0}"
    else:
        told = str(version or "").removeprefix("saas~")
    name = ".".join(told.split("+")[0].split("-")[0].split(".")[:2])
    if name not in SERIES:
        known = ", ".join(SERIES)
        raise ErpProtocolError(f"The server runs Odoo {told:.20}, but the series known here are {known}.")
    return SERIES[name]
