"""A user's session that answers reads from tables, as the ERP would: what is not there is no record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringgate.drivers.odoo.series import SERIES
from ringgate.drivers.odoo.wire import BusinessError
from tests.support.samples import tenant

Tables = Mapping[str, Sequence[Mapping[str, Any]]]


class ReadingSession:
    """`tables` are rows by model; a field that a row lacks is false. Domains are not looked at, except `in`."""

    user_id = 7

    def __init__(self, tables: Tables, series: str = "19.0", **told: Any) -> None:
        self.tables, self.series, self.told = tables, SERIES[series], told
        self.tenant = tenant()
        self.asked: list[tuple[str, str]] = []

    def call(self, model: str, method: str, **named: Any) -> Any:
        self.asked.append((model, method))
        if method == "search_read":
            rows = [row for row in self.tables.get(model, ()) if all(_in(row, each) for each in named["domain"])]
            return [{"id": row["id"], **{field: row.get(field, False) for field in named["fields"]}} for row in rows]
        if method == "fields_get":
            if model not in self.told:
                raise BusinessError("AccessError", "Not yours.")
            return self.told[model]
        raise AssertionError(f"nothing is told of {model}.{method}")

    def rows(self, model: str, domain: Sequence[Any], fields: Sequence[str], **_: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call(model, "search_read", domain=list(domain), fields=list(fields))
        return found


def _in(row: Mapping[str, Any], clause: Any) -> bool:
    field, operator, value = clause
    return operator != "in" or row.get(field) in value
