"""What an Odoo tenant offers, read over its own API by its auditor. Some thirty calls, nothing is written.

| what           | from                                                                                         |
|----------------|----------------------------------------------------------------------------------------------|
| models, labels | `ir.model`                                                                                   |
| fields         | `ir.model.fields`; their values by `fields_get`, for models with a word in `rights.py`        |
| buttons        | what the web client shows: `ir.ui.view`, with the groups that a button names                  |
| methods        | these buttons, and what every model offers; the ERP lists no others                           |
| rights         | `ir.model.access`, and the groups of each role's user with all that they imply                |

Record rules (which records of a model a role may see), conditions of `readonly` and what Python code alone offers are
not part of it. A button that somebody may press is one of a model that they may write, and whose groups they have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree import ElementTree

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Channel, Role
from ringgate.drivers.odoo.refusals import refusals
from ringgate.drivers.odoo.rights import VERBS, WORDS, with_implied
from ringgate.drivers.odoo.series import OdooSeries
from ringgate.drivers.odoo.sessions import UserSession
from ringgate.drivers.odoo.values import link, text
from ringgate.drivers.odoo.wire import BusinessError
from ringgate.surface.model import Grammar, Model, Surface, SurfaceField

OFFERED: Final = frozenset(
    {"create", "default_get", "fields_get", "name_search", "read", "read_group", "search", "search_count",
     "search_read", "unlink", "write"}
)  # fmt: skip
"""What every model that is kept offers to programs, in every series."""
SHOWN: Final = ("form", "tree", "list", "kanban")
GRAMMAR: Final = Grammar(
    model="", wizard="", report="", reads=frozenset({"read", "search", "search_read", "search_count", "read_group",
                                                     "formatted_read_group"}),
    creates=frozenset({"create"}),
)  # fmt: skip
"""`account.move.search_read`; wizards are models, too."""

Groups = frozenset[int]
Buttons = Mapping[str, Mapping[str, "tuple[frozenset[str], ...]"]]


def read(tenant: Tenant, auditor: UserSession) -> Surface:
    """The surface as the auditor is told of it."""
    with refusals("read the surface", auditor):
        models = {row["model"]: text(row["name"]) for row in auditor.rows("ir.model", [], ["model", "name"])}
        fields, buttons, rights = _fields(auditor), _buttons(auditor), _Rights(auditor, tenant)
    groups_by = frozenset({auditor.series.groups_by})
    return Surface(
        tenant=tenant.id,
        erp=tenant.erp,
        series=auditor.series.name,
        taken_at=datetime.now(UTC),
        wire=_wire(auditor.series),
        models={
            model: Model(
                label=label,
                fields=fields.get(model),
                methods=OFFERED | groups_by | frozenset(buttons.get(model, {})),
                buttons=frozenset(buttons.get(model, {})),
                rights={role: rights.of(role, model, buttons.get(model, {})) for role in tenant.users},
            )
            for model, label in models.items()
        },
        wizards={},
        reports={},
        grammar=GRAMMAR,
    )


def _wire(series: OdooSeries) -> dict[str, str]:
    keys = {"path of calls by key": "/json/2"} if series.json2 else {}
    return {"path of calls": "/web/dataset/call_kw", "path of sign-in": "/web/session/authenticate", **keys}


def _fields(auditor: UserSession) -> dict[str, dict[str, SurfaceField]]:
    """model -> field -> what it is."""
    selections = {model: _selections(auditor, model) for model in WORDS}
    found: dict[str, dict[str, SurfaceField]] = defaultdict(dict)
    wanted = ["model", "name", "ttype", "field_description", "required", "readonly", "relation"]
    for row in auditor.rows("ir.model.fields", [], wanted):
        found[row["model"]][row["name"]] = SurfaceField(
            type=text(row["ttype"]),
            label=text(row["field_description"]),
            required=bool(row["required"]),
            readonly=bool(row["readonly"]),
            relation=text(row["relation"]),
            selection=selections.get(row["model"], {}).get(row["name"]),
        )
    return found


def _selections(auditor: UserSession, model: str) -> dict[str, frozenset[str]]:
    """Field -> its values, as the auditor is told of them."""
    try:
        told = auditor.call(model, "fields_get", attributes=["selection"])
    except BusinessError:  # not theirs to see
        return {}
    return {
        name: frozenset(text(value) for value, _ in each["selection"])
        for name, each in told.items()
        if isinstance(each.get("selection"), list)
    }


def _buttons(auditor: UserSession) -> Buttons:
    """model -> button -> the groups that each place names which shows it, none where it is shown to everybody."""
    found: dict[str, dict[str, set[frozenset[str]]]] = defaultdict(lambda: defaultdict(set))
    domain = [("type", "in", SHOWN), ("model", "!=", False)]
    for row in auditor.rows("ir.ui.view", domain, ["model", "arch_db"]):
        for name, groups in _shown(text(row["arch_db"])):
            found[text(row["model"])][name].add(groups)
    return {
        model: {name: tuple(sorted(groups, key=sorted)) for name, groups in names.items()}
        for model, names in found.items()
    }


def _shown(arch: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The buttons of a view that call a method of its model, and the groups they name. Those of a list inside it are
    another model's, and stand in views of that."""
    try:
        root = ElementTree.fromstring(arch or "<form/>")  # noqa: S314 - from the ERP under test; expat limits entities
    except ElementTree.ParseError:
        return
    waiting = [root]
    while waiting:
        each = waiting.pop()
        if each.tag == "button" and each.get("type") == "object" and (name := each.get("name")):
            named = (part.strip() for part in each.get("groups", "").split(","))
            yield name, frozenset(group for group in named if group and not group.startswith("!"))
        waiting += [child for child in each if child.tag != "field" or child.get("name") == "arch"]


class _Rights:
    """Who may do what, from the rows that grant it: what any of a user's groups has is theirs."""

    def __init__(self, auditor: UserSession, tenant: Tenant) -> None:
        series = auditor.series
        self._names = _names_of_groups(auditor)
        self._groups = _groups_of_users(auditor, tenant, series)
        self._granted: dict[str, list[tuple[int | None, frozenset[str]]]] = defaultdict(list)
        models = {row["id"]: row["model"] for row in auditor.rows("ir.model", [], ["model"])}
        for row in auditor.rows("ir.model.access", [("active", "=", True)], ["model_id", "group_id", *VERBS]):
            held = frozenset(word for field, word in VERBS.items() if row[field])
            self._granted[models.get(link(row["model_id"]) or 0, "")].append((link(row["group_id"]), held))

    def of(self, role: Role, model: str, buttons: Mapping[str, Iterable[frozenset[str]]]) -> frozenset[str]:
        mine = self._groups.get(role, frozenset())
        rights = {right for group, held in self._granted[model] if group is None or group in mine for right in held}
        if "write" in rights:
            named = {self._names[group] for group in mine if group in self._names}
            rights |= {f"press {name}" for name, places in buttons.items() if any(not p or p & named for p in places)}
        return frozenset(rights)


def _names_of_groups(auditor: UserSession) -> dict[int, str]:
    """Group -> `module.name`, of those that came with a module."""
    rows = auditor.rows("ir.model.data", [("model", "=", "res.groups")], ["module", "name", "res_id"])
    return {int(row["res_id"]): f"{row['module']}.{row['name']}" for row in rows}


def _groups_of_users(auditor: UserSession, tenant: Tenant, series: OdooSeries) -> dict[Role, Groups]:
    """Role -> all groups of its user, with those that they imply."""
    logins = {account.on(Channel.API).login: role for role, account in tenant.users.items()}
    held = auditor.rows("res.users", [("login", "in", list(logins))], ["login", series.groups])
    implied: dict[int, Any] = {row["id"]: row["implied_ids"] for row in auditor.rows("res.groups", [], ["implied_ids"])}
    return {logins[row["login"]]: with_implied(row[series.groups], implied) for row in held}
