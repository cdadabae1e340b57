"""What a tenant's ERP offers to programs: the wire, models with fields, methods, buttons and rights, wizards, reports.

    surface = connection.surface()
    surface.models["account.invoice"].rights[Role.ACCOUNTANT]      # {"read", "write", "create", "press post"}

Nothing here knows an ERP or sends anything. Two surfaces are compared by `ringgate.surface`; `encoding.py` makes text
of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final

from ringgate.domain.terms import Role

STATED: Final[Mapping[str, str]] = {"extra": "forbid"}
"""How pydantic reads these classes: what is not one of their fields is an error."""


@dataclass(frozen=True, slots=True)
class SurfaceField:
    """One field of a model.

    `type` is the ERP's own word, `relation` the model it leads to ("" for none). `selection` are its values, None if
    it has none or computes them. `required_when` is the ERP's condition under which it is required ("" for none).
    """

    __pydantic_config__: ClassVar = STATED

    type: str
    label: str = ""
    required: bool = False
    readonly: bool = False
    relation: str = ""
    selection: frozenset[str] | None = None
    required_when: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of record. `fields` is None where nobody who reads the surface may see them.

    `rights` holds for each role what it may do: `read`, `write`, `create`, `delete`, and `press <button>`.
    """

    __pydantic_config__: ClassVar = STATED

    label: str
    fields: Mapping[str, SurfaceField] | None
    methods: frozenset[str]
    buttons: frozenset[str]
    rights: Mapping[Role, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Grammar:
    """How an ERP names its calls: what stands before the name of a model, wizard or report (`model.` in
    `model.account.invoice.post`), and which methods of a model read its records or make one."""

    __pydantic_config__: ClassVar = STATED

    model: str
    wizard: str
    report: str
    reads: frozenset[str]
    creates: frozenset[str]

    def call_of(self, kind: str, name: str, method: str) -> str:
        """The call of a method; `kind` is `model`, `wizard` or `report`."""
        return f"{getattr(self, kind)}{name}.{method}"


@dataclass(frozen=True, slots=True)
class Surface:
    """All of one tenant at one moment. `wire` are facts of the protocol by name ("call path": "/{database}/").

    `taken_at` is aware (UTC) and does not count when surfaces are compared for equality of what they offer.
    `wizards` and `reports` map names to the methods that may be called on them.
    """

    __pydantic_config__: ClassVar = STATED

    tenant: str
    erp: str
    series: str
    taken_at: datetime = field(compare=False)
    wire: Mapping[str, str]
    models: Mapping[str, Model]
    wizards: Mapping[str, frozenset[str]]
    reports: Mapping[str, frozenset[str]]
    grammar: Grammar


# --- what runs touched ---------------------------------------------------------------------------------------------


def call(role: Role | str, method: str) -> str:
    """The touch of a call, named as the ERP's driver names calls: `accountant call model.account.invoice.post`."""
    return f"{role} call {method}"


def reading(role: Role | str, model: str, path: str) -> str:
    """The touch of a field that was read or searched by: `auditor read account.invoice move.lines.debit`."""
    return f"{role} read {model} {path}"


def writing(role: Role | str, model: str, path: str) -> str:
    """The touch of a field that was given a value: `consultant write timesheet.line duration`."""
    return f"{role} write {model} {path}"
