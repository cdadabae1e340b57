"""Two surfaces of a tenant, what changed between them, and who uses it. Pure: what is used comes first.

changes = compare(before, after, usage)
changes[0].sentence
"account.move.post_number is now called number: reading, searching or writing it by the former name fails."
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ringgate.domain.terms import Role
from ringgate.surface.model import Model, Surface, SurfaceField
from ringgate.surface.rules import RULES, Severity
from ringgate.surface.usage import Index, Usage, Uses

FORMS: Final = ({"one2many", "many2many"}, {"char", "text"}, {"datetime", "timestamp"})
"""Types whose values look the same to a program."""

NAMES_AFTER: Final = frozenset({"model renamed", "field renamed", "type changed", "type changed alike",
                                "relation changed"})  # fmt: skip

ALIKE: Final = 0.7
"""The part of its fields that a model must share with a new one of the same label to count as renamed."""


@dataclass(frozen=True, slots=True)
class SurfaceChange:
    """One difference. `model` is the model, wizard or report, "" for the wire; `element` what of it, "" for itself.

    `before` and `after` are the two values in words, "" for none. `uses` are runs by scenario, empty for unused.
    """

    kind: str
    model: str
    element: str
    before: str
    after: str
    uses: Uses
    text: str

    @property
    def klass(self) -> Severity:
        return RULES[self.kind][0]

    @property
    def runs(self) -> int:
        return sum(self.uses.values())

    @property
    def used(self) -> bool:
        return bool(self.uses)

    @property
    def signature(self) -> str:
        """What names this change in a list of accepted ones: `field renamed account.move.post_number -> number`."""
        if not self.model:
            return self.kind
        where = ".".join(filter(None, (self.model, self.element)))
        to = ""
        if self.kind in NAMES_AFTER:
            to = f" -> {self.after}"
        elif self.kind.startswith("selection value"):
            to = f" {self.after or self.before}"
        return f"{self.kind} {where}{to}"

    @property
    def sentence(self) -> str:
        why = RULES[self.kind][1]
        return f"{self.text}: {why}{'' if why.endswith('?') else '.'}"


def compare(before: Surface, after: Surface, usage: Usage) -> list[SurfaceChange]:
    """Every change: used ones that break first, then used risks, unused breaks, unused risks, compatible ones last;
    among equals by the number of runs, then by name."""
    index = Index(usage, before)
    found = [*_wire(before, after, index), *_models(before, after, index)]
    for kind, old, new in (("wizard", before.wizards, after.wizards), ("report", before.reports, after.reports)):
        found += _callables(kind, old, new, index)
    return sorted(found, key=_weight)


def _weight(change: SurfaceChange) -> tuple[bool, bool, int, int, str, str, str]:
    compatible = change.klass is Severity.COMPATIBLE
    order = list(Severity).index(change.klass)
    return compatible, not change.used, order, -change.runs, change.model, change.element, change.kind


def _wire(before: Surface, after: Surface, index: Index) -> Iterator[SurfaceChange]:
    changed = {name: (value, after.wire.get(name, "")) for name, value in before.wire.items()}
    changed = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    if changed:  # once, however many parts of it changed: they are one way to speak
        told = ", ".join(f"{name} {old} → {new or 'none'}" for name, (old, new) in sorted(changed.items()))
        old, new = (", ".join(pair[side] for _, pair in sorted(changed.items())) for side in (0, 1))
        yield SurfaceChange("wire changed", "", "wire", old, new, index.anything(), f"The wire changed ({told})")


# --- models ----------------------------------------------------------------------------------------------------------


def _models(before: Surface, after: Surface, index: Index) -> Iterator[SurfaceChange]:
    renamed = _renamed_models(before, after)
    for name, old in before.models.items():
        uses, new_name = index.of_object("model", name), renamed.get(name, name)
        new = after.models.get(new_name)
        if new is None:
            yield SurfaceChange("model removed", name, "", name, "", uses, f"The model {name} is gone")
            continue
        if new_name != name:
            text = f"The model {name} seems to be called {new_name} now (same label, like fields)"
            yield SurfaceChange("model renamed", name, "", name, new_name, uses, text)
        yield from _fields(name, old, new, index)
        yield from _methods(name, old, new, index)
        yield from _rights(name, old, new, index)
    for name in after.models.keys() - before.models.keys() - set(renamed.values()):
        yield SurfaceChange("model added", name, "", "", name, {}, f"The model {name} is new")


def _renamed_models(before: Surface, after: Surface) -> dict[str, str]:
    """Models that are gone -> the only new one of the same label whose fields are alike."""
    gone, new = before.models.keys() - after.models.keys(), after.models.keys() - before.models.keys()

    def same(old: Model, now: Model) -> bool:
        mine, theirs = set(old.fields or ()), set(now.fields or ())
        return bool(old.label) and old.label == now.label and len(mine & theirs) >= ALIKE * len(mine | theirs) > 0

    return _pairs(gone, new, lambda old, now: same(before.models[old], after.models[now]))


def _pairs(gone: Iterable[str], new: Iterable[str], same: Callable[[str, str], bool]) -> dict[str, str]:
    """Each that is gone with the new one it is the same as, where both have no other: a guess must be the only one."""
    candidates = {old: [now for now in sorted(new) if same(old, now)] for old in sorted(gone)}
    once = [found[0] for found in candidates.values() if len(found) == 1]
    return {old: found[0] for old, found in candidates.items() if len(found) == 1 and once.count(found[0]) == 1}


# --- fields ----------------------------------------------------------------------------------------------------------


def _fields(model: str, old: Model, new: Model, index: Index) -> Iterator[SurfaceChange]:
    if old.fields is None or new.fields is None:
        if old.fields is not None or new.fields is not None:
            hidden = new.fields is None
            text = f"The fields of {model} can {'no longer' if hidden else 'now'} be seen"
            uses = index.of_object("model", model)
            yield SurfaceChange("model hidden" if hidden else "model shown", model, "", "", "", uses, text)
        return
    gone, added = old.fields.keys() - new.fields.keys(), new.fields.keys() - old.fields.keys()
    renamed = _pairs(gone, added, _same_field(old.fields, new.fields))
    for name in gone:
        uses, to = index.of_field(model, name), renamed.get(name)
        if to is None:
            yield SurfaceChange("field removed", model, name, name, "", uses, f"{model}.{name} is gone")
            continue
        text = f"{model}.{name} seems to be called {to} now (same label and type)"
        yield SurfaceChange("field renamed", model, name, name, to, uses, text)
        yield from _field(model, name, old.fields[name], new.fields[to], index)
    for name in added - set(renamed.values()):
        required = new.fields[name].required and not new.fields[name].readonly
        uses = index.of_making(model) if required else {}
        kind = "required field added" if required else "field added"
        yield SurfaceChange(
            kind, model, name, "", name, uses, f"{model}.{name} is new{' and required' if required else ''}"
        )
    for name in old.fields.keys() & new.fields.keys():
        yield from _field(model, name, old.fields[name], new.fields[name], index)


def _same_field(old: Mapping[str, SurfaceField], new: Mapping[str, SurfaceField]) -> Callable[[str, str], bool]:
    def same(name: str, other: str) -> bool:
        mine, theirs = old[name], new[other]
        return bool(mine.label) and (mine.label, mine.type, mine.relation) == (
            theirs.label,
            theirs.type,
            theirs.relation,
        )

    return same


def _field(model: str, name: str, old: SurfaceField, new: SurfaceField, index: Index) -> Iterator[SurfaceChange]:
    where, uses = f"{model}.{name}", index.of_field(model, name)

    def changed(kind: str, before: str, after: str, text: str, by: Uses = uses) -> SurfaceChange:
        return SurfaceChange(kind, model, name, before, after, by, text)

    if old.type != new.type:
        alike = any({old.type, new.type} <= form for form in FORMS)
        kind = "type changed alike" if alike else "type changed"
        yield changed(kind, old.type, new.type, f"{where} was {old.type or 'untyped'} and is {new.type or 'untyped'}")
    elif old.relation != new.relation:
        text = f"{where} led to {old.relation or 'nothing'} and leads to {new.relation or 'nothing'}"
        yield changed("relation changed", old.relation, new.relation, text)
    given = index.of_written(model, name)
    making = {scenario: runs for scenario, runs in index.of_making(model).items() if scenario not in given}
    if old.required != new.required:
        kind = "became required" if new.required else "became optional"
        yield changed(kind, "", "", f"{where} {kind}", making)
    elif old.required_when != new.required_when and not new.required:
        text = f"The condition under which {where} is required changed"
        yield changed("condition of required changed", old.required_when, new.required_when, text, making)
    if old.readonly != new.readonly:
        kind = "became readonly" if new.readonly else "became writable"
        yield changed(kind, "", "", f"{where} {kind}", index.of_written(model, name))
    yield from _selection(changed, where, old.selection, new.selection)
    if old.label != new.label:
        yield changed("label changed", old.label, new.label, f"{where} was labelled {old.label!r}, now {new.label!r}")


def _selection(
    changed: Callable[[str, str, str, str], SurfaceChange],
    where: str,
    old: frozenset[str] | None,
    new: frozenset[str] | None,
) -> Iterator[SurfaceChange]:
    if old is None or new is None:
        if old is not None:
            yield changed("selection computed", "listed", "computed", f"{where} computes its values now")
        elif new is not None:
            yield changed("selection listed", "computed", "listed", f"{where} lists its values now")
        return
    for value in sorted(old - new):
        yield changed("selection value removed", value, "", f"{where} no longer takes {value!r}")
    for value in sorted(new - old):
        yield changed("selection value added", "", value, f"{where} also takes {value!r} now")


# --- what can be called, and by whom ---------------------------------------------------------------------------------


def _methods(model: str, old: Model, new: Model, index: Index) -> Iterator[SurfaceChange]:
    for name in old.methods - new.methods:
        uses = index.of_method("model", model, name)
        yield SurfaceChange("method removed", model, name, name, "", uses, f"{model} no longer offers {name}()")
    for name in new.methods - old.methods:
        yield SurfaceChange("method added", model, name, "", name, {}, f"{model} offers {name}() now")
    for name in old.buttons - new.buttons:
        uses = index.of_method("model", model, name)
        yield SurfaceChange("button removed", model, name, name, "", uses, f"{model} has no button {name} any more")
    for name in new.buttons - old.buttons:
        yield SurfaceChange("button added", model, name, "", name, {}, f"{model} has a button {name} now")


def _rights(model: str, old: Model, new: Model, index: Index) -> Iterator[SurfaceChange]:
    for role in old.rights.keys() & new.rights.keys():
        yield from _rights_of(role, model, old, new, index)


def _rights_of(role: Role, model: str, old: Model, new: Model, index: Index) -> Iterator[SurfaceChange]:
    before, after = old.rights[role], new.rights[role]
    for right in sorted(before - after):
        if right.removeprefix("press ") in old.buttons - new.buttons:
            continue  # told as the button that is gone
        uses = index.of_right(role, model, right)
        text = f"{role} may no longer {right} {model}"
        yield SurfaceChange("right revoked", model, f"{role} {right}", right, "", uses, text)
    for right in sorted(after - before):
        if right.removeprefix("press ") in new.buttons - old.buttons:
            continue
        uses = index.of_object("model", model)
        yield SurfaceChange(
            "right granted", model, f"{role} {right}", "", right, uses, f"{role} may now {right} {model}"
        )


def _callables(
    kind: str, old: Mapping[str, frozenset[str]], new: Mapping[str, frozenset[str]], index: Index
) -> Iterator[SurfaceChange]:
    for name in old.keys() - new.keys():
        uses = index.of_object(kind, name)
        yield SurfaceChange(f"{kind} removed", name, "", name, "", uses, f"The {kind} {name} is gone")
    for name in new.keys() - old.keys():
        yield SurfaceChange(f"{kind} added", name, "", "", name, {}, f"The {kind} {name} is new")
    for name in old.keys() & new.keys():
        for method in old[name] - new[name]:
            uses = index.of_method(kind, name, method)
            text = f"The {kind} {name} no longer offers {method}()"
            yield SurfaceChange("method removed", name, method, method, "", uses, text)
