"""The scenarios there are: every `@scenario` in the modules of a folder, found by importing them."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from collections.abc import Collection
from pathlib import Path

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Scenario


class DiscoveryError(RinggateError):
    """A scenario file cannot be read, or a scenario is not known."""


def load_scenarios(folder: Path) -> dict[str, Scenario]:
    """Every scenario of the folder and of its `in_flight/`, by id, sorted.

    Raises CatalogueError, naming all files that are wrong."""
    found: dict[str, tuple[Scenario, Path]] = {}
    wrong: list[str] = []
    for path in sorted([*folder.glob("*.py"), *folder.glob("in_flight/*.py")]):
        try:
            members = vars(_module(path, folder)).values()
        except Exception as error:
            wrong.append(f"{path}: cannot be imported: {type(error).__name__}: {error}")
            continue
        for scenario in {id(m): m for m in members if isinstance(m, Scenario)}.values():
            if scenario.id in found:
                wrong.append(f"{path}: scenario id {scenario.id!r} is already used in {found[scenario.id][1]}")
            found[scenario.id] = (scenario, path)
    if wrong:
        raise DiscoveryError("\n".join(wrong))
    return {name: found[name][0] for name in sorted(found)}


def check_known(wanted: Collection[str], known: Collection[str]) -> None:
    """Raise CatalogueError for every id that is not known, with the nearest that is."""
    unknown = []
    for name in sorted(set(wanted) - set(known)):
        near = difflib.get_close_matches(name, known, n=1)
        unknown.append(f'no scenario is called "{name}"' + (f"; did you mean {near[0]}?" if near else ""))
    if unknown:
        raise DiscoveryError(". ".join(unknown))


def _module(path: Path, folder: Path) -> object:
    name = ".".join([folder.absolute().name, *path.relative_to(folder).with_suffix("").parts])
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
