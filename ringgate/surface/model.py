"""What a tenant's ERP offers to programs: the wire, models with fields, methods, buttons and rights, wizards, reports.

    surface = connection.surface()
    path.write_text(dumps(surface))
    loads(path.read_text()) == surface

Nothing here knows an ERP or sends anything. Two surfaces are compared by `ringgate.surface`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as default
from datetime import datetime
from typing import Any, Final

from ringgate.domain.errors import OurSideError
from ringgate.domain.terms import Role

FORMAT: Final = "ringgate surface"
VERSION: Final = 2
"""Of the JSON text. A text of another version is refused, never guessed at."""


class SurfaceUnreadable(OurSideError):
    """A text is not a surface, or one of another version: nothing can be compared with it."""

    kind = "surface"


@dataclass(frozen=True, slots=True)
class SurfaceField:
    """One field of a model.

    `type` is the ERP's own word, `relation` the model it leads to ("" for none). `selection` are its values, None if
    it has none or computes them. `required_when` is the ERP's condition under which it is required ("" for none).
    """

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

    label: str = ""
    fields: Mapping[str, SurfaceField] | None = default(default_factory=dict)
    methods: frozenset[str] = frozenset()
    buttons: frozenset[str] = frozenset()
    rights: Mapping[Role, frozenset[str]] = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grammar:
    """How an ERP names its calls: what stands before the name of a model, wizard or report (`model.` in
    `model.account.invoice.post`), and which methods of a model read its records or make one."""

    model: str = ""
    wizard: str = ""
    report: str = ""
    reads: frozenset[str] = frozenset()
    creates: frozenset[str] = frozenset()

    def call_of(self, kind: str, name: str, method: str) -> str:
        """The call of a method; `kind` is `model`, `wizard` or `report`."""
        return f"{getattr(self, kind)}{name}.{method}"


@dataclass(frozen=True, slots=True)
class Surface:
    """All of one tenant at one moment. `wire` are facts of the protocol by name ("call path": "/{database}/").

    `taken_at` is aware (UTC) and does not count when surfaces are compared for equality of what they offer.
    `wizards` and `reports` map names to the methods that may be called on them.
    """

    tenant: str
    erp: str
    series: str
    taken_at: datetime = default(compare=False)
    wire: Mapping[str, str] = default(default_factory=dict)
    models: Mapping[str, Model] = default(default_factory=dict)
    wizards: Mapping[str, frozenset[str]] = default(default_factory=dict)
    reports: Mapping[str, frozenset[str]] = default(default_factory=dict)
    grammar: Grammar = Grammar()


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


# --- as text -------------------------------------------------------------------------------------------------------


def dumps(surface: Surface) -> str:
    """JSON in a stable order, one line for each field and each right, so that `diff` is of use, too."""
    return json.dumps(_plain(surface), indent=0, ensure_ascii=False) + "\n"


def _plain(surface: Surface) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "tenant": surface.tenant,
        "erp": surface.erp,
        "series": surface.series,
        "taken_at": surface.taken_at.isoformat(),
        "grammar": {
            "model": surface.grammar.model,
            "wizard": surface.grammar.wizard,
            "report": surface.grammar.report,
            "reads": sorted(surface.grammar.reads),
            "creates": sorted(surface.grammar.creates),
        },
        "wire": dict(sorted(surface.wire.items())),
        "models": {name: _plain_model(model) for name, model in sorted(surface.models.items())},
        "wizards": {name: sorted(methods) for name, methods in sorted(surface.wizards.items())},
        "reports": {name: sorted(methods) for name, methods in sorted(surface.reports.items())},
    }


def _plain_model(model: Model) -> dict[str, Any]:
    fields = None if model.fields is None else {name: _plain_field(f) for name, f in sorted(model.fields.items())}
    return {
        "label": model.label,
        "fields": fields,
        "methods": sorted(model.methods),
        "buttons": sorted(model.buttons),
        "rights": {role.value: sorted(rights) for role, rights in sorted(model.rights.items())},
    }


def _plain_field(field: SurfaceField) -> dict[str, Any]:
    """Only what differs from the rule, or ten thousand fields would fill megabytes."""
    told: dict[str, Any] = {"type": field.type, "label": field.label}
    for name in ("required", "readonly", "relation", "required_when"):
        if value := getattr(field, name):
            told[name] = value
    if field.selection is not None:
        told["selection"] = sorted(field.selection)
    return told


def loads(text: str, where: str = "the text") -> Surface:
    """The surface that `dumps` wrote. `where` names the text in errors. Raises SurfaceUnreadable."""
    try:
        told = json.loads(text)
    except ValueError as error:
        raise SurfaceUnreadable(f"{where} is not JSON: {error}") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise SurfaceUnreadable(f"{where} is not a surface: take one with `ringgate surface take`.")
    if told.get("version") != VERSION:
        raise SurfaceUnreadable(f"{where} is a surface of version {told.get('version')}, not {VERSION}: take it again.")
    try:
        return Surface(
            tenant=told["tenant"],
            erp=told["erp"],
            series=told["series"],
            taken_at=datetime.fromisoformat(told["taken_at"]),
            wire=dict(told["wire"]),
            grammar=_grammar(told["grammar"]),
            models={name: _model(each) for name, each in told["models"].items()},
            wizards={name: frozenset(each) for name, each in told["wizards"].items()},
            reports={name: frozenset(each) for name, each in told["reports"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SurfaceUnreadable(f"{where} is a damaged surface ({type(error).__name__}: {error}).") from None


def _grammar(told: Mapping[str, Any]) -> Grammar:
    reads, creates = frozenset(told["reads"]), frozenset(told["creates"])
    return Grammar(told["model"], told["wizard"], told["report"], reads, creates)


def _model(told: Mapping[str, Any]) -> Model:
    fields = None if told["fields"] is None else {name: _field(each) for name, each in told["fields"].items()}
    return Model(
        label=told["label"],
        fields=fields,
        methods=frozenset(told["methods"]),
        buttons=frozenset(told["buttons"]),
        rights={Role(role): frozenset(rights) for role, rights in told["rights"].items()},
    )


def _field(told: Mapping[str, Any]) -> SurfaceField:
    selection = told.get("selection")
    return SurfaceField(**{**told, "selection": None if selection is None else frozenset(selection)})
