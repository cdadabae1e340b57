"""What scenarios touched, looked up the way changes ask: by call, by field read, by field written, and by role.

A path such as `move.lines.debit` uses each field on its way; the surface says where relations lead. A path ends where
it goes through a field that may point anywhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from ringgate.surface.model import Surface

Uses = Mapping[str, int]
"""Scenario (with its channel) -> number of its runs that touched something."""

Usage = Mapping[str, Uses]
"""Touch, as `ringgate.surface.model` writes it -> who touched it. What the store gives."""

KINDS = ("model", "wizard", "report")
ANYBODY = ""


class Index:
    """Usage of one surface. Every question answers with uses; nobody's is empty. A role of "" asks for all roles."""

    def __init__(self, usage: Usage, surface: Surface) -> None:
        self._surface = surface
        self._found: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
        self.touches = len(usage)
        self.scenarios = frozenset(name for uses in usage.values() for name in uses)
        for touch, uses in usage.items():
            role, verb, what, *path = touch.split(" ")
            for each in (role, ANYBODY):
                for key in self._keys(verb, what, path):
                    self._add((each, *key), uses)

    def _add(self, key: tuple[str, str, str], uses: Uses) -> None:
        """Runs that touch one thing in several ways are the same runs, not more."""
        found = self._found[key]
        for scenario, runs in uses.items():
            found[scenario] = max(found[scenario], runs)

    def _keys(self, verb: str, what: str, path: list[str]) -> Iterator[tuple[str, str]]:
        if verb == "call":
            yield "call", what
            head, _, method = what.rpartition(".")
            for kind, name in self._named(head):
                yield kind, name
                if kind == "model" and method in self._surface.grammar.reads:
                    yield "seen", name
        elif path:
            for model, field in self._walk(what, path[0]):
                yield verb, f"{model} {field}"
                yield "field", f"{model} {field}"
                yield "model", model
                yield "seen", model

    def _named(self, head: str) -> Iterator[tuple[str, str]]:
        """The objects of the surface that a call without its method may be on. Where a kind has a prefix of its own,
        also one that the surface does not have."""
        grammar = self._surface.grammar
        known = {"model": self._surface.models, "wizard": self._surface.wizards, "report": self._surface.reports}
        for kind in KINDS:
            prefix = getattr(grammar, kind)
            name = head.removeprefix(prefix)
            if head.startswith(prefix) and (prefix or name in known[kind]):
                yield kind, name

    def _walk(self, model: str, path: str) -> Iterator[tuple[str, str]]:
        for name in path.split("."):
            known = self._surface.models.get(model)
            if not name or known is None:
                return
            yield model, name
            field = (known.fields or {}).get(name)
            if field is None or not field.relation:
                return
            model = field.relation

    def _of(self, role: str, what: str, name: str) -> Uses:
        return self._found.get((role, what, name), {})

    def anything(self) -> Uses:
        """Who touched anything at all, with the most runs."""
        total: Counter[str] = Counter()
        for (role, _, _), uses in self._found.items():
            if role == ANYBODY:
                for scenario, runs in uses.items():
                    total[scenario] = max(total[scenario], runs)
        return total

    def of_object(self, kind: str, name: str) -> Uses:
        """A model, wizard or report, used in any way."""
        return self._of(ANYBODY, kind, name)

    def of_method(self, kind: str, name: str, method: str, role: str = ANYBODY) -> Uses:
        """A method of a model, wizard or report, by name: ("model", "account.invoice", "post")."""
        return self._of(role, "call", self._surface.grammar.call_of(kind, name, method))

    def of_field(self, model: str, field: str) -> Uses:
        return self._of(ANYBODY, "field", f"{model} {field}")

    def of_written(self, model: str, field: str) -> Uses:
        return self._of(ANYBODY, "write", f"{model} {field}")

    def of_right(self, role: str, model: str, right: str) -> Uses:
        """Who did as that role what the right allows."""
        if right == "read":
            return self._of(role, "seen", model)
        return self.of_method("model", model, right.removeprefix("press "), role)

    def of_making(self, model: str) -> Uses:
        """Who made records of a model."""
        found: Counter[str] = Counter()
        for method in self._surface.grammar.creates:
            found |= Counter(self.of_method("model", model, method))
        return found
