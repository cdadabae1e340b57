"""What is wrong with a release's `[activation]` that no single key can see. Works on raw values."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from ringgate.domain.waivers import holds
from ringgate.inventory.files import Problem, nearest
from ringgate.rollout.activation_tables import ACTIVATION, FlagTable
from ringgate.rollout.flags.commands import PLACEHOLDERS
from ringgate.rollout.flags.flagd import FlagFileWrong, read_flag
from ringgate.rollout.platforms.hosts_file import words_in_braces
from ringgate.rollout.risk_classes import PLANS, Risk


def check_activation(
    path: Path, given: object, rings: Sequence[str], today: date, must: Collection[str] = ()
) -> list[Problem]:
    """A flag that has ended, that nothing or two things switch, whose file or program is not as it must be, or that
    keeps from being tried what must have passed (`must`) before anything is switched on."""
    if not isinstance(given, Mapping):
        return []
    file, found, listed = str(path), list[Problem](), given.get("flags")
    if ACTIVATION in rings:
        found.append(Problem(file, "activation", f"cannot be approved: a ring of the inventory is called {ACTIVATION}"))
    tables = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    names = [each.get("name") for each in tables]
    for name in sorted({str(each) for each in names if names.count(each) > 1}):
        found.append(Problem(file, "activation.flags", "two flags must not have the same name", f'"{name}"'))
    for index, each in enumerate(tables):
        found += _flag(path, f"activation.flags[{index}]", each, today)
        listed = each.get("scenarios")
        for name in listed if isinstance(listed, list) else []:
            if name in must:
                rule = "must have passed before the flag is switched on, and is not tried while it is dark"
                found.append(Problem(file, f"activation.flags[{index}].scenarios", rule, f'"{name}"'))
    return found


def must_of(data: Mapping[str, object]) -> Collection[str]:
    """The processes that a definition (raw values) asks for on every tenant: `must`, or those of its risk class, but
    for those that somebody may go without."""
    listed, untested = data.get("must"), data.get("untested")
    risk = next((each for each in Risk if each.value == data.get("risk")), None)
    names = listed if isinstance(listed, list) and listed else PLANS[risk].must if risk else ()
    without = (
        [each.get("scenario") for each in untested if isinstance(each, dict)] if isinstance(untested, list) else []
    )
    return [each for each in names if each not in without]


def _flag(path: Path, at: str, given: Mapping[str, object], today: date) -> list[Problem]:
    file, found = str(path), list[Problem]()
    ends = given.get("ends")
    if isinstance(ends, date) and not holds(ends, today):
        found.append(Problem(file, f"{at}.ends", "has passed: remove the flag, or renew it with its owner", str(ends)))
    by_file, by_command = "file" in given, "switch" in given or "ask" in given
    if by_file == by_command or ("switch" in given) != ("ask" in given):
        found.append(Problem(file, at, "needs either file, or both switch and ask"))
        return found
    for key in ("switch", "ask"):
        found += _command(path, f"{at}.{key}", given.get(key), PLACEHOLDERS if key == "switch" else PLACEHOLDERS[:2])
    if by_file and isinstance(given.get("file"), str):
        try:
            table = FlagTable.model_validate(given)
            read_flag(path.parent / table.file, table)
        except ValidationError:  # told key by key elsewhere
            pass
        except FlagFileWrong as error:
            found.append(Problem(file, f"{at}.file", str(error), f'"{given["file"]}"'))
    return found


def _command(path: Path, at: str, words: object, known: Sequence[str]) -> list[Problem]:
    if not isinstance(words, list) or not words or not all(isinstance(each, str) for each in words):
        return []
    file, program = str(path), words[0]
    found = [
        Problem(file, f"{at}[{index}]", f"{{{word}}} is nothing that is filled in{nearest(word, known)}")
        for index, each in enumerate(words) for word in words_in_braces(each) if word not in known
    ]  # fmt: skip
    place = path.parent / program
    if "/" not in program and shutil.which(program) is None:
        found.append(Problem(file, f"{at}[0]", "there is no such program on the PATH", f'"{program}"'))
    elif "/" in program and not (place.is_file() and os.access(place, os.X_OK)):
        found.append(Problem(file, f"{at}[0]", "there is no such program beside this file", f'"{program}"'))
    return found
