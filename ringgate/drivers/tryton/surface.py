"""What a Tryton tenant offers, read over its own API.

| what               | from                                        | as                                          |
|--------------------|---------------------------------------------|---------------------------------------------|
| methods            | `system.listMethods`                        | auditor; it lists all, whoever asks         |
| models, labels     | `ir.model`                                  | auditor                                     |
| fields             | `fields_get` of each model that offers it   | auditor, who may read every business record |
| buttons            | `ir.model.button`, with their groups        | auditor                                     |
| rights             | `ir.model.access.get_access`, own groups    | each role's own session                     |
| the wire           | the dialect that was negotiated             | -                                           |

A field that the auditor may not read is not in the surface; `readonly` is what the auditor meets, so a field that only
its group may write counts as read-only, before and after. Record rules (which records of a model a role may see) and
conditions of `readonly` are not part of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ringgate.domain.errors import ErpMisbehaved
from ringgate.domain.model import Tenant
from ringgate.domain.terms import Role
from ringgate.drivers.tryton.sessions import UserSession
from ringgate.drivers.tryton.wire import BusinessError, Dialect
from ringgate.surface.model import Grammar, Model, Surface, SurfaceField

KINDS: Final = ("model", "wizard", "report")
RIGHTS: Final = ("read", "write", "create", "delete")
# 8.0 renamed the columns of the registry of models: series -> (name, label, how a button names its model).
REGISTRY: Final = {"7.0": ("model", "name", "model.model"), "8.0": ("name", "string", "model")}

GRAMMAR: Final = Grammar(
    model="model.",
    wizard="wizard.",
    report="report.",
    reads=frozenset({"read", "search", "search_read", "search_count", "export_data"}),
    creates=frozenset({"create"}),
)
"""`model.account.invoice.search_read`, `wizard.account.invoice.pay.execute`."""


def read(tenant: Tenant, session_of: Callable[[Role], UserSession]) -> Surface:
    """Every role of the tenant signs in once; some 400 calls, nothing is written."""
    auditor = session_of(Role.AUDITOR)
    dialect = auditor.client.dialect
    methods = _methods(auditor.client.raw("system.listMethods", []))
    labels = _labels(auditor, dialect)
    names = sorted(set(labels) | set(methods["model"]))
    buttons = _buttons(auditor, dialect)
    rights = {role: _rights(session_of(role), sorted(labels), methods["model"], buttons) for role in tenant.users}
    models = {
        name: Model(
            label=labels.get(name, ""),
            fields=_fields(auditor, name) if "fields_get" in methods["model"].get(name, ()) else {},
            methods=methods["model"].get(name, frozenset()),
            buttons=frozenset(buttons.get(name, {})),
            rights={role: held.get(name, frozenset()) for role, held in rights.items()},
        )
        for name in names
    }
    return Surface(
        tenant=tenant.id,
        erp=tenant.erp,
        series=dialect.series,
        taken_at=datetime.now(UTC),
        wire=_wire(dialect),
        models=models,
        wizards=methods["wizard"],
        reports=methods["report"],
        grammar=GRAMMAR,
    )


def _wire(dialect: Dialect) -> dict[str, str]:
    return {
        "call path": dialect.rpc_path,
        "server path": dialect.root_path,
        "login answer": f"{dialect.login_items} items",
    }


def _methods(listed: Iterable[str]) -> dict[str, dict[str, frozenset[str]]]:
    """kind -> name -> methods, of `model.account.invoice.post` and the like."""
    found: dict[str, dict[str, set[str]]] = {kind: {} for kind in KINDS}
    for path in listed:
        kind, _, rest = path.partition(".")
        name, _, method = rest.rpartition(".")
        if kind not in found or not name:
            raise ErpMisbehaved(f"The server lists a method that has no known form: {path!r:.100}.")
        found[kind].setdefault(name, set()).add(method)
    return {kind: {name: frozenset(each) for name, each in names.items()} for kind, names in found.items()}


def _all(session: UserSession, model: str, fields: Sequence[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = session.call(f"model.{model}.search_read", [], 0, None, None, list(fields))
    return rows


def _labels(session: UserSession, dialect: Dialect) -> dict[str, str]:
    name, label, _ = REGISTRY[dialect.series]
    return {row[name]: row[label] or "" for row in _all(session, "ir.model", [name, label])}


def _buttons(session: UserSession, dialect: Dialect) -> dict[str, dict[str, frozenset[int]]]:
    """model -> button -> groups that may press it, none for everybody who may write the record."""
    path = REGISTRY[dialect.series][2]
    found: dict[str, dict[str, frozenset[int]]] = {}
    for row in _all(session, "ir.model.button", ["name", path, "groups"]):
        model = row["model."]["model"] if path == "model.model" else row["model"]
        found.setdefault(model, {})[row["name"]] = frozenset(row["groups"])
    return found


def _rights(
    session: UserSession,
    models: Sequence[str],
    methods: Mapping[str, frozenset[str]],
    buttons: Mapping[str, Mapping[str, frozenset[int]]],
) -> dict[str, frozenset[str]]:
    """What this user may do, by model. Whoever may press a button as a member of its group needs no right to write.

    A right that no method offers to programs (a model that the ERP alone writes) is none."""
    mine = frozenset(session.client.context.get("groups", ()))
    access: dict[str, dict[str, int]] = session.call("model.ir.model.access.get_access", list(models))
    found: dict[str, frozenset[str]] = {}
    for model in models:
        offered = methods.get(model, frozenset())
        held: set[str] = {right for right in RIGHTS if access[model][right] and right in offered}
        for button, groups in buttons.get(model, {}).items():
            if button in offered and (groups & mine if groups else access[model]["write"]):
                held.add(f"press {button}")
        found[model] = frozenset(held)
    return found


def _fields(session: UserSession, model: str) -> dict[str, SurfaceField] | None:
    """The fields as this user is told of them; None if it is told nothing."""
    try:
        told: dict[str, dict[str, Any]] = session.call(f"model.{model}.fields_get")
    except (BusinessError, ErpMisbehaved):
        return None
    return {name: _field(each) for name, each in told.items()}


def _field(told: Mapping[str, Any]) -> SurfaceField:
    selection = told.get("selection")
    return SurfaceField(
        type=told.get("type") or "",
        label=told.get("string") or "",
        required=bool(told.get("required")),
        readonly=bool(told.get("readonly")),
        relation=told.get("relation") or "",
        selection=frozenset(str(key or "") for key, _ in selection) if isinstance(selection, list) else None,
        required_when=_condition(told.get("states")),
    )


def _condition(states: str | None) -> str:
    """Under which condition the field is required, as the client is told; "" for none."""
    required = json.loads(states or "{}").get("required")
    return "" if required in (None, False) else json.dumps(required, sort_keys=True)
