"""Controls that a release asks for: files of scanners, read, verified where they are signed, kept as evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from pydantic import Field

from ringgate.inventory.files import Problem
from ringgate.inventory.kinds import Name, Slug, StrictTable
from ringgate.rollout.approval_tables import PublicKey


class ControlKind(StrEnum):
    SARIF = "sarif"  # static analysis
    CYCLONEDX = "cyclonedx"  # a bill of materials with the vulnerabilities of what is in it
    POLICY = "policy"  # Conftest's JSON: policy checks of infrastructure code


class ControlTable(StrictTable):
    """One file that must be there and hold nothing that is too grave."""

    name: Slug = Field(description="What it is called.", examples=["dependency-scan"])
    kind: ControlKind = Field(description="sarif, cyclonedx, or policy (Conftest's JSON).", examples=["cyclonedx"])
    file: Name = Field(description="The file, beside this one.", examples=["scan.cdx.json"])
    allows: str = Field(
        "", description="The gravest finding that is let through: none, note, warning (sarif) or none, low, medium, "
        "high (cyclonedx) [default: note, medium]. A failed policy never is.", examples=["low"],
    )  # fmt: skip
    key: PublicKey | None = Field(
        None, description="Who signed it: then FILE.dsse.json beside it is a DSSE envelope of the very file.",
        examples=["ssh-ed25519 AAAA..."],
    )  # fmt: skip


GRAVITY: Mapping[ControlKind, Sequence[str]] = {
    ControlKind.SARIF: ("none", "note", "warning", "error"),
    ControlKind.CYCLONEDX: ("none", "info", "low", "medium", "high", "critical"),
    ControlKind.POLICY: ("none", "warning", "failure"),
}
"""From what is of no matter to what is gravest."""

USUAL: Mapping[ControlKind, str] = {
    ControlKind.SARIF: "note", ControlKind.CYCLONEDX: "medium", ControlKind.POLICY: "warning",
}  # fmt: skip


def check_controls(path: Path, given: object) -> list[Problem]:
    """What the rule of a single key cannot see. Works on raw values."""
    found, file = list[Problem](), str(path)
    rows = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    names = [each.get("name") for each in rows]
    for twice in sorted({str(each) for each in names if names.count(each) > 1}):
        found.append(Problem(file, "controls", "two controls must not have the same name", f'"{twice}"'))
    for index, each in enumerate(rows):
        kind, name, allows = each.get("kind"), each.get("file"), each.get("allows", "")
        if isinstance(name, str) and name and not (path.parent / name).is_file():
            found.append(Problem(file, f"controls[{index}].file", "there is no such file beside this one", f'"{name}"'))
        known = GRAVITY.get(ControlKind(kind), ())[:-1] if kind in set(ControlKind) else ()
        if allows and known and allows not in known:
            found.append(Problem(file, f"controls[{index}].allows", f"must be one of {', '.join(known)}", str(allows)))
    return found


def control_files(controls: Sequence[ControlTable]) -> list[str]:
    """The names of all files that these controls rest on."""
    return [name for each in controls for name in (each.file, *([f"{each.file}.dsse.json"] if each.key else []))]
