"""Short names for what the seeding does over and over on the ERP's own API: records, wizards, references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringgate.domain.errors import ErpMisbehaved
from ringgate.drivers.tryton.wire import RpcClient

Values = Mapping[str, Any]


class SeedingClient:
    """One user's session on one database, with the few calls that a set-up needs."""

    def __init__(self, rpc: RpcClient) -> None:
        self.rpc = rpc

    def refresh(self) -> None:
        """Takes over the user's preferences (company, employee, groups) after they were changed."""
        self.rpc.context = self.rpc.raw("model.res.user.get_preferences", [True, {}])

    def create(self, model: str, records: Sequence[Values]) -> list[int]:
        """All `records` in one call; their ids in the same order."""
        ids: list[int] = self.rpc.call(f"model.{model}.create", list(records)) if records else []
        return ids

    def one(self, model: str, values: Values) -> int:
        return self.create(model, [values])[0]

    def write(self, model: str, *ids_and_values: Any) -> None:
        """`write(model, ids, values, ids, values, ...)` in one call."""
        if ids_and_values:
            self.rpc.call(f"model.{model}.write", *ids_and_values)

    def delete(self, model: str, ids: Sequence[int]) -> None:
        if ids:
            self.rpc.call(f"model.{model}.delete", list(ids))

    def press(self, model: str, button: str, ids: Sequence[int]) -> Any:
        """Clicks a button on all of them at once."""
        return self.rpc.call(f"model.{model}.{button}", list(ids))

    def find(self, model: str, domain: Sequence[Any], fields: Sequence[str], order: Any = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.rpc.call(
            f"model.{model}.search_read", list(domain), 0, None, order, list(fields)
        )
        return found

    def ids(self, model: str, domain: Sequence[Any], order: Any = None) -> list[int]:
        found: list[int] = self.rpc.call(f"model.{model}.search", list(domain), 0, None, order)
        return found

    def only(self, model: str, domain: Sequence[Any]) -> int:
        """The id of the one record of that domain. Raises ErpMisbehaved unless there is exactly one."""
        found = self.ids(model, domain)
        if len(found) != 1:
            raise ErpMisbehaved(f"A fresh tenant should have one {model} with {domain}, but has {len(found)}.")
        return found[0]

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[dict[str, Any]]:
        """In the order of `ids`."""
        rows: list[dict[str, Any]] = self.rpc.call(f"model.{model}.read", list(ids), list(fields)) if ids else []
        by_id = {row["id"]: row for row in rows}
        return [by_id[i] for i in ids]

    def named(self, *names: str) -> dict[str, int]:
        """Records that came with the modules, by `module.identifier`."""
        wanted = [["AND", ("module", "=", n.split(".")[0]), ("fs_id", "=", n.split(".")[1])] for n in names]
        rows = self.find("ir.model.data", ["OR", *wanted], ["module", "fs_id", "db_id"])
        found = {f"{row['module']}.{row['fs_id']}": int(row["db_id"]) for row in rows}
        if missing := set(names) - set(found):
            raise ErpMisbehaved(f"The ERP lacks {', '.join(sorted(missing))}: is the module set another?")
        return found

    def wizard(self, name: str, steps: Mapping[str, Values], records: tuple[str, Sequence[int]] | None = None) -> Any:
        """Runs a wizard through `steps` (state to execute -> the forms filled so far, accumulated); the last answer."""
        session = self.rpc.call(f"wizard.{name}.create")[0]
        context = {}
        if records:
            model, ids = records
            context = {"active_model": model, "active_id": ids[0], "active_ids": list(ids)}
        filled: dict[str, Any] = {}
        answer: Any = None
        for state, forms in steps.items():
            filled |= forms
            answer = self.rpc.call(f"wizard.{name}.execute", session, filled, state, context=context)
        self.rpc.call(f"wizard.{name}.delete", session)
        return answer
