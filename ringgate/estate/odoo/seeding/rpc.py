"""Short names for what the seeding does over and over on the ERP's own API: records, buttons, references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringgate.domain.errors import ErpMisbehaved
from ringgate.drivers.odoo.series import OdooSeries
from ringgate.drivers.odoo.wire import SessionClient

Values = Mapping[str, Any]


class SeedingClient:
    """One user's session on one database, with the few calls that a set-up needs."""

    def __init__(self, rpc: SessionClient) -> None:
        self.rpc = rpc

    @property
    def series(self) -> OdooSeries:
        assert self.rpc.session is not None, "nobody is signed in"
        return self.rpc.session.series

    def create(self, model: str, records: Sequence[Values], **context: Any) -> list[int]:
        """All `records` in one call; their ids in the same order."""
        if not records:
            return []
        made = self.rpc.call(model, "create", vals_list=[dict(each) for each in records], context=context)
        return [int(each) for each in made]

    def one(self, model: str, values: Values, **context: Any) -> int:
        return self.create(model, [values], **context)[0]

    def write(self, model: str, ids: Sequence[int], values: Values) -> None:
        if ids:
            self.rpc.call(model, "write", ids=ids, vals=dict(values))

    def press(self, model: str, button: str, ids: Sequence[int], **context: Any) -> Any:
        """Clicks a button on all of them at once."""
        return self.rpc.call(model, button, ids=ids, context=context) if ids else None

    def wizard(self, model: str, values: Values, button: str, on: tuple[str, Sequence[int]]) -> Any:
        """Fills in a wizard on records of a model, and presses its button."""
        records, ids = on
        context = {"active_model": records, "active_ids": list(ids), "active_id": ids[0]}
        return self.press(model, button, [self.one(model, values, **context)], **context)

    def find(self, model: str, domain: Sequence[Any], fields: Sequence[str], order: str = "id") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.rpc.call(
            model, "search_read", domain=list(domain), fields=list(fields), order=order
        )
        return found

    def ids(self, model: str, domain: Sequence[Any], **context: Any) -> list[int]:
        found: list[int] = self.rpc.call(model, "search", domain=list(domain), order="id", context=context)
        return found

    def only(self, model: str, domain: Sequence[Any], **context: Any) -> int:
        """The id of the one record of that domain. Raises ErpMisbehaved unless there is exactly one."""
        found = self.ids(model, domain, **context)
        if len(found) != 1:
            raise ErpMisbehaved(f"A fresh tenant should have one {model} with {domain}, but has {len(found)}.")
        return found[0]

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[dict[str, Any]]:
        """In the order of `ids`."""
        rows: list[dict[str, Any]] = self.rpc.call(model, "read", ids=ids, fields=list(fields)) if ids else []
        by_id = {row["id"]: row for row in rows}
        return [by_id[each] for each in ids]

    def named(self, *names: str) -> dict[str, int]:
        """Records that came with the modules, by `module.identifier`."""
        found = {}
        for name in names:
            module, _, identifier = name.partition(".")
            rows = self.find("ir.model.data", [("module", "=", module), ("name", "=", identifier)], ["res_id"])
            if not rows:
                raise ErpMisbehaved(f"The ERP lacks {name}: is the module set another?")
            found[name] = int(rows[0]["res_id"])
        return found
