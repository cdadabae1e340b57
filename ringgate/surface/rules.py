"""How bad each kind of change is, and why: one row each. `compare` finds them, this table alone judges them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """`breaking`: what worked is refused or means something else. `risky`: it may. `compatible`: it goes on."""

    BREAKING = "breaking"
    RISKY = "risky"
    COMPATIBLE = "compatible"


_B, _R, _C = Severity.BREAKING, Severity.RISKY, Severity.COMPATIBLE

RULES: Final[Mapping[str, tuple[Severity, str]]] = {
    # the wire
    "wire changed": (_B, "every call of a program that speaks the former way is refused"),
    # models
    "model removed": (_B, "every call on it fails"),
    "model renamed": (_B, "every call by the former name fails"),
    "model hidden": (_B, "nobody who read its fields may see them now"),
    "model added": (_C, "nobody uses it yet"),
    "model shown": (_C, "its fields can be seen now"),
    # fields
    "field removed": (_B, "reading, searching or writing it fails"),
    "field renamed": (_B, "reading, searching or writing it by the former name fails"),
    "field added": (_C, "nobody uses it yet"),
    "required field added": (_R, "a record made without it is refused, unless the ERP has a default"),
    "type changed": (_B, "its values have another form"),
    "type changed alike": (_R, "its values have the same form, but may be kept or limited otherwise"),
    "relation changed": (_B, "it leads to other records"),
    "became required": (_B, "a record made without it is refused, unless the ERP has a default"),
    "condition of required changed": (_R, "a record that was complete may not be"),
    "became optional": (_C, "what was given may still be given"),
    "became readonly": (_R, "clients no longer let it be entered; a program's value may be overwritten"),
    "became writable": (_C, "what was read may still be read"),
    "selection value removed": (_B, "writing or searching that value is refused"),
    "selection value added": (_R, "a reader that knows all values meets another one"),
    "selection computed": (_R, "which values are allowed is no longer known beforehand"),
    "selection listed": (_C, "which values are allowed can be known now"),
    "label changed": (_C, "programs do not read it; people, and what finds fields by label, do"),
    # what can be called
    "method removed": (_B, "calling it is refused"),
    "method added": (_C, "nobody calls it yet"),
    "button removed": (_R, "clients no longer offer it, even where programs may still call it"),
    "button added": (_C, "nobody presses it yet"),
    "wizard removed": (_B, "starting it fails"),
    "wizard added": (_C, "nobody starts it yet"),
    "report removed": (_B, "printing it fails"),
    "report added": (_C, "nobody prints it yet"),
    # rights
    "right revoked": (_B, "that role is refused what it could do"),
    "right granted": (_R, "that role can do or see what it could not: is it meant to?"),
}
